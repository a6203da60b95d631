#!/bin/sh
# Orders that no payer may pay: see get.sh.
exec "$TESTS_SRCDIR/system/get.sh" forged
