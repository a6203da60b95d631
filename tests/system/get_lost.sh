#!/bin/sh
# Answers that are lost, refused, late: see get.sh.
exec "$TESTS_SRCDIR/system/get.sh" lost
