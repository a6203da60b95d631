#!/bin/bash
# The online way once, with the programs as a user types them: card, terminal, acquirer and the real issuer. Offline, online approved, declined by the issuer, the issuer away, killed
# while it is asked, reversed; and the remise of all that. All in the private network of with-pcscd, so that the usual ports are free.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

pay() { printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --currency EUR "$@"; }
questions() { telepay-acquirer authorisations --state "$1" --json | jq '.authorisations | length'; }
until_reversed() { # how many
    for _ in $(seq 200); do
        [ "$(questions reversed)" = "$1" ] && [ "$(questions to-reverse)" = 0 ] && return
        pause 0.05
    done
    fail "not reversed: $(telepay-acquirer authorisations) $(cat "$dir"/*.log)"
}

issuer=
serve_issuer() {
    launch issuer.log listening telepay-issuer serve --dir iss
    issuer=$launched
}
serve_acquirer() {
    launch acquirer.log "is reached" telepay-acquirer serve
    serve=$launched
}

inside() {
    local serve rrn paying
    cd "$dir" || exit 1
    expect 0 "" telepay-perso init scheme/
    expect 0 "" telepay-perso card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234
    expect 0 "" telepay-issuer init iss/ --scheme scheme/ --name banque
    printf 9990140000000015 | expect 0 "" telepay-issuer account add --dir iss --expiry 2030-12 --balance 200.00 --currency EUR
    expect 0 "" telepay-issuer acquirer add --dir iss --id 00000000001 --out from-issuer
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
    printf '\n[issuers]\ntimeout = 2\n' >>acq/acquirer.conf
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR
    expect 0 "" telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out terminal/
    sed -i 's/^\[acquirer\]/&\ntimeout=4/' terminal/telepay.conf # longer than the acquirer's own
    expect 0 "banque" telepay-acquirer issuer add --from from-issuer
    expect 2 "already" telepay-acquirer issuer add --from from-issuer
    expect 0 "999014" telepay-acquirer issuer list
    serve_issuer
    serve_acquirer
    insert cards/marie

    # under the floor: the card alone
    expect 0 "APPROVED" pay --amount 12.50
    [ "$(questions approved)" = 0 ] || fail "asked under the floor: $(telepay-acquirer authorisations)"

    # over the floor: the card asks its issuer, who approves, and the card believes it
    expect 0 "APPROVED" pay --amount 60.00
    grep -q '^Approval  *[0-9A-Z]' out || fail "no approval code: $(cat out)"
    rrn=$(sed -n 's/^Reference *//p' out)
    expect 0 "the issuer" telepay-acquirer show "$rrn"
    expect 0 "approved by the issuer under" telepay-acquirer prove "$rrn"
    expect 0 "$rrn" telepay-acquirer authorisations --state approved
    expect 0 "acknowledged" telepay journal list --config terminal/telepay.conf

    # more than the account has: the issuer's own refusal
    expect 1 "(51" pay --amount 180.00
    [ "$(questions refused)" = 1 ] || fail "$(telepay-acquirer authorisations)"

    # the operator takes one back: the issuer learns it
    expect 0 "reversed" telepay-acquirer reverse "$rrn"
    until_reversed 1
    expect 0 "" telepay-issuer account list --dir iss
    grep -q "200[.]00" out || fail "not given back: $(cat out)"

    # the issuer stops to answer: taken back when it is there again
    kill -STOP "$issuer"
    expect 1 "DECLINED" pay --amount 61.00
    kill -CONT "$issuer"
    until_reversed 2

    # the issuer is away
    kill "$issuer"
    wait "$issuer"
    pause 0.3
    expect 1 "DECLINED" pay --amount 62.00
    serve_issuer
    pause 1

    # the terminal is killed while it asks: the next run takes back what may have been asked
    kill -STOP "$serve"
    printf 1234 | telepay pay --config terminal/telepay.conf --amount 63.00 --pin-fd 0 --wait 5 >out 2>&1 &
    pause 1.5
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
    kill -CONT "$serve"
    pause 0.5
    expect 0 "" telepay journal send --config terminal/telepay.conf
    # the acquirer is killed while it asks
    kill -STOP "$issuer"
    pay --amount 64.00 >out 2>&1 &
    paying=$!
    pause 1.5
    kill -9 "$serve"
    wait "$serve" 2>/dev/null
    kill -CONT "$issuer"
    serve_acquirer
    wait "$paying"
    expect 0 "" telepay journal send --config terminal/telepay.conf
    for _ in $(seq 100); do
        [ "$(questions to-reverse)" = 0 ] && [ "$(questions asked)" = 0 ] && break
        pause 0.05
    done
    telepay-acquirer authorisations >out
    grep -q 'to be reversed' out && fail "left over: $(cat out)"
    expect 0 "" telepay-issuer account list --dir iss
    grep -q "200[.]00" out || fail "reserved for nothing: $(cat out) $(telepay-acquirer authorisations)"

    # what stands is paid, and is collected with its approval code
    expect 0 "APPROVED" pay --amount 65.00
    expect 0 "" telepay-acquirer audit
    expect 0 "" telepay-acquirer close
    kill "$serve"
    wait "$serve"
    [ $? = 0 ] || fail "telepay-acquirer serve does not end cleanly: $(cat acquirer.log)"
    expect 0 "" telepay-acquirer issuer remove banque
    kill "$card" "$issuer"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/online.sh" inside "$dir" || exit 1
echo "online.sh: approved, declined, taken back"
