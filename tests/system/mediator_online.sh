#!/bin/bash
# Orders for which the card asks its issuer, through the mediator and the acquirer while it stays in the reader: approved, refused, the issuer away or silent,
# the payer killed, the card torn out at each command. What the card did not complete is given back and never delivered.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"

questions() { telepay-acquirer authorisations --state "$1" --json | jq '.authorisations | length'; }
reserved() { telepay-issuer account list --dir iss --json | jq -r '.accounts[0].reserved'; }
until_reserved() { # by the issuer, for what it approved
    local left
    for left in {400..0}; do
        [ "$(reserved)" = "$1" ] && return
        pause 0.05
    done
    fail "reserved is $(reserved), not $1: $(telepay-issuer account list --dir iss; telepay-acquirer authorisations; cat ./*.log)"
}
serve_issuer() { launch issuer.log listening telepay-issuer serve --dir iss && issuer=$launched; }

set_up() {
    expect 0 "" telepay-perso init scheme/
    expect 0 "" telepay-perso card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234
    expect 0 "" telepay-issuer init iss/ --scheme scheme/ --name banque
    printf 9990140000000015 | expect 0 "" telepay-issuer account add --dir iss --expiry 2030-12 --balance 200.00 --currency EUR
    expect 0 "" telepay-issuer acquirer add --dir iss --id 00000000001 --out from-issuer
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
    printf '\n[issuers]\ntimeout = 2\n' >>acq/acquirer.conf
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR
    expect 0 "banque" telepay-acquirer issuer add --from from-issuer
    set_up_mediator
    cat >>journal/catalogue.ini <<'END'

[atlas]
designation = An atlas
price       = 60.00 EUR
file        = article-1.html

[library]
designation = A library
price       = 180.00 EUR
file        = article-1.html
END
    serve_issuer
    serve_shop
    until_said 'banque is reached' acquirer.log
}

# The card leaves at each command of a payment that its issuer approves: it is told, nothing is paid, and what was approved is given back.
torn_out() {
    local n
    for n in {1..40}; do
        insert cards/marie --fault "torn-out=$n" --once
        get "$origin/s/journal/atlas?torn=$n" >out 2>&1 && break
        grep -q '^telepay' out || fail "torn out at $n, nothing is said: $(cat out)"
        until_reserved 120.00
    done
    [ "$n" -gt 10 ] && [ "$n" -lt 40 ] || fail "a payment of $n commands? $(cat out)"
    until_reserved 180.00
    states | grep -qE 'submitting|unknown|approved|acknowledged|reversing' && fail "something is left under way: $(states)"
    echo "torn out at each of $((n - 1)) commands: $(states | tr ' ' '\n' | sort | uniq -c | tr -s ' \n' ' ')"
}

inside() {
    local paying
    cd "$dir" || exit 1
    set_up
    insert cards/marie

    expect 0 "first article" get $origin/s/journal/atlas
    [ "$(questions approved)" = 1 ] || fail "the issuer was not asked: $(telepay-acquirer authorisations)"
    until_reserved 60.00
    [ "$(states)" = delivered ] || fail "the order is $(states)"

    # the issuer's own refusal, told with its code; the order can still be paid
    expect 1 "51" get $origin/s/journal/library
    [ "$(states | wc -w)" = 2 ] && states | grep -q requested || fail "the order is $(states)"
    until_reserved 60.00

    # silent, and away: nothing is paid
    kill -STOP "$issuer"
    get $origin/s/journal/atlas?silent >out 2>&1 && fail "paid by nobody: $(cat out)"
    kill -CONT "$issuer"
    until_reserved 60.00
    kill "$issuer"
    wait "$issuer"
    get $origin/s/journal/atlas?away >out 2>&1 && fail "paid by nobody: $(cat out)"
    serve_issuer

    # for another client the question is asked at once, and what came of it is in the credential
    for _ in {200..0}; do
        grep 'issuer banque is' acquirer.log | tail -1 | grep -q 'is reached' && break
        pause 0.05
    done
    buy $origin/s/journal/atlas?client
    expect 0 "first article" pay $origin/s/journal/atlas?client
    until_reserved 120.00

    # the payer is killed while the issuer is asked: nobody says that the card completed, and it is given back
    kill -STOP "$acquirer"
    get $origin/s/journal/atlas?killed >out 2>&1 &
    paying=$!
    until_said 'submitting' <(pause 2; cat mediator.log)
    pkill -KILL -f 'telepay get .*killed'
    wait "$paying"
    kill -CONT "$acquirer"
    expect 1 "it was given back" telepay order send --home home --cacert med/pki/ca.pem
    until_reserved 120.00
    until_said 'reversed' mediator.log
    states | grep -q 'reversed' || fail "not given back: $(states)"
    torn_out

    expect 0 "" telepay-acquirer audit
    kill "$mediator" "$acquirer" "$service" "$issuer"
    wait "$mediator" || fail "telepay-mediator serve does not end cleanly: $(cat mediator.log)"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/mediator_online.sh" inside "$dir" || exit 1
echo "mediator_online.sh: approved, refused, given back"
