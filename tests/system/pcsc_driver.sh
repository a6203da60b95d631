#!/bin/sh
# The PC/SC driver beside a real pcscd: see pcsc_driver.c.
exec "$TESTS_SRCDIR/system/with-pcscd" "$TESTS_BUILDDIR/tests/system/pcsc_driver"
