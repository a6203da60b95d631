#!/bin/sh
# The CCID driver over real libusb and a USB of paper: see ccid_driver.c.
command -v umockdev-wrapper >/dev/null || { echo "no umockdev-wrapper (Debian: umockdev)"; exit 77; }
# a sanitizer wants to be the first library; here umockdev's is
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
export ASAN_OPTIONS
exec umockdev-wrapper "$TESTS_BUILDDIR/tests/system/ccid_driver"
