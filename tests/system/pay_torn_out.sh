#!/bin/sh
# A card that leaves, while one pays: see pay.sh.
exec "$TESTS_SRCDIR/system/pay.sh" torn_out
