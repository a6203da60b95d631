#!/bin/bash
# `telepay day` with the programs as a shop types them: what this terminal took, refunded and took back on a day, against the acquirer's books, in balance and not; `telepay journal list`
# and `show` of all of it, and of what was declined, refused and not delivered.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/shop_common.sh
. "$here/shop_common.sh"

day() { telepay day --config "$conf" "$@"; }
journal() { telepay journal "$@" --config "$conf"; }
count() { journal list --json "$@" | jq '.payments | length'; }

in_balance() {
    insert cards/marie
    expect 0 "IN BALANCE" day
    match=-E said "Payments +0 +0.00 EUR"
    pay 12.50
    pay 20.00
    expect 0 "APPROVED" run refund last --amount 5.00
    pay 3.00
    expect 0 "TAKEN BACK" telepay void last --config "$conf"
    expect 0 "Here and at the acquirer" day --print paper
    match=-E said "Payments +2 +32.50 EUR"
    match=-E said "Refunds +1 +5.00 EUR"
    match=-E said "NET +27.50 EUR"
    rendered paper
    said "Here and at the acquirer"
    match=-E said "^#NET# +#27.50# #EUR#\$"
    [ "$(cuts)" = 1 ] || fail "$(cat out)"
    conf=t9/telepay.conf pay 7.00 # another terminal of the contract has a day of its own
    expect 0 "32.50 EUR" day
    conf=t9/telepay.conf expect 0 "7.00 EUR" day
    expect 0 "" telepay-acquirer close # and a day is one, whatever remises it is in
    pay 1.00
    expect 0 "33.50 EUR" day
    expect 0 '"balanced": true' day --json
    [ "$(jq -c '[.terminal_totals, .acquirer_totals]' out)" = '[{"debits":3,"debit_amount":"33.50","credits":1,"credit_amount":"5.00","net":"28.50","currency":"EUR"},{"debits":3,"debit_amount":"33.50","credits":1,"credit_amount":"5.00","net":"28.50","currency":"EUR"}]' ] ||
        fail "$(cat out)"
    expect 0 "IN BALANCE" day --date "$(date -d yesterday +%F)"
    match=-E said "Payments +0 +0.00 EUR"
    expect 2 "is no day of the last 30" day --date "$(date -d tomorrow +%F)"
    expect 2 "is no day of the last 30" day --date yesterday
}

out_of_balance() {
    pay 4.00
    expect 0 "reversed" telepay-acquirer reverse "$rrn" # by the operator, of which the terminal hears nothing
    expect 1 "NOT IN BALANCE" day
    match=-E said "Payments +4 +37.50 EUR"
    match=-E said "Payments +3 +33.50 EUR"
    expect 1 '"balanced": false' day --json
    conf=t9/telepay.conf expect 0 "IN BALANCE" day
}

# What is signed and not delivered is delivered first.
delivered_first() {
    kill "$serve"
    wait "$serve"
    expect 4 "THE CARD HAS SIGNED" run pay --amount 6.00
    conf=t9/telepay.conf expect 4 "" day
    conf=t9/telepay.conf expect 4 "THE CARD HAS SIGNED" run pay --amount 6.00
    [ "$(count --state signed)" = 1 ] || fail "$(journal list)"
    expect 0 "SIGNED, NOT YET ACKNOWLEDGED" journal show last
    said "DUPLICATE"
    serve_acquirer
    conf=t9/telepay.conf expect 0 "13.00 EUR" day
}

listed() {
    local today all
    today=$(date +%F)
    expect 0 "" journal send
    declined
    expect 0 "DECLINED" journal show "$number"
    said "DUPLICATE"
    refused
    expect 0 "REFUSED BY THE ACQUIRER" journal show "$number"
    said "DUPLICATE"
    all=$(count)
    [ "$(count --since "$today" --until "$today")" = "$all" ] || fail "$(journal list)"
    [ "$(count --since "$(date -d tomorrow +%F)") $(count --until "$(date -d yesterday +%F)")" = "0 0" ] || fail "$(journal list)"
    [ "$(count --amount 12.50) $(count --amount 12.51)" = "1 0" ] || fail "$(journal list)"
    [ "$(count --state reversed) $(count --state declined) $(count --state refused --amount 2000.00)" = "1 1 1" ] || fail "$(journal list)"
    [ "$(count --state acknowledged --amount 5.00 --since "$today")" = 1 ] || fail "$(journal list)"
    expect 2 "takes a day" journal list --since yesterday
    expect 2 "is no state" journal list --state gone
    expect 2 "" journal list --amount much
    expect 2 "or \"last\"" journal show
}

# A card that declines by itself: $number.
declined() {
    insert cards/luc --fault always-aac
    expect 1 "DECLINED" run pay --amount 2.50
    number=$(sed -n 's/^Number *//p' out)
}

refused() { # over the contract's ceiling: $number
    insert cards/marie
    expect 1 "REFUSED BY THE ACQUIRER" run pay --amount 2000.00
    number=$(sed -n 's/^Number *//p' out)
}

inside() {
    cd "$dir" || exit 1
    while [ "$(date +%H%M)" -ge 2355 ]; do # all of it on one day
        pause 5
    done
    set_up
    in_balance
    out_of_balance
    delivered_first
    listed
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/day.sh" inside "$dir" || exit 1
