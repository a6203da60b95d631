#!/bin/sh
# The habits of curl that `telepay get` has: see get.sh.
exec "$TESTS_SRCDIR/system/get.sh" curl_habits
