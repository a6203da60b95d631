#!/bin/bash
# The store on servers as they should not be (postgres_bad.c), and all of test_db on PostgreSQL too.
set -u
with=$TESTS_SRCDIR/system/with-postgres
"$with" "$TESTS_BUILDDIR/tests/system/postgres_bad" || exit 1
"$with" "$TESTS_BUILDDIR/tests/unit/test_db"
