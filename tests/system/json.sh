#!/bin/bash
# Every command that prints JSON, run in one demonstration of all programs, and each document held against doc/json.md: each member is listed there and has its form, an amount has its
# currency beside it, an object is at the top, errors are JSON too.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
failures=0
by_purse=000000000000125
of_purse=000000000000777
card_contract=000000000000123
conf=terminal/telepay.conf

j() { # name, exit code, command…: what it prints is kept by that name
    local name=$1 code=$2 got
    shift 2
    "$@" >"said/$name" 2>"said/err"
    got=$?
    [ "$got" = "$code" ] || fail "$*: exit $got, not $code: $(cat said/err "said/$name")"
}
has() { # name, what jq finds true in it
    jq -e "$2" "said/$1" >jq.out 2>&1 || fail "$1 has not $2: $(cat "said/$1")"
}
full() { # command…: it only shows, and what it says is not written
    local got
    "$@" >/dev/full 2>said/err
    got=$?
    [ "$got" = 74 ] && grep -q ": standard output: No space left on device" said/err || fail "$* on a full disk: exit $got: $(cat said/err)"
}
pin() { printf 1234 | telepay "$@" --config $conf --pin-fd 0 --wait 5; }
code() { printf 'let-me-in\n' | telepay "$@" --home home --cacert med/pki/ca.pem --code-fd 0; }
purse() { printf 'let-me-in\n' | telepay purse "$@" --home home --cacert purse/pki/ca.pem --code-fd 0; }

set_up() {
    set_up_acquirer
    expect 0 "" telepay-issuer init iss/ --scheme scheme/ --name banque
    printf 9990140000000015 | expect 0 "" telepay-issuer account add --dir iss --expiry 2030-12 --balance 2000.00 --currency EUR
    expect 0 "" telepay-issuer acquirer add --dir iss --id 00000000001 --out from-issuer
    expect 0 "banque" telepay-acquirer issuer add --from from-issuer
    launch issuer.log listening telepay-issuer serve --dir iss
    expect 0 "" telepay-acquirer contract add --id 000000000000124 --name "Au Marin" --mcc 5942 --currency EUR --credits 100.00
    expect 0 "" telepay-acquirer terminal add --contract 000000000000124 --id 00000001 --out terminal --port 18583
    expect 0 "" telepay-acquirer contract add --id $of_purse --name "Telepay Purse" --mcc 6540 --currency EUR
    further=("$of_purse")
    set_up_mediator
    expect 0 "" telepay-purse init purse --iban FR7630006000011234567890189
    expect 0 "" telepay-purse contract add --id $by_purse --name "Librairie du Port" --currency EUR --iban $bank
    purse_port=18745
    expect 0 "" telepay-purse mediator add --name port --contract $by_purse --out frompurse --url https://127.0.0.1:$purse_port
    expect 0 "" telepay-mediator acquirer add frompurse
    expect 0 "" telepay-mediator service add jp --name shop --contract $card_contract --contract $by_purse
    expect 0 "" telepay-purse trust add --contract $of_purse --authority acq/pki/ca.pem
    expect 0 "" telepay-purse seller add --name port --out seller --url "https://127.0.0.1:$purse_port"
    expect 0 "" telepay-mediator service add seller --name purse --contract $of_purse
    expect 0 "" telepay-centre init centre
    printf '%s\n' "000000000000124 1 2 OPPOSITION" "$by_purse 1 1 OPPOSITION" >refuse
    port=0
    start_centre --refuse refuse
    for whose in acq purse; do
        expect 0 "" telepay-centre acquirer add --dir centre --id "$whose" --out "$whose/centre" --url "https://127.0.0.1:$port"
    done
    serve_purse
    serve_shop
    insert cards/marie
}

# What stands before anything was paid: lists are empty, and are lists.
nothing_yet() {
    j journal-empty 0 telepay journal list --json --config $conf
    has journal-empty '.payments == []'
    j orders-empty 0 telepay order list --json --home home
    j transactions-empty 0 telepay-acquirer list --json
    j collect-empty 0 telepay-acquirer collect --now --json
}

at_the_counter() {
    local rrn
    j readers 0 telepay readers --json
    j doctor 0 telepay readers --doctor --json
    j card 0 telepay card --json --config $conf
    j card-v 0 telepay card -v --json --config $conf
    j apdu 0 telepay-emv apdu --json 00A404000E315041592E5359532E4444463031
    j decode 0 telepay-emv decode --json 9F2701809F360200015F2D02656E
    j decode-fault 2 telepay-emv decode --json 9F2701809F36
    j inspect 0 telepay-perso inspect cards/marie --json
    j pay.events 0 pin pay --currency EUR --amount 12.50 --events --json
    j pay 0 pin pay --currency EUR --amount 20.00 --json --trace kept --trace-unmasked
    j replay 0 telepay pay --replay kept --dry-run --json
    j online 0 pin pay --currency EUR --amount 60.00 --json
    has online '.payment.pan_masked == "999014******0015" and .payment.approval and .card.tvr_bits'
    j declined 1 pin pay --currency EUR --amount 5000.00 --json
    j refund 0 pin refund last --amount 5.00 --json --currency EUR
    has refund '.payment.kind == "refund"'
    j pay-3 0 pin pay --currency EUR --amount 3.00 --json
    j void 0 telepay void last --config $conf --json
    j journal 0 telepay journal list --json --config $conf
    j journal-show 0 telepay journal show last --json --config $conf
    has journal-show '.local_time and (.refund_of == null) and .siret == null'
    j journal-days 0 telepay journal days --json --config $conf
    j journal-send 0 telepay journal send --json --config $conf
    j day 0 telepay day --json --config $conf
    rrn=$(jq -r '.transactions[0].rrn' <(telepay-acquirer list --json))
    j show 0 telepay-acquirer show "$rrn" --json
    j prove 0 telepay-acquirer prove "$rrn" --json
    expect 0 "" telepay-acquirer prove "$rrn" --out evidence.json
    j verify 0 telepay-acquirer verify evidence.json --capk scheme/authority.json --json
}

at_the_mediator() {
    local bought user
    j get 0 get "$origin/s/journal/article-1" && rm said/get
    expect 0 "" telepay authority add --home home purse/pki/ca.pem
    j purse-open 0 purse open --at "https://127.0.0.1:$purse_port" --json
    expect 0 "20.00 EUR are in your account" sh -c "printf 1234 | telepay purse fill 20.00 EUR --at $origin/s/purse --cacert med/pki/ca.pem --home home --pin-fd 0 --wait 5 --up-to '1000 EUR'"
    expect 0 "" code get --means purse --up-to "1000 EUR" "$origin/s/shop/article-1"
    expect 0 "" telepay session start 5.00 EUR --home home
    expect 0 "" code get --means purse --up-to "1000 EUR" "$origin/s/shop/article-1?more"
    j session 0 telepay session show --json --home home
    has session '.reservations[0].provision == "5.00"'
    j order-list 0 telepay order list --json --home home
    bought=$(jq -r '[.orders[] | select(.state == "acknowledged")][-1].order' said/order-list)
    j order-show 0 telepay order show "$bought" --json --home home
    j order-prove 0 telepay order prove "$bought" --json --home home
    has order-prove '.amount == "1.50" and .currency == "EUR"'
    j order-send 0 telepay order send --json --home home --cacert med/pki/ca.pem
    j balance 0 purse balance --json
    j history 0 purse history --json
    j purse-list 0 telepay purse list --json --home home
    j authority-list 0 telepay authority list --json --home home
    expect 0 "" telepay plan set --home home --means emv --up-to "20 EUR" --unasked "5 EUR"
    j plan 0 telepay plan --json --home home
    has plan '[.plan[] | select(.means == "emv").up_to] == [{"amount": "20.00", "currency": "EUR"}]'
    j user-list 0 telepay user list --json --home home
    user=$(code identify --at "$origin")
    printf '[2026-11-0042]\nuser = %s\nprice = 42.00 EUR\nuntil = 2036-12-31\n' "$user" >journal/bills.ini
    j bill-list 0 code bill list --at "$origin/bills/journal" --identify --json
    has bill-list '.bills[0].amount == "42.00"'
    j dispute-open 0 code dispute open "$bought" --reason not-as-described --words "It is torn" --json
    j dispute-show 0 telepay dispute show "$bought" --cacert med/pki/ca.pem --home home --json
    j dispute-list 0 telepay dispute list --json --home home
    j mediator-dispute-list 0 telepay-mediator dispute list --json
    j mediator-dispute-show 0 telepay-mediator dispute show "$bought"
    j mediator-order-list 0 telepay-mediator order list --json
    j mediator-order-show 0 telepay-mediator order show "$bought"
    has mediator-order-show '.amount == "1.50" and .attempts[0].local_time'
    j mediator-contracts 0 telepay-mediator contract list --json
    j mediator-services 0 telepay-mediator service list --json
    j mediator-status 0 telepay-mediator status --json
    j service-check 0 telepay-service check --dir journal --json
    j service-list 0 telepay-service list --dir journal --json
    j service-accounts 0 telepay-service account list --dir journal --json
    j service-mediators 0 telepay-service mediator list --dir journal --json
    j purse-payments 0 telepay-purse list --json
    j purse-status 0 telepay-purse status --json
    j purse-accounts 0 telepay-purse account list --json
    j purse-account 0 telepay-purse account show --account "$(jq -r '.accounts[0].account' said/purse-accounts)" --json
    for list in contract mediator seller trust remise; do
        j purse-$list 0 telepay-purse $list list --json
    done
}

at_the_books() {
    echo 4711 | telepay-issuer script queue change-pin --dir iss --pan 9990140000000015 >out 2>&1 || fail "script queue: $(cat out)"
    for list in account script acquirer; do
        j issuer-$list 0 telepay-issuer $list list --json --dir iss
    done
    j issuer-authorisations 0 telepay-issuer list --json --dir iss
    printf 'key=0123456789ABCDEFFEDCBA9876543210\n' >keys
    printf 9990140000000098 | expect 0 "" telepay-acquirer opposition add --reason lost --any-check-digit
    expect 5 "63, ISSUER" replayed
    j collect 1 telepay-acquirer collect --now --json
    has collect '[.remises[] | select(.refused == 1)] | length == 1'
    j remise-list 0 telepay-acquirer remise list --json
    j remise-show 0 telepay-acquirer remise show 1 --contract 000000000000124 --json
    for list in contract terminal issuer opposition suspense mediator authority; do
        j acquirer-$list 0 telepay-acquirer $list list --json
    done
    j transactions 0 telepay-acquirer list --json
    j authorisations 0 telepay-acquirer authorisations --json
    j refusals 0 telepay-acquirer refusals --json
    has refusals '.refusals[0].pan_masked and .refusals[0].at'
    j audit 0 telepay-acquirer audit --json
    j purse-collect 1 telepay-purse collect --json
    j purse-suspense 0 telepay-purse suspense list --json
    j purse-remises 0 telepay-purse remise list --json
    j centre-list 0 telepay-centre list --dir centre --json
    j centre-show 0 telepay-centre show 000000000000124 1 --dir centre --json
    has centre-show '[.items[] | select(.accepted | not)] | length == 1'
    j centre-show-accounts 0 telepay-centre show $by_purse 1 --dir centre --json
    j centre-contracts 0 telepay-centre contract list --dir centre --json
    j centre-alarms 0 telepay-centre alarms --dir centre --json
}
replayed() { # the same card with its counter as it was at first
    telepay-perso card cards/old --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234 && insert cards/old && pin pay --currency EUR --amount 1.00
}

# What has done something has done it, whether that is written or not; what only shows something has failed.
paid_on_full_disk() {
    local form count
    count=$(telepay journal list --config $conf --json | jq '[.payments[] | select(.state == "acknowledged")] | length')
    for form in "" --json; do
        # shellcheck disable=SC2086
        pin pay --currency EUR --amount 1.00 $form >/dev/full 2>said/err || fail "pay $form: exit $?: $(cat said/err)"
        grep -q "journal list. shows what was paid" said/err || fail "pay $form says nothing: $(cat said/err)"
        # shellcheck disable=SC2086
        telepay void last --config $conf $form >/dev/full 2>said/err || fail "void $form: exit $?: $(cat said/err)"
        grep -q "standard output: No space left on device" said/err || fail "void $form says nothing: $(cat said/err)"
    done
    [ "$(telepay journal list --config $conf --json | jq '[.payments[] | select(.state == "acknowledged")] | length')" = "$count" ] || fail "not taken back: $(telepay journal list --config $conf)"
}
full_disk() {
    local rrn order form
    rrn=$(jq -r '.transactions[0].rrn' said/transactions)
    order=$(jq -r '[.orders[] | select(.state == "acknowledged")][-1].order' said/order-list)
    for form in "" --json; do
        # shellcheck disable=SC2086 # a word, or none
        {
            full telepay readers $form
            full telepay card $form --config $conf
            full telepay journal list $form --config $conf
            full telepay journal show last $form --config $conf
            full telepay journal days $form --config $conf
            full telepay order list $form --home home
            full telepay order show "$order" $form --home home
            full telepay order prove "$order" $form --home home
            full telepay dispute list $form --home home
            full telepay dispute show "$order" $form --cacert med/pki/ca.pem --home home
            full telepay purse list $form --home home
            full purse balance $form
            full telepay session show $form --home home
            full telepay plan $form --home home
            full telepay user list $form --home home
            full telepay-acquirer show "$rrn" $form
            full telepay-acquirer prove "$rrn" $form
            full telepay-acquirer verify evidence.json --capk scheme/authority.json $form
            full telepay-acquirer remise show 1 --contract $card_contract $form
            full telepay-acquirer authorisations $form
            full telepay-acquirer audit $form
            full telepay-mediator status $form
            full telepay-mediator order list $form
            full telepay-purse status $form
            full telepay-purse audit $form
            full telepay-purse list $form
            full telepay-purse account show --account "$(jq -r '.accounts[0].account' said/purse-accounts)" $form
            full telepay-service check --dir journal $form
            full telepay-centre list --dir centre $form
            full telepay-centre show $card_contract 1 --dir centre $form
            full telepay-issuer list --dir iss $form
            full telepay-perso inspect cards/marie $form
        }
    done
    full telepay-mediator order show "$order"
    full telepay-mediator order prove "$order"
    full telepay-mediator dispute show "$order"
    full telepay-mediator status --metrics
}

# A thing that is asked for and is not there is an error, in JSON too, and nothing else is printed.
nothing_such() {
    remove
    j error-card 3 telepay card --json --config $conf --wait 0
    j error-journal 2 telepay journal show 999999 --json --config $conf
    j error-void 2 telepay void 999999 --json --config $conf
    j error-day 2 telepay day --json --config $conf --date 1999-01-01
    j error-order 2 telepay order show aaaaaaaaaaaaaaaaaaaaaaaaaa --json --home home
    j error-purse 2 telepay purse balance --purse NONE --json --home home
    j error-config 2 telepay journal list --json --config nowhere/telepay.conf
    j error-show 2 telepay-acquirer show 999999999999 --json
    j error-prove 2 telepay-acquirer prove 999999999999 --json
    j error-remise 2 telepay-acquirer remise show 9 --contract $card_contract --json
    j error-list 2 telepay-acquirer list --state eaten --json
    j error-audit 2 telepay-acquirer audit --json --dir nowhere
    j error-mediator-order 2 telepay-mediator order show aaaaaaaaaaaaaaaaaaaaaaaaaa
    j error-mediator-dispute 2 telepay-mediator dispute show aaaaaaaaaaaaaaaaaaaaaaaaaa
    j error-purse-account 2 telepay-purse account show --account nobody --json
    j error-centre 2 telepay-centre show $card_contract 99 --dir centre --json
    j error-issuer 2 telepay-issuer list --json --dir nowhere
    j error-service 2 telepay-service list --json --dir nowhere
    j error-inspect 2 telepay-perso inspect nowhere --json
    j error-decode 2 telepay-emv decode --json --tag 95
    has error-show '.error.code == "not_found"'
    j pay-no-card 3 telepay pay --json --config $conf --currency EUR --amount 1.00 --wait 0
    has pay-no-card '.error.code == "no_card" and .payment == null'
    j no-card.events 3 telepay pay --events --config $conf --currency EUR --amount 1.00 --wait 0
}

inside() {
    cd "$dir" || exit 1
    mkdir said
    set_up
    nothing_yet
    at_the_counter
    at_the_mediator
    paid_on_full_disk
    at_the_books
    full_disk
    nothing_such
    rm -f said/err
    "$TESTS_SRCDIR/tools/check_json.py" "$TESTS_SRCDIR/../doc/json.md" said/* || failures=$((failures + 1))
    # a member that is not listed is found
    sed '/^| .pan_masked. /d' "$TESTS_SRCDIR/../doc/json.md" >fewer
    "$TESTS_SRCDIR/tools/check_json.py" fewer said/journal-show >out && fail "a member that is not listed passes"
    said "journal-show: the member pan_masked is not listed"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    verdict
fi
own_folder
"$here/with-pcscd" "$here/json.sh" inside "$dir"
