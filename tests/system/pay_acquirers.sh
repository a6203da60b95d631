#!/bin/sh
# An acquirer that is wrong, while one pays: see pay.sh.
exec "$TESTS_SRCDIR/system/pay.sh" acquirers
