#!/bin/bash
# What the store and the books are held to, with their tables in PostgreSQL: the unit tests of the files, on a server of their own.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

if [ $# = 0 ]; then
    # what is lost when a machine fails is not what is tested here
    WITH_POSTGRES_OPTIONS="-c fsync=off" exec "$here/with-postgres" "$here/postgres.sh" inside
fi
export TELEPAY_TEST_STORE=postgresql
own_folder
tests="test_db test_ledger test_ledger_model test_issuer test_collect"
for test in $tests; do
    own= # the server of one test fails on purpose
    [ "$test" = test_db ] && own=$here/with-postgres
    $own "$TESTS_BUILDDIR/tests/unit/$test" >"$dir/$test.log" 2>&1 &
    declare "$test=$!"
done
for test in $tests; do
    wait "${!test}" || fail "$test: $(grep -v '^telepay: ' "$dir/$test.log")"
    grep -h '^100%' "$dir/$test.log"
done
