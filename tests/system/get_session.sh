#!/bin/sh
# Pages that are paid by vouchers in a session of a purse: see get.sh.
exec "$TESTS_SRCDIR/system/get.sh" purse_session
