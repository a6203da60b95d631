#!/bin/sh
# Payments by an account at a purse, without a card: see get.sh.
exec "$TESTS_SRCDIR/system/get.sh" purse
