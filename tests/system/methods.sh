#!/bin/bash
# Cards of every method of offline data authentication pay, by themselves and online, with the programs as a user types them: SDA, DDA, none, and
# CDA with odd lists. Without CDA each payment is its issuer's to check at any amount, and prove, verify and audit say so; what the issuer could not be asked
# about is kept and paid later. And a terminal that gives its capabilities away is refused. In the private network of with-pcscd.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

pay() { printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --currency EUR "$@"; }
reference() { sed -n 's/^Reference *//p' out; }

make_card() { # name, PAN, options…
    local name=$1 pan=$2
    shift 2
    expect 0 "" telepay-perso card "cards/$name" --scheme scheme/ --pan "$pan" --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234 "$@"
    printf '%s' "$pan" | expect 0 "" telepay-issuer account add --dir iss --expiry 2030-12 --balance 200.00 --currency EUR
}

issuer=
serve_issuer() {
    launch issuer.log listening telepay-issuer serve --dir iss
    issuer=$launched
}

# what prove and verify say of the payment in out: its words, those of its evidence
vouched() {
    local rrn
    rrn=$(reference)
    expect 0 "issuer banque under" telepay-acquirer prove "$rrn" --out evidence.json
    grep -qF "the issuer vouches, no signature covers the amount" out || fail "prove: $(cat out)"
    grep -qF "$1" out || fail "prove does not say $1: $(cat out)"
    grep -q "^ok *payee .*, as the issuer approved it" out || fail "prove says of the payee what no signature covers: $(cat out)"
    grep -qF "vouched for: issuer banque approved" out || fail "prove: $(cat out)"
    expect 5 "the issuer vouches, no signature covers the amount" telepay-acquirer verify evidence.json --capk scheme/authority.json
}

inside() {
    local serve method
    cd "$dir" || exit 1
    mkdir cards
    expect 0 "" telepay-perso init scheme/
    expect 0 "" telepay-issuer init iss/ --scheme scheme/ --name banque
    make_card sda 9990140000000106 --method sda
    make_card dda 9990140000000114 --method dda
    make_card none 9990140000000122 --aip 1800
    make_card late 9990140000000155 --method dda
    make_card long 9990140000000130 --aid F000000014101011
    make_card odd 9990140000000148 --cdol1 "9F0208 9F0306 9F1A02 9505 5F2A02 9A03 9C01 9F3704 9F3404 9F3300 9F0603"
    expect 0 "" telepay-issuer acquirer add --dir iss --id 00000000001 --out from-issuer
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
    printf '\n[issuers]\ntimeout = 2\n' >>acq/acquirer.conf
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR
    expect 0 "" telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out terminal/
    sed -i 's/^\[acquirer\]/&\ntimeout=4/' terminal/telepay.conf
    expect 0 "banque" telepay-acquirer issuer add --from from-issuer
    serve_issuer
    launch acquirer.log "is reached" telepay-acquirer serve
    serve=$launched

    for method in sda dda none; do
        insert "cards/$method"
        expect 0 "APPROVED" pay --amount 12.50
        grep -q '^Approval' out || fail "$method: the issuer was not asked: $(cat out)"
        if [ $method = none ]; then # the usual action codes send "not performed" to the issuer at once
            vouched "ARQC "
        else
            vouched "TC "
        fi
        [ $method = none ] || grep -qiF "$method" evidence.json || grep -qi '"\(93\|DF09\)"' evidence.json || fail "$method: no evidence of it"
        expect 0 "APPROVED" pay --amount 60.00
        vouched "ARQC "
    done
    expect 0 "DDA: certificates of issuer" telepay-acquirer prove "$(telepay-acquirer list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["transactions"][2]["rrn"])')"
    expect 0 "of these 6 on the issuer's word" telepay-acquirer audit

    # the issuer is away: the card has signed, the journal keeps it, and it is paid when the issuer is back
    insert cards/late
    kill "$issuer"
    wait "$issuer"
    pause 0.3
    expect 4 "THE CARD HAS SIGNED" pay --amount 5.00
    # it stops to answer: what was asked is taken back, and then asked again
    serve_issuer
    for _ in $(seq 100); do
        telepay journal send --config terminal/telepay.conf >out 2>&1 && break
        pause 0.2
    done
    grep -q acknowledged out || fail "not paid after the issuer came back: $(cat out ./*.log)"
    kill -STOP "$issuer"
    expect 4 "THE CARD HAS SIGNED" pay --amount 6.00
    kill -CONT "$issuer"
    for _ in $(seq 100); do
        telepay journal send --config terminal/telepay.conf >out 2>&1 && break
        pause 0.2
    done
    grep -q acknowledged out || fail "not paid after its question was taken back: $(cat out ./*.log)"
    [ "$(telepay-acquirer list | grep -cE '(^| )6\.00( |$)')" = 1 ] || fail "not counted once: $(telepay-acquirer list)"

    # an AID of eight bytes; lists that cut and fill
    for method in long odd; do
        insert "cards/$method"
        expect 0 "APPROVED" pay --amount 7.00
        expect 0 "proved: the card" telepay-acquirer prove "$(reference)"
    done

    # a terminal that says it has no way to take a PIN, and one registered so
    cp terminal/telepay.conf kept.conf
    sed -i 's/^capabilities = .*/capabilities = 2008C8/' terminal/telepay.conf
    expect 1 "CAPABILITIES" pay --amount 19.99
    cp kept.conf terminal/telepay.conf
    expect 0 "" telepay-acquirer audit
    kill "$serve" "$issuer" "$card"
    wait "$serve"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/methods.sh" inside "$dir" || exit 1
echo "methods.sh: SDA, DDA, none and CDA with odd lists pay"
