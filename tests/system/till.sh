#!/bin/bash
# A till, tests/tools/till.py, drives `telepay pay --events` and `refund --events` as doc/till.md says.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/shop_common.sh
. "$here/shop_common.sh"

inside() {
    cd "$dir" || exit 1
    set_up
    expect 0 "every sale" "$TESTS_SRCDIR/tools/till.py" "$conf" cards/marie
    run pay --amount 3.00 --events >out 2>said && fail "paid without a card: $(cat out)" # without --json the last line is the last event
    [ "$(tail -1 out | jq -r .event)" = ended ] || fail "$(cat out)"
    expect 2 "not with --replay" telepay pay --replay trace --dry-run --events
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/till.sh" inside "$dir" || exit 1
