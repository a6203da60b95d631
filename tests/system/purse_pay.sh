#!/bin/bash
# A payer device, a mediator, a purse, a service and an acquirer of cards, all as people run them: an account is opened and filled, orders are paid from it without a
# card, by `get`, by `pay --order`, by other clients and the agent's way; what is refused says why, what is lost is settled once, what is not delivered comes back.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
by_card=000000000000123
by_purse=000000000000125
of_purse=000000000000777 # the purse's own, where it sells credit for cards
purse_port=18745
shop=$origin/s/shop

purse() { printf 'let-me-in\n' | telepay purse "$@" --home home --cacert purse/pki/ca.pem --code-fd 0; }
by_purse() { printf 'let-me-in\n' | telepay "$@" --cacert med/pki/ca.pem --home home --code-fd 0 --patience "${patience-60}" --up-to "1000 EUR"; }
holds() {
    local got
    got=$(purse balance --json | jq -r '.balances[0].balance')
    [ "$got" = "$1" ] || fail "the purse holds $got, not $1: $(heard)"
}
kept() { telepay order list --home home --json | jq -r '[.orders[] | .state + (if .delivered then "+" else "" end)] | join(" ")'; }
of_order() { # what the mediator says of it, or of the payer's last one: its list knows no order within a second
    local order=${2-$(telepay order list --home home --json | jq -r '.orders[0].order')}
    telepay-mediator order list --json | jq -r --arg order "$order" ".orders[] | select(.order == \$order) | .$1"
}
order_url() { ask -o body -H 'Accept: application/json' "$1" && jq -r .order body; } # a new one's
until_state() {
    local left
    for left in {600..0}; do
        [ "$(of_order state "${@:2}")" = "$1" ] && return
        [ "$left" = 0 ] || pause 0.05
    done
    fail "the order is $(of_order state "${@:2}"), not $1: $(tail -5 mediator.log purse.log)"
}

set_up() {
    set_up_acquirer
    expect 0 "" telepay-acquirer contract add --id $of_purse --name "Telepay Purse" --mcc 6540 --currency EUR
    further=("$of_purse")
    set_up_mediator # and journal, by card alone
    expect 0 "made the purse" telepay-purse init purse --iban FR7630006000011234567890189
    expect 0 "is open" telepay-purse contract add --id $by_purse --name "Librairie du Port" --currency EUR --iban $bank
    expect 0 "is in frompurse" telepay-purse mediator add --name port --contract $by_purse --out frompurse --url https://127.0.0.1:$purse_port
    expect 0 "1 contract" telepay-mediator acquirer add frompurse
    expect 0 "contract $by_card, $by_purse" telepay-mediator service add jp --name shop --contract $by_card --contract $by_purse
    expect 0 "" telepay-service init liar
    expect 0 "" telepay-service mediator add --dir liar --id port --out lp --url https://127.0.0.1:18744
    cp liar/pki/server.pem liar/pki/server.key liar/ && cp lp/client.pem liar/mediator.pem || fail "no credentials for the liar"
    expect 0 "" telepay-mediator service add lp --name liar --contract $by_purse
    launch liar.log listening python3 "$here/../tools/lying_service.py" liar 18744
    expect 0 "fills accounts" telepay-purse trust add --contract $of_purse --authority acq/pki/ca.pem
    expect 0 "may sell credit" telepay-purse seller add --name port --out seller --url "https://127.0.0.1:$purse_port"
    expect 0 "contract $of_purse" telepay-mediator service add seller --name purse --contract $of_purse
    serve_purse
    serve_shop
}

account() {
    insert cards/marie
    # somebody without an account: the card pays, and by purse it says how one comes to it
    expect 0 "first article" get $shop/article-1
    expect 5 "certificate" by_purse get --means purse $shop/article-1
    expect 0 "" telepay authority add --home home purse/pki/ca.pem
    expect 1 "telepay purse open --at https://127.0.0.1:$purse_port" by_purse get --means purse $shop/article-1
    expect 0 "is open, in EUR" purse open --at "https://127.0.0.1:$purse_port"
    light_key home/device.jwk let-me-in
    account=$(telepay purse list --home home --json | jq -r '.purses[0].account')
    # by card, through the mediator, as anything that it sells
    fills() { printf 1234 | telepay purse fill "$@" --cacert med/pki/ca.pem --home home --pin-fd 0 --wait 5 --up-to "1000 EUR"; }
    expect 2 "say where the purse sells its credit" fills 20.00 EUR
    expect 2 "is in EUR" fills 20.00 USD --at "$origin/s/purse"
    expect 0 "20.00 EUR are in your account at the purse" fills 20.00 EUR --at "$origin/s/purse"
    said "paid 20.00 EUR to telepay purse"
    holds 20.00
    # the credit stays where it is: the card is not given back beside it
    printf 'let-me-in\n' | telepay dispute open "$(of_order order)" --reason not-as-described --home home --cacert med/pki/ca.pem --code-fd 0 >disputed 2>&1 || fail "no dispute: $(cat disputed)"
    expect 2 "credit on an account, and stays there" telepay-mediator dispute settle "$(of_order order)"
    expect 22 "answered 404" fills 1001.00 EUR --at "$origin/s/purse" # more than any may hold: it is not sold
    holds 20.00
    remove
}

buying() {
    local url before
    before=$(paid)
    expect 0 "paid 1.50 EUR to Librairie du Port, reference" by_purse get --means purse $shop/article-1
    said "first article"
    [ "$(kept)" = "acknowledged+ acknowledged+ acknowledged+" ] || fail "$(kept)"
    holds 18.50
    expect 0 "PURSE PAYMENT" telepay order show --home home "$(of_order order)"
    expect 0 "is acknowledged, reference" telepay order prove --home home "$(of_order order)"
    expect 0 "paid by purse: account $account" telepay-mediator order prove "$(of_order order)"
    # the card first, as the plan has it; there is none, and the plan is changed
    expect 3 "" by_purse get --wait 0 $shop/article-1?plan
    expect 0 "" telepay plan set --home home --means purse --first
    expect 0 "first article" by_purse get $shop/article-1?plan
    # an order that a page shows
    url=$(order_url "$shop/article-1?page")
    expect 0 "APPROVED" by_purse pay --order "$url"
    said "PURSE PAYMENT"
    until_state delivered
    expect 2 "it is" by_purse pay --order "$url"
    holds 15.50
    # another client: curl pays with what telepay credential makes of all that is offered
    ask -o /dev/null -D - "$shop/article-1?curl" | tr -d '\r' | grep -i '^www-authenticate:' >challenges
    [ "$(wc -l <challenges)" = 3 ] || fail "not three challenges: $(cat challenges)"
    printf 'let-me-in\n' >typed
    bought=$(telepay credential --header --cacert med/pki/ca.pem --home home --code-fd 3 --up-to "1000 EUR" 3<typed <challenges 2>credential.log) || fail "$(cat credential.log)"
    expect 0 "first article" pay "$shop/article-1?curl"
    holds 14.00
    [ "$(paid)" = "$before" ] || fail "the card paid, too"
    expect 0 "4.50 EUR  4 orders, and 1.50 of which" telepay session --home home
}

# From a page, by the agent, whose window asks for the yes and the code; no reader is needed.
from_a_page() {
    local order
    mkdir person
    printf '#!/bin/sh\nexec "%s" "%s"\n' "$here/../tools/pinentry_double.py" "$dir/person" >person/pinentry
    chmod +x person/pinentry
    printf 'CONFIRM yes\nGETPIN let-me-in\n' >person/does
    launch agent.log listening telepay agent --home home --cacert med/pki/ca.pem --pinentry "$dir/person/pinentry" --means purse
    order=$(order_url "$shop/article-1?agent")
    [ "$(curl -s --max-time 20 -o /dev/null -w '%{http_code}' -G --data-urlencode "order=$order" -H 'Sec-Fetch-Mode: navigate' http://127.0.0.1:27502/pay)" = 303 ] ||
        fail "the agent does not pay: $(cat agent.log)"
    until_state delivered "${order##*/}"
    grep -q "Pay 1.50 EUR from your purse at telepay purse" person/shown || fail "what was asked: $(cat person/shown)"
    grep -q "Code of the key of default" person/shown || fail "the code was not asked for: $(cat person/shown)"
    kill "$launched"
    wait "$launched"
    holds 12.50
}

refused() {
    local before
    expect 0 "leave your account" purse empty 11.50 EUR --iban $bank --name Marie --yes
    before=$(paid)
    expect 1 "the purse holds less than that: telepay purse fill (51, BALANCE)" by_purse get "$shop/article-1?poor"
    [ "$(kept | cut -d' ' -f1)" = refused ] || fail "$(kept)"
    expect 0 "is refused" telepay order prove --home home "$(of_order order)"
    holds 1.00
    insert cards/marie # the same order may be paid by card
    expect 0 "first article" get --means emv "$shop/article-1?poor"
    remove
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times by card"
    expect 0 "came into" telepay-purse account fill --account "$account" --amount 30.00 --reference T2
    expect 0 "is stopped" telepay-purse account stop --account "$account" --reason "key lost"
    expect 1 "the account is stopped" by_purse get "$shop/article-1?stopped"
    expect 0 "is open" telepay-purse account open --account "$account"
    telepay plan set --home home --means purse --up-to "1.00 EUR" >/dev/null || fail "plan set"
    expect 1 "your plan pays by purse up to 1.00 EUR" by_purse get --means purse "$shop/article-1?plan2"
    telepay plan set --home home --means purse --up-to none >/dev/null || fail "plan set"
    holds 31.00
}

# The purse is away, the mediator is killed, the answer is lost: nobody pays again, and it is paid once.
lost() {
    local at="$shop/article-1?lost" before
    kill -STOP "$purse"
    patience=3 expect 4 "YOUR KEY HAS SIGNED" by_purse get "$at"
    patience=2 expect 4 "not paid again" by_purse get "$at"
    kill -KILL "$mediator" "$purse"
    wait "$mediator" "$purse" 2>/dev/null
    serve_purse
    serve_mediator
    reached
    expect 0 "first article" by_purse get "$at"
    holds 29.50
    before=$(kept)
    expect 0 "everything is settled" telepay order send --home home --cacert med/pki/ca.pem
    [ "$(kept)" = "$before" ] || fail "$(kept)"
    # killed at any instant: what was taken is delivered in the end, and taken once
    for n in 1 2 3 4 5 6; do
        printf 'let-me-in\n' >typed
        telepay get --cacert med/pki/ca.pem --home home --code-fd 0 --up-to "1000 EUR" "$shop/article-1?killed=$n" <typed >killed.log 2>&1 &
        payer=$!
        nap 500
        kill -KILL $payer 2>/dev/null
        wait $payer 2>/dev/null
        grep -q 'first article' killed.log || expect 0 "first article" by_purse get "$shop/article-1?killed=$n"
    done
    holds 20.50
}

# What is not delivered goes back to the purse.
undelivered() {
    local before
    before=$(purse balance --json | jq -r '.balances[0].balance')
    expect 4 "is not delivered" by_purse get "$origin/s/liar/deliver-410"
    until_state reversed
    holds "$before"
    [ "$(kept | cut -d' ' -f1)" = reversed ] || fail "$(kept)"
}

# What is reserved at the mediator pays page after page without the purse and without asking; in the end what was spent is drawn, once.
in_session() {
    local before left n order
    quietly() { printf 'let-me-in\n' | setsid telepay get --cacert med/pki/ca.pem --home home --code-fd 0 "$@"; }
    at_session() { printf 'let-me-in\n' | telepay session "$@" --cacert med/pki/ca.pem --home home --code-fd 0; }
    stands() { purse balance --json | jq -r '.balances[0] | .balance + " " + .reserved'; }
    before=$(purse balance --json | jq -r '.balances[0].balance')
    expect 0 "reserves 5.00 EUR at its mediator" at_session start 5.00 EUR
    expect 2 "no terminal to ask on" quietly "$shop/article-1?session" # not yet
    expect 0 "first article" by_purse get --means purse "$shop/article-1?session"
    expect 0 "" telepay plan set --home home --means emv --first # a session that is open goes before
    expect 0 "5.00 EUR from the purse" telepay session --home home
    said "open, at $origin until"
    [ "$(stands)" = "$(bc <<<"$before - 6.50") 5.00" ] || fail "it stands at $(stands), of $before"
    kill -STOP "$purse" # who need not be asked
    for n in 1 2; do expect 0 "first article" quietly "$shop/article-1?session=$n"; done
    kill -KILL "$mediator"
    wait "$mediator" 2>/dev/null
    serve_mediator
    # a page that leads to the agent may do so for an order of anybody: its window asks, in a session too
    printf 'CONFIRM no\nGETPIN let-me-in\n' >person/does
    : >person/shown
    launch agent.log listening telepay agent --home home --cacert med/pki/ca.pem --pinentry "$dir/person/pinentry" --means purse
    order=$(order_url "$shop/article-1?session=agent")
    [ "$(curl -s --max-time 20 -o /dev/null -w '%{http_code}' -G --data-urlencode "order=$order" -H 'Sec-Fetch-Mode: navigate' http://127.0.0.1:27502/pay)" = 303 ] ||
        fail "the agent does not pay: $(cat agent.log)"
    for left in {100..0}; do
        grep -q "Pay 1.50 EUR from your purse" person/shown && break
        [ "$left" = 0 ] && fail "a page's order is paid without a yes: $(cat person/shown)"
        pause 0.1
    done
    kill "$launched"
    wait "$launched"
    expect 0 "first article" quietly "$shop/article-1?session=3"
    kill -CONT "$purse"
    expect 0 "the mediator port said at" telepay order prove --home home "$(of_order order)"
    expect 0 "4.50 spent" telepay session --home home
    said "4.50 EUR  Librairie du Port, 3 orders"
    expect 2 "no terminal to ask on" quietly "$shop/article-1?session=4" # more than is left: as any order
    expect 4 "is not delivered" quietly "$origin/s/liar/deliver-410" --up-to "2.00 EUR" # nor in the session, nor drawn
    expect 0 "1 session has ended" at_session end
    for left in {100..0}; do
        [ "$(stands)" = "$(bc <<<"$before - 6.00") 0.00" ] && break
        [ "$left" = 0 ] && fail "it stands at $(stands), of $before: $(tail -5 mediator.log purse.log)"
        pause 0.2
    done
    expect 0 "0 sessions have ended" at_session end
    expect 0 "voucher" purse history
    expect 2 "no terminal to ask on" quietly "$shop/article-1?session=5"
}

looking_back() {
    expect 0 "Librairie du Port" purse history
    [ "$(purse history --json | jq '[.records[].verified] | all')" = true ] || fail "$(purse history --json)"
    expect 0 "" telepay-purse audit
    expect 0 "" telepay-acquirer audit
    # each voucher's record by itself is within what was signed; with those before it it has to come to what is claimed
    kill "$purse"
    wait "$purse"
    sqlite3 purse/purse.db "DROP TRIGGER voucher_stands; UPDATE voucher SET amount = amount - 1" || fail "the purse's books"
    serve_purse
    expect 5 "it draws something else than you signed" purse history
    ! grep -aqE 'let-me-in' ./*.log -r home || fail "a code stands where it must not"
}

inside() {
    cd "$dir" || exit 1
    set_up
    account
    buying
    from_a_page
    refused
    lost
    undelivered
    in_session
    looking_back
    kill "$mediator" "$purse"
    wait "$mediator" || fail "telepay-mediator serve does not end cleanly: $(cat mediator.log)"
    wait "$purse" || fail "telepay-purse serve does not end cleanly: $(cat purse.log)"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/purse_pay.sh" inside "$dir" || exit 1
echo "purse_pay.sh: paid without a card, once, and looked back upon"
