#!/bin/bash
# Cards by elliptic curves pay with the programs as a user types them, of P-256 and of P-521, with a PIN enciphered by ODE: by themselves, online, and for a
# page through a mediator; the acquirer proves what they signed. One whose signature fails pays by its issuer's word alone, or not at all. In the private network of with-pcscd.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "${TESTS_SRCDIR:?}/system/mediator_common.sh"

pay() { printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --currency EUR "$@"; }
reference() { sed -n 's/^Reference *//p' out; }

make_card() { # name, PAN, options…
    local name=$1 pan=$2
    shift 2
    expect 0 "" telepay-perso card "cards/$name" --scheme scheme/ --pan "$pan" --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234 "$@"
    printf '%s' "$pan" | expect 0 "" telepay-issuer account add --dir iss --expiry 2030-12 --balance 200.00 --currency EUR
}

proved() { # words that prove must say; the evidence is verified as a file too
    local rrn
    rrn=$(reference)
    expect 0 "proved: the card 999014" telepay-acquirer prove "$rrn" --out evidence.json
    grep -qF "$1" out || fail "prove does not say $1: $(cat out)"
    grep -qF "as signed" out || fail "prove: $(cat out)"
    expect 0 "" telepay-acquirer verify evidence.json --capk scheme/authority.json
}

# one tag of evidence.json with a digit changed
altered() { # tag, position of the digit
    python3 - "$@" <<'END'
import json, sys
evidence = json.load(open("evidence.json"))
tags = evidence["tags"] if "tags" in evidence else evidence["vectors"]
value, at = tags[sys.argv[1]], int(sys.argv[2])
tags[sys.argv[1]] = value[:at] + ("1" if value[at] == "0" else "0") + value[at + 1:]
json.dump(evidence, open("other.json", "w"))
END
}

whole_suite() {
    local suite=$1 trace change
    rm -rf scheme iss from-issuer acq terminal cards evidence.json
    mkdir cards
    expect 0 "elliptic curves: authority key 02, suite $suite" telepay-perso init scheme/ --suite "$suite"
    expect 0 "" telepay-issuer init iss/ --scheme scheme/ --name banque
    make_card alone 9990140000000106 --method xda --cvm enciphered-pin
    make_card both 9990140000000114 --method cda,xda --cvm enciphered-pin
    make_card plain 9990140000000130 --method xda
    expect 2 "one application" telepay-perso card cards/two --scheme scheme/ --pan 9990140000000122 --expiry 2030-12 --pin 1234 --method xda --also F000000014101001:OTHER
    expect 0 "" telepay-issuer acquirer add --dir iss --id 00000000001 --out from-issuer
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR
    expect 0 "" telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out terminal/
    expect 0 "banque" telepay-acquirer issuer add --from from-issuer
    expect 0 "02" telepay-acquirer authority list
    launch issuer.log listening telepay-issuer serve --dir iss
    issuer=$launched
    launch acquirer.log "is reached" telepay-acquirer serve
    serve=$launched

    insert cards/alone
    expect 0 "Authentication   XDA" telepay card
    expect 0 "APPROVED" pay --amount 12.50
    grep -q '^Signature  *XDA$' out || fail "not signed by XDA: $(cat out)"
    said 'Enciphered PIN verification performed by ICC: Successful'
    ! grep -q '^Approval' out || fail "the issuer was asked: $(cat out)"
    proved "XDA: certificates of issuer 999014 and card"
    for change in "90 60 ISSUER_CERT_SIGNATURE" "9F46 200 ICC_CERT_SIGNATURE" "9F46 40 ICC_CERT_HASH" "DF01 20 " "DF03 10 XDA_SIGNATURE" "DF02 1 XDA_SIGNATURE" "DF05 14 "; do
        # shellcheck disable=SC2086
        set -- $change
        altered "$1" "$2"
        expect 5 "${3-}" telepay-acquirer verify other.json --capk scheme/authority.json
    done
    expect 0 "APPROVED" pay --amount 60.00 # over the floor: the issuer, who is asked with a signature too
    grep -q '^Approval' out || fail "the issuer was not asked: $(cat out)"
    proved "cryptogram     ARQC"

    expect 0 "good: signed with that key" telepay card -v --config terminal/telepay.conf
    said "algorithm suite $suite"
    insert cards/both
    expect 0 "APPROVED" pay --amount 7.00
    proved "XDA: certificates"
    # its trace, masked and not, runs again without a card
    expect 0 "APPROVED" pay --amount 7.10 --trace masked
    expect 0 "APPROVED" pay --amount 7.20 --trace unmasked --trace-unmasked
    for trace in masked unmasked; do
        expect 0 "Authentication as then: method=XDA ok=yes" telepay pay --dry-run --replay $trace
        expect 0 "The strongest in common is taken: XDA." telepay explain $trace
        said "certificate (90) is right: signed with"
        said "The card's signature (9F4B) is right"
    done
    # the same card at a terminal of before, which the acquirer takes still
    cp terminal/telepay.conf kept.conf
    sed -i 's/^capabilities = .*/capabilities = 2098C8/' terminal/telepay.conf
    expect 0 "APPROVED" pay --amount 7.50
    grep -q '^Signature  *CDA$' out || fail "not signed by CDA: $(cat out)"
    proved "signature and transaction data hash are right"
    cp kept.conf terminal/telepay.conf

    # what the terminal finds wrong after the card has signed: the issuer is asked, holding a TC, and refuses it
    insert cards/both --fault wrong-sdad
    expect 1 "REFUSED BY THE ISSUER" pay --amount 8.00 --trace wrong
    grep -q '^TVR / TSI  *0100000100 / E800$' out || fail "not the TVR of a signature that fails: $(cat out)"
    grep -q '^TC  ' out || fail "the card gave no TC: $(cat out)"
    expect 0 "TVR byte 4 bit 1 is set, XDA signature verification failed: the signature" telepay explain wrong
    unsaid "signature (9F4B) is right"
    expect 0 "ODA_FAILED" telepay-issuer list --dir iss
    # the authority's key is missing at the terminal: its issuer checks the cryptogram, and approves
    insert cards/plain --fault unknown-index
    expect 0 "APPROVED" pay --amount 9.00 --trace keyless
    expect 0 "the issuer vouches, no signature covers the amount" telepay-acquirer prove "$(reference)"
    expect 0 "TVR byte 5 bit 3 is set, CA ECC key missing: the terminal" telepay explain keyless
    expect 0 "" telepay-acquirer audit
    kill "$serve" "$issuer" "$card"
    wait "$serve" "$issuer"
}

# a page, through a mediator: the evidence passes by it unchanged
mediated() {
    local rrn
    rm -rf scheme acq cards evidence.json
    expect 0 "" telepay-perso init scheme/ --suite 11
    expect 0 "" telepay-perso card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234 --method cda,xda --cvm enciphered-pin
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR
    set_up_mediator
    serve_shop
    insert cards/marie
    expect 0 "paid 1.50 EUR to Librairie du Port" get -o article.html $origin/s/journal/article-1
    grep -q "first article" article.html || fail "the page is not it: $(cat article.html)"
    rrn=$(telepay-acquirer list --json | jq -r '.transactions[0].rrn')
    expect 0 "proved: the card 999014" telepay-acquirer prove "$rrn" --out evidence.json
    grep -qF "XDA: certificates of issuer 999014 and card" out || fail "prove: $(cat out)"
    expect 0 "" telepay-acquirer verify evidence.json --capk scheme/authority.json --authority acq/pki/ca.pem
    kill "$acquirer" "$service" "$mediator" "$card"
    wait "$acquirer" "$service" "$mediator"
}

inside() {
    cd "$dir" || exit 1
    whole_suite 10
    whole_suite 11
    mediated
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/xda.sh" inside "$dir" || exit 1
echo "xda.sh: cards of P-256 and P-521 pay, with ODE, at the counter and for a page"
