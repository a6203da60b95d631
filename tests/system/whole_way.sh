#!/bin/bash
# The whole way once, with the programs as a user types them: a card behind pcscd pays, the acquirer proves and keeps it, the remise is collected.
# All in the private network of with-pcscd, so that the usual ports are free.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

pay() { printf '%s' "${pin-1234}" | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 "$@"; }

inside() {
    local serve rrn
    cd "$dir" || exit 1
    expect 0 "" telepay-perso init scheme/
    expect 0 "" telepay-perso card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR
    expect 0 "" telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out terminal/
    sed -i 's/^\[acquirer\]/&\ntimeout=2/' terminal/telepay.conf # seconds; 15 would only make the test slow
    expect 0 "" telepay-centre init centre/
    expect 0 "" telepay-centre acquirer add --dir centre --id 12345678901 --out acq/centre
    launch centre.log listening telepay-centre serve --dir centre
    mkdir documents
    python3 "$here/../tools/recording_proxy.py" centre acq/centre documents >proxy.log 2>&1 &
    until_said '[0-9]' proxy.log
    sed -i "s|^url = .*|url = https://127.0.0.1:$(cat proxy.log)|" acq/centre/centre.conf
    insert cards/marie

    # no acquirer yet: signed, kept; delivered by the next payment
    expect 4 "THE CARD HAS SIGNED" pay --amount 3.00 --currency EUR
    launch acquirer.log listening telepay-acquirer serve
    serve=$launched
    expect 0 "APPROVED" pay --amount 12.50 --currency EUR
    rrn=$(sed -n 's/^Reference *//p' out)
    expect 0 "$rrn" telepay-acquirer list
    expect 0 "999014******0015" telepay-acquirer show "$rrn"
    expect 0 "contract 000000000000123, terminal 00000001 at acquirer" telepay-acquirer prove "$rrn"
    expect 0 "T0000001" telepay-acquirer terminal list # what is needed to mend a configuration of before
    telepay-acquirer prove "$rrn" --out evidence.json >/dev/null
    expect 0 "payee" telepay-acquirer verify evidence.json --capk scheme/authority.json
    sed 's/"contract": "000000000000123"/"contract": "000000000000124"/' evidence.json >other.json
    expect 5 "SIGNED_PAYEE" telepay-acquirer verify other.json --capk scheme/authority.json
    grep -v '^id = [0-9A-F]\{16\}$' terminal/telepay.conf >terminal/before.conf
    expect 2 "does not say whom the card pays" telepay pay --amount 1 --currency EUR --config terminal/before.conf
    expect 2 "terminal list" telepay pay --amount 1 --currency EUR --config terminal/before.conf
    expect 0 "$rrn" telepay journal list --config terminal/before.conf # what was paid can be read all the same
    expect 0 "everything is delivered" telepay journal send --config terminal/telepay.conf
    expect 0 "15.50" telepay journal days --config terminal/telepay.conf

    # signed while the acquirer was away, then another that reaches it: the one that was signed first goes first
    kill "$serve"
    wait "$serve"
    expect 4 "THE CARD HAS SIGNED" pay --amount 5.00 --currency EUR
    remove
    pay --amount 6.00 --currency EUR --wait 20 >late.out 2>&1 &
    local late=$!
    pause 1 # it has found no acquirer, and waits for a card
    launch acquirer.log listening telepay-acquirer serve
    serve=$launched
    : >card.log
    telepay-simcard cards/marie >card.log 2>&1 &
    card=$!
    wait "$late" || fail "the later payment: $(cat late.out)"
    grep -q APPROVED late.out || fail "the later payment: $(cat late.out)"
    for amount in 5.00 6.00; do
        [ "$(telepay-acquirer list | grep -cE "(^| )$amount( |$)")" = 1 ] || fail "$amount is not there once: $(telepay-acquirer list; cat late.out acquirer.log)"
    done
    expect 0 "everything is delivered" telepay journal send --config terminal/telepay.conf

    # over the floor: the card wants its issuer, who is not reached, and declines
    expect 1 "DECLINED" pay --amount 60.00 --currency EUR

    # a payment whose acquirer is killed before it answers is counted once
    kill -STOP "$serve"
    expect 4 "THE CARD HAS SIGNED" pay --amount 4.00 --currency EUR
    kill -CONT "$serve"
    expect 0 "acknowledged" telepay journal send --config terminal/telepay.conf
    [ "$(telepay-acquirer list | grep -cE '(^| )4\.00( |$)')" = 1 ] || fail "not counted once: $(telepay-acquirer list)"

    # the same ATC again
    expect 0 "" telepay-perso card cards/old --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234
    insert cards/old
    pause 1
    expect 5 "ATC_REPLAYED" pay --amount 1.00 --currency EUR
    expect 0 "ATC_REPLAYED" telepay-acquirer refusals
    grep -q '1\.00.*999014\*\*\*\*\*\*0015.*63' out || fail "the refusal is not whole: $(cat out)"
    expect 0 '"answer": "63"' telepay-acquirer refusals --json

    # refused only when it is delivered: whoever delivers hears of it
    kill "$serve"
    wait "$serve"
    expect 4 "THE CARD HAS SIGNED" pay --amount 1.10 --currency EUR
    launch acquirer.log listening telepay-acquirer serve
    serve=$launched
    expect 1 "is refused, and nothing of it is paid" telepay journal send --config terminal/telepay.conf
    expect 0 "everything is delivered" telepay journal send --config terminal/telepay.conf
    kill "$card"

    expect 0 "" telepay-acquirer collect --now
    expect 0 "" telepay-centre list --dir centre
    grep -q "000000000000123" out || fail "the remise is not at the centre: $(cat out)"
    expect 0 "validates" "$here/valid-documents.sh" documents
    expect 0 "" telepay-acquirer audit
    expect 0 "" "$here/no-plain-pan.py" acq centre terminal
    kill "$serve"
    wait "$serve"
    [ $? = 0 ] || fail "telepay-acquirer serve does not end cleanly: $(cat acquirer.log)"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/whole_way.sh" inside "$dir" || exit 1
echo "whole_way.sh: paid, proved, collected"
