#!/bin/bash
# What the tests of a shop's day share, after common.sh: three contracts of one acquirer with terminals t3 (and t9), t4 and t5, cards of Marie and Luc, and their issuer.
# shellcheck disable=SC2034,SC2154 # for those that source this; launched is of common.sh
conf=terminal/telepay.conf
run() { printf 1234 | telepay "$@" --config "$conf" --pin-fd 0 --wait 5; }
pay() { # its reference is then in $rrn, its number in $number
    expect 0 "APPROVED" run pay --currency EUR --amount "$1"
    rrn=$(sed -n 's/^Reference *//p' out)
    number=$(sed -n 's/^Number *//p' out)
}

rendered() { # file: what a printer makes of it, in out
    "$TESTS_SRCDIR/tools/escpos.py" "$1" 44 >out 2>&1 || fail "$(cat out)"
}
cuts() { grep -c -- '^-- cut --$' out; }

serve_acquirer() {
    launch acquirer.log "is reached" telepay-acquirer serve
    serve=$launched
}

set_up() {
    expect 0 "" telepay-perso init scheme/
    expect 0 "" telepay-perso card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234
    expect 0 "" telepay-perso card cards/luc --scheme scheme/ --pan 9990140000000023 --name "MARTIN/LUC" --expiry 2030-12 --pin 1234
    expect 0 "" telepay-issuer init iss/ --scheme scheme/ --name banque
    for pan in 9990140000000015 9990140000000023; do
        printf %s $pan | expect 0 "" telepay-issuer account add --dir iss --expiry 2030-12 --balance 2000.00 --currency EUR
    done
    expect 0 "" telepay-issuer acquirer add --dir iss --id 00000000001 --out from-issuer
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
    expect 2 "needs --credits" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR --refund-without-payment
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR --credits 100.00
    expect 0 "" telepay-acquirer contract add --id 000000000000124 --name "Au Marin" --mcc 5942 --currency EUR --credits 100.00 --refund-without-payment
    expect 0 "" telepay-acquirer contract add --id 000000000000125 --name "Sans retour" --mcc 5942 --currency EUR
    expect 0 "payments" telepay-acquirer contract list
    for n in 3 4 5; do
        expect 0 "" telepay-acquirer terminal add --contract 00000000000012$n --id 0000000$n --out t$n
    done
    expect 0 "" telepay-acquirer terminal add --contract 000000000000123 --id 00000009 --out t9
    ln -s t3 terminal
    expect 0 "banque" telepay-acquirer issuer add --from from-issuer
    launch issuer.log listening telepay-issuer serve --dir iss
    serve_acquirer
}
