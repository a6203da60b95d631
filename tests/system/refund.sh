#!/bin/bash
# `telepay refund` with the programs as a shop types them: card, terminal, acquirer, issuer and centre. Whole and in parts, of a payment by its reference, its number or as the last one, and
# of none; never more than was paid, never to another card; after the remise was collected; with the acquirer away, and a card that is torn out.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

# shellcheck source=tests/system/shop_common.sh
. "$here/shop_common.sh"

refund() { run refund "$@"; }
credits() { telepay-acquirer list --json | jq -r '[.transactions[] | select(.kind == "credit" and .state != "reversed") | .amount] | sort | join(" ")'; }

given() { credits | tr ' ' + | bc; }

settled() {
    local left
    for left in {600..0}; do
        [ "$(telepay-acquirer authorisations --json | jq '[.authorisations[] | select(.state == "asked" or .state == "to be reversed")] | length')" = 0 ] && return
        [ "$left" = 0 ] || pause 0.1
    done
    fail "still asked, or to be reversed: $(telepay-acquirer authorisations)"
}

whole_and_parts() {
    local first
    insert cards/marie
    pay 12.50
    expect 0 "APPROVED" refund "$rrn" # all of it
    said "REFUND "
    match=-E said "^Refund of +$rrn$"
    match=-E expect 0 "refund_of +$rrn" telepay-acquirer show "$(sed -n 's/^Reference *//p' out)"
    [ "$(credits)" = 12.50 ] || fail "not given back once: $(telepay-acquirer list)"
    expect 2 "of payment $rrn 0.00 EUR is left" refund "$rrn"
    expect 2 "only a payment that is acknowledged" refund last # the refund itself
    pay 20.00
    first=$rrn
    expect 0 "APPROVED" refund "$number" --amount 5.00 --print paper
    rendered paper
    match=-E said "^#REFUND# +#5.00# #EUR#\$"
    match=-E said "^Refund of +$rrn\$"
    [ "$(cuts)" = 2 ] || fail "$(cat out)"
    expect 0 "APPROVED" refund "$rrn" --amount 4.00 --currency EUR
    expect 2 "11.00 EUR is left" refund "$rrn" --amount 11.01
    pay 7.00
    expect 0 "APPROVED" refund last
    match=-E said "^Refund of +$rrn$"
    expect 0 '"refund_of": "'"$first"'"' refund "$first" --json # what is left
    [ "$(credits)" = "11.00 12.50 4.00 5.00 7.00" ] || fail "$(telepay-acquirer list)"
    # the other terminal of the contract: the journal does not know the payment, the acquirer does
    pay 9.00
    conf=t9/telepay.conf expect 2 "say how much" refund "$rrn"
    conf=t9/telepay.conf expect 1 "more than is left of the payment (61, REFUND_AMOUNT)" refund "$rrn" --amount 9.01
    conf=t9/telepay.conf expect 0 "APPROVED" refund "$rrn" --amount 8.00
    expect 1 "REFUND_AMOUNT" refund "$rrn" # of which the first terminal's journal does not know
    expect 0 "APPROVED" refund "$rrn" --amount 1.00
}

refused() {
    local marie
    expect 2 "say which payment" refund
    expect 2 "is no payment" refund nonsense
    expect 2 "no payment with the number 999999" refund 999999
    expect 2 "one word too many" refund last last
    expect 2 "the contract is in EUR" refund --amount 1 --currency USD
    expect 1 "no payment of that reference (12, REFUND_UNKNOWN)" refund 000000000001 --amount 1.00
    expect 1 "name the payment (58, REFUND_ALONE)" refund --amount 1.00
    pay 30.00
    marie=$rrn
    insert cards/luc
    expect 1 "another card made the payment" refund "$marie"
    conf=t5/telepay.conf pay 3.00
    conf=t5/telepay.conf expect 1 "takes no refunds (58, CREDIT)" refund last
    conf=t4/telepay.conf pay 6.00
    conf=t4/telepay.conf expect 1 "REFUND_UNKNOWN" refund "$marie" --amount 1.00 # another contract's
    conf=t4/telepay.conf expect 0 "APPROVED" refund --amount 2.00
    conf=t4/telepay.conf expect 1 "CREDIT_UNPAID" refund --amount 4.01
    insert cards/marie
    expect 0 "reversed" telepay-acquirer reverse "$marie"
    expect 1 "was taken back" refund "$marie"
    # of a refund, by its number at another terminal, whose journal does not know it
    pay 4.00
    expect 0 "APPROVED" refund last
    conf=t9/telepay.conf expect 1 "(12, REFUND_OF_REFUND)" refund "$(sed -n 's/^Reference *//p' out)" --amount 1.00
    expect 0 "closed" telepay-acquirer contract close --id 000000000000124
    conf=t4/telepay.conf expect 1 "or closed (03)" refund --amount 1.00
}

# nothing is asked of the card while the acquirer is away; what was asked and not answered is taken back
unknown() {
    local before n
    pay 15.00
    before=$(credits)
    kill "$serve"
    wait "$serve"
    expect 4 "nothing was given back" refund last
    serve_acquirer
    for n in {2..60..3}; do # the card leaves at a command
        insert cards/marie --fault "torn-out=$n"
        refund "$rrn" >out 2>&1 && break
        telepay journal send --config "$conf" >/dev/null 2>&1
        settled
        [ "$(credits)" = "$before" ] || fail "given back, though the card left at command $n: $(telepay-acquirer list)"
    done
    said "APPROVED"
    [ "$n" -gt 8 ] || fail "a refund of $n commands"
    insert cards/marie
    expect 2 "0.00 EUR is left" refund "$rrn"
}

# The terminal is killed at any instant: the refund is given once, or not, and then it can be given.
killed() {
    local n refunding before
    for n in {1..8}; do
        pay 2.00
        before=$(given)
        telepay refund last --config "$conf" --pin-fd 0 --wait 5 <<<1234 >>refunds 2>&1 &
        refunding=$!
        pause "0.$((RANDOM % 8))$((RANDOM % 10))"
        kill -KILL "$refunding" 2>/dev/null
        wait "$refunding" 2>/dev/null
        expect 0 "" telepay journal send --config "$conf"
        settled
        case $(bc <<<"$(given) - $before") in
        0) expect 0 "APPROVED" refund "$rrn" ;;
        2.00) expect 2 "0.00 EUR is left" refund "$rrn" ;;
        *) fail "given back once and again: $(telepay-acquirer list)" ;;
        esac
        [ "$(bc <<<"$(given) - $before")" = 2.00 ] || fail "not given back once: $(telepay-acquirer list)"
    done
}

collected() {
    pay 8.00
    expect 0 "" telepay-acquirer close
    expect 0 "APPROVED" refund last # in a closed remise: a refund, in the next one
    expect 0 "books and evidence agree" telepay-acquirer audit
    expect 0 "" telepay-acquirer prove "$(telepay-acquirer list --json | jq -r '[.transactions[] | select(.kind == "credit")][0].rrn')"
}

inside() {
    cd "$dir" || exit 1
    set_up
    whole_and_parts
    refused
    unknown
    killed
    collected
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/refund.sh" inside "$dir" || exit 1
