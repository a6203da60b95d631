#!/bin/sh
# Signals, while one pays: see pay.sh.
exec "$TESTS_SRCDIR/system/pay.sh" signals
