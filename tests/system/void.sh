#!/bin/bash
# `telepay void` with the programs as a shop types them: a payment, and a refund, taken back by number, by reference and as the last one; what is in a closed remise, refunded, or not
# acknowledged is not; with the acquirer away, silent, and the terminal killed at any instant: what it came to is known by asking again, and nothing is taken back twice.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/shop_common.sh
. "$here/shop_common.sh"

void() { telepay void "$@" --config "$conf"; }
journal() { telepay journal "$@" --config "$conf"; }
here_it_is() { journal show "$1" --json | jq -r .state; }
there_it_is() { telepay-acquirer show "$1" --json | jq -r .state; }
stands() { # state at the acquirer, state here
    [ "$(there_it_is "$rrn")" = "$1" ] && [ "$(here_it_is "$rrn")" = "$2" ] || fail "payment $rrn is $(there_it_is "$rrn") there and $(here_it_is "$rrn") here, not $1 and $2"
}
reversals() { telepay-acquirer remise list --json | jq '[.remises[].reversals] | add'; }

taken_back() {
    insert cards/marie
    pay 12.50
    expect 0 "TAKEN BACK" void last
    said "taken back by the merchant"
    stands reversed reversed
    expect 2 "is reversed: only a payment that is acknowledged is taken back" void "$rrn"
    expect 2 "is reversed: only a payment that is acknowledged is taken back" void last
    pay 6.50
    local before=$rrn
    pay 7.50
    expect 0 "TAKEN BACK" void last
    expect 2 "is reversed: only" void last # and not the one before, which may be another customer's
    expect 2 "is reversed: only" run refund last
    rrn=$before
    stands acknowledged acknowledged
    expect 0 "TAKEN BACK" void "$rrn"
    pay 7.00
    expect 0 "TAKEN BACK" void "$number" --print paper
    stands reversed reversed
    rendered paper
    said "*TAKEN* *BACK*"
    said "$rrn"
    [ "$(cuts)" = 2 ] || fail "$(cat out)"
    pay 8.00
    expect 0 '"voided": true' void "$rrn" --json
    stands reversed reversed
    [ "$(reversals)" = 5 ] || fail "$(telepay-acquirer remise list)"
    # a refund, which can then be given again
    pay 9.00
    expect 0 "APPROVED" run refund last
    expect 0 "TAKEN BACK" void last
    stands acknowledged acknowledged
    expect 0 "APPROVED" run refund "$rrn"
}

refused() {
    expect 2 "say which payment" telepay void --config "$conf"
    expect 2 "one word too many" void last last
    expect 2 "is no payment" void nonsense
    expect 2 "no payment with the number 999999" void 999999
    pay 5.00
    expect 0 "APPROVED" run refund last --amount 1.00
    expect 1 "has been refunded already (12, CREDITED)" void "$rrn"
    said "APPROVED" # it stands
    stands acknowledged acknowledged
    pay 6.00
    expect 0 "" telepay-acquirer close
    expect 1 "in a closed remise: refund it instead (12, REMISE_CLOSED)" void last
    stands "in remise" acknowledged
    expect 0 "DUPLICATE" telepay journal show last --config "$conf" # of a payment that stands, as it was first
    said "APPROVED"
    unsaid "REMISE_CLOSED"
    expect 0 "APPROVED" run refund last
}

# A terminal that does not know what the acquirer did asks again, and never guesses.
unknown() {
    local before voiding n
    pay 11.00
    kill "$serve"
    wait "$serve"
    expect 4 "kept to be taken back, and the acquirer does not know yet" void last
    said "TO BE TAKEN BACK"
    [ "$(here_it_is "$rrn")" = "to be reversed" ] || fail "$(journal list)"
    expect 2 "to be reversed" run refund "$rrn"
    # it is the last one, as long as nobody knows of it: never the one before, which may be another customer's
    expect 4 "kept to be taken back, and the acquirer does not know yet" void last
    expect 4 "kept to be taken back" void last --json
    [ "$(telepay void last --config "$conf" --json 2>/dev/null | jq -s 'length, .[0].state' | xargs)" = "1 to be reversed" ] || fail "not one document: $(telepay void last --config "$conf" --json)"
    expect 2 "to be reversed" run refund last
    serve_acquirer
    expect 0 "reversed" journal send
    stands reversed reversed
    pay 13.00
    kill "$serve"
    wait "$serve"
    expect 4 "THE CARD HAS SIGNED" run pay --currency EUR --amount 3.00
    serve_acquirer
    expect 2 "is signed: only a payment that is acknowledged is taken back" void last
    expect 2 "only a payment that is acknowledged can be refunded" run refund last
    stands acknowledged acknowledged
    expect 0 "" journal send
    # the acquirer hears it, and its answer is lost
    pay 3.00
    before=$(reversals)
    sed -i 's/^\[acquirer\]/&\ntimeout=1\nrepeats=0/' t3/telepay.conf
    kill -STOP "$serve"
    expect 4 "TO BE TAKEN BACK" void "$number"
    kill -CONT "$serve"
    expect 0 "TAKEN BACK" void "$number" # the same again
    stands reversed reversed
    [ "$(reversals)" = $((before + 1)) ] || fail "taken back twice: $(telepay-acquirer remise list)"
    sed -i '/^timeout=1$/d; /^repeats=0$/d' t3/telepay.conf
    # killed at any instant
    for n in {1..12}; do
        pay 2.00
        before=$(reversals)
        telepay void last --config "$conf" >>voids 2>&1 & # no function: of one the shell would be killed, and not telepay
        voiding=$!
        pause "0.0$((RANDOM % 10))$((RANDOM % 10))"
        kill -KILL "$voiding" 2>/dev/null
        wait "$voiding" 2>/dev/null
        expect 0 "" journal send
        case $(here_it_is "$rrn") in
        acknowledged) stands acknowledged acknowledged && void "$rrn" >>voids 2>&1 ;;
        *) stands reversed reversed ;;
        esac
        stands reversed reversed
        [ "$(reversals)" = $((before + 1)) ] || fail "killed at $n: $(telepay-acquirer remise list)"
    done
    expect 0 "books and evidence agree" telepay-acquirer audit
}

inside() {
    cd "$dir" || exit 1
    set_up
    taken_back
    refused
    unknown
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/void.sh" inside "$dir" || exit 1
