#!/bin/bash
# What the store and the books are held to, with their tables in PostgreSQL: the unit tests of the files, on a server of their
# own; and what is acknowledged while the server is killed is kept. POSTGRES_UNITS: those alone.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

if [ $# = 0 ]; then
    # what is lost when a machine fails is not what is tested here
    WITH_POSTGRES_FSYNC=off exec "$here/with-postgres" "$here/postgres.sh" inside
fi
export TELEPAY_TEST_STORE=postgresql KILLS=6
own_folder
units=${POSTGRES_UNITS:-test_orderbook test_moves test_moves_model test_session test_ledger test_ledger_model test_issuer test_collect test_mediated test_purse test_purse_session test_purse_model}
for test in test_db acquirer_kill purse_kill $units; do
    case $test in # the server of these fails on purpose
    test_db) command=("$here/with-postgres" "$TESTS_BUILDDIR/tests/unit/$test") ;;
    acquirer_kill) command=("$here/with-postgres" "$TESTS_BUILDDIR/tests/faults/$test") ;;
    purse_kill) command=("$here/with-postgres" "$here/../faults/purse_kill.sh") ;;
    *) command=("$TESTS_BUILDDIR/tests/unit/$test") ;;
    esac
    "${command[@]}" >"$dir/$test.log" 2>&1 &
    declare "$test=$!"
done
for test in test_db acquirer_kill purse_kill $units; do
    wait "${!test}" || [ $? = 77 ] || fail "$test: $(grep -v '^telepay: ' "$dir/$test.log")"
    tail -1 "$dir/$test.log"
done
