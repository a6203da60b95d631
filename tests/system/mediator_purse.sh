#!/bin/bash
# An order that a card or a purse may pay, with the programs as people type them: a purse whose statements Python signs and curl brings, a card behind pcscd. Each
# is paid once, whatever is killed or away, and what is not delivered goes back to where it came from.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
by_card=000000000000123
by_purse=000000000000125
purse_port=18745
liar=$origin/s/liar

status() { ask -o body -D heads -w '%{http_code}' "$@"; }
answers() { # status, text in the body, curl's words…
    local code=$1 text=$2 got
    shift 2
    got=$(status "$@")
    [ "$got" = "$code" ] || fail "$*: $got, not $code: $(cat body) $(tail -3 mediator.log)"
    [ -z "$text" ] || grep -qF -- "$text" body || fail "$*: no \"$text\" in $(cat body)"
}
offers() { tr -d '\r' <heads | sed -n 's/^[Ww][Ww][Ww]-[Aa]uthenticate: //p'; } # of the last answer
methods() { offers | sed 's/.*method="\([a-z]*\)".*/\1/' | paste -sd ' '; }
counter=0
signs() { # key, account, NAME=VALUE…: for the challenge of the last answer; its credential is $bought
    counter=$((counter + 1))
    bought=$(offers | payer credential "$1.pem" "$2" $counter "${@:3}")
}
wants() { # resource, curl's words…: both ways are offered, of the order $order
    answers 402 "" "$@"
    order=$(jq -r .order body | sed 's|.*/||')
    [ "$(methods)" = "emv purse purse" ] || fail "$1 is offered by $(methods): $(cat heads)"
}
holds() { # account, balance
    local got
    got=$(telepay-purse account show --account "$1" --json | jq -r '.accounts[0].balance')
    [ "$got" = "$2" ] || fail "$1 holds $got, not $2"
}
state() { telepay-mediator order show "$order" 2>/dev/null | jq -r .state; }
attempts() { telepay-mediator order show "$order" 2>/dev/null | jq -r "[.attempts[] | $1] | join(\" \")"; }
until_state() {
    local left
    for left in {600..0}; do
        [ "$(state)" = "$1" ] && return
        sleep 0.05
    done
    fail "the order is $(state), not $1: $(tail -5 mediator.log purse.log)"
}

set_up() {
    set_up_acquirer
    set_up_mediator # journal, by card alone
    expect 0 "made the purse" telepay-purse init purse --iban FR7630006000011234567890189
    expect 0 "is open" telepay-purse contract add --id $by_purse --name "Librairie du Port" --currency EUR --iban $bank
    expect 0 "is in frompurse" telepay-purse mediator add --name port --contract $by_purse --out frompurse --url https://127.0.0.1:$purse_port
    sed -i 's/^means = purse/means = cash/' frompurse/mediator.conf
    expect 2 "means is purse, or is left out for cards" telepay-mediator acquirer add frompurse
    sed -i 's/^means = cash/means = purse/' frompurse/mediator.conf
    expect 0 "1 contract" telepay-mediator acquirer add frompurse
    match=-E expect 0 "$by_purse .* purse" telepay-mediator contract list
    expect 2 "a service sells under one of each" telepay-mediator service add jp --name twice --contract $by_card --contract $by_card
    expect 2 "no acquirer has put a contract" telepay-mediator service add jp --name shop --contract $by_card --contract 000000000000999
    expect 0 "contract $by_card, $by_purse" telepay-mediator service add jp --name shop --contract $by_card --contract $by_purse
    expect 0 "$by_card $by_purse" telepay-mediator service list
    expect 0 "" telepay-service init liar
    expect 0 "" telepay-service mediator add --dir liar --id port --out lp --url https://127.0.0.1:18744
    cp liar/pki/server.pem liar/pki/server.key liar/ && cp lp/client.pem liar/mediator.pem || fail "no credentials for the liar"
    expect 0 "" telepay-mediator service add lp --name liar --contract $by_card --contract $by_purse
    launch liar.log listening python3 "$here/../tools/lying_service.py" liar 18744
    serve_purse
    serve_shop
    [ "$(post /purse about)" = 200 ] || fail "no word about the purse"
    acquirer=$(jq -r .acquirer about) open_account marie
    marie=$number
    acquirer=$(jq -r .acquirer about) open_account jean
    jean=$number
    expect 0 "came into" telepay-purse account fill --account "$marie" --amount 20.00 --reference T1
    expect 0 "came into" telepay-purse account fill --account "$jean" --amount 1.00 --reference T2
    insert cards/marie
}

by_purse() {
    local at=$origin/s/shop/article-1 url paid_with
    answers 402 "" $origin/s/journal/article-1
    [ "$(methods)" = emv ] || fail "by card alone is offered by $(methods)"
    wants $at
    url=$origin/orders/$order
    cp heads asked
    answers 200 "" "$url"
    cp asked heads
    [ "$(jq -r '.challenges[]' body)" = "$(offers)" ] && [ "$(jq -r .challenge body)" = "$(offers | head -1)" ] || { jq -r ".challenges[]" body >said; offers >offered; fail "the order says other challenges: $(diff said offered | cut -c1-300)"; }
    answers 200 "bank card or purse" -H 'Accept: text/html' "$url"
    cp asked heads
    # what pays nothing uses nothing up
    signs marie "$marie" statement.r=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    answers 402 invalid-payload -H "Authorization: $bought" $at
    cp asked heads
    signs marie "$marie"
    answers 200 "first article" -H "Authorization: $bought" $at
    [ "$(sed -n 's/^[Pp]ayment-[Rr]eceipt: //p' heads | tr -d '\r' | tr '_-' '/+' | { cat; echo '=='; } | tr -d '\n' | base64 -di 2>/dev/null | jq -r .method)" = purse ] ||
        fail "the receipt: $(cat heads)"
    holds "$marie" 18.50
    paid_with=$bought
    for _ in 1 2 3; do answers 200 "first article" -H "Authorization: $paid_with" $at; done
    answers 200 "first article" -H "Authorization: $paid_with" "$url/delivery"
    cp asked heads
    signs marie "$marie"
    answers 409 "another credential" -H "Authorization: $bought" $at
    bought=$(grep -i '^www-authenticate:.*method="emv"' asked | tr -d '\r' | sed 's/^[^:]*: //' | credential 2>credential.log) || fail "$(cat credential.log)"
    answers 409 "another credential" -H "Authorization: $bought" $at
    holds "$marie" 18.50
    [ "$(paid)" = 0 ] || fail "the card paid too"
    [ "$(attempts .method)" = "emv purse purse" ] && [ "$(attempts .outcome)" = "none acknowledged none" ] || fail "order show: $(telepay-mediator order show "$order")"
    match=-E expect 0 "delivered *purse" telepay-mediator order list
    expect 0 "paid by purse: account $marie" telepay-mediator order prove "$order"
    match=-E expect 0 "delivered .* purse" telepay-mediator status
}

by_card() {
    expect 0 "first article" get $origin/s/shop/article-1
    [ "$(paid)" = 1 ] || fail "paid $(paid) times, not once"
    order=$(telepay-mediator order list --json | jq -r '[.orders[] | select(.means == "emv")][-1].order')
    [ "$(attempts .outcome)" = "acknowledged none none" ] || fail "the attempts: $(attempts .outcome)"
    holds "$marie" 18.50
}

refused_then_by_card() {
    local at="$origin/s/shop/article-1?poor"
    wants "$at"
    cp heads asked
    signs jean "$jean"
    answers 402 '"code":"51"' -H "Authorization: $bought" "$at"
    grep -q '"reason":"BALANCE"' body || fail "why: $(cat body)"
    [ "$(methods)" = "emv purse purse" ] || fail "after a refusal it is offered by $(methods)"
    [ "$(offers | head -1)" = "$(tr -d '\r' <asked | sed -n 's/^[Ww][Ww][Ww]-[Aa]uthenticate: //p' | head -1)" ] || fail "the card's challenge is another one"
    answers 402 '"code":"51"' -H "Authorization: $bought" "$at" # the same again
    bought=$(offers | grep 'method="emv"' | credential 2>credential.log) || fail "$(cat credential.log)"
    answers 200 "first article" -H "Authorization: $bought" "$at"
    [ "$(attempts .outcome)" = "acknowledged refused none none" ] || fail "the attempts: $(attempts .outcome)"
    holds "$jean" 1.00
    [ "$(paid)" = 2 ] || fail "paid $(paid) times, not twice"
}

# The purse is down, the mediator is killed: nobody knows, nobody pays again, and it is paid once.
purse_down() {
    local at="$origin/s/shop/article-1?down"
    wants "$at"
    signs marie "$marie"
    kill "$purse"
    wait "$purse"
    answers 503 '"consumed":true' -H "Authorization: $bought" "$at"
    grep -qi '^retry-after: ' heads || fail "when is it to be asked again: $(cat heads)"
    grep -qi '^www-authenticate' heads && fail "asked to pay again: $(cat heads)"
    [ "$(state)" = unknown ] || fail "the order is $(state)"
    kill -KILL "$mediator"
    wait "$mediator"
    serve_mediator
    serve_purse
    until_state delivered
    answers 200 "first article" -H "Authorization: $bought" "$at"
    holds "$marie" 17.00
    expect 0 "paid by purse" telepay-mediator order prove "$order"
}

# What is not delivered goes back to the account, while the remise is open; after it a credit is due.
given_back() {
    wants $liar/deliver-410
    signs marie "$marie"
    answers 410 "given back" -H "Authorization: $bought" $liar/deliver-410
    until_state reversed
    holds "$marie" 17.00
    answers 410 "given back" -H "Authorization: $bought" $liar/deliver-410
    expect 0 "it was not delivered: what was paid is given back" telepay-mediator order prove "$order"
}

claimed() {
    local at="$origin/s/shop/article-1?claimed" mine=AAAAAAAAAAAAAAAAAAAAAA url
    wants "$at"
    url=$origin/orders/$order
    cp heads asked
    answers 200 claimed -d "{\"claim\":\"$mine\"}" "$url/claim"
    cp asked heads
    signs marie "$marie"
    answers 409 "another payer device" -H "Authorization: $bought" "$at"
    cp asked heads
    signs marie "$marie" claim=$mine
    answers 200 "first article" -H "Authorization: $bought" "$at"
    holds "$marie" 15.50
}

programs() {
    answers 402 '"type":"https://paymentauth.org/problems/payment-required"' -H 'Accept-Payment: purse' $origin/s/shop/article-1
    grep -q "nothing that" body && fail "a purse is not known: $(cat body)"
    answers 402 "it is paid by emv/charge purse/charge purse/session" -H 'Accept-Payment: giro/charge' $origin/s/shop/article-1
    answers 402 "it is paid by emv/charge" -H 'Accept-Payment: purse/charge' $origin/s/journal/article-1
    answers 200 '"method":"purse"' $origin/openapi.json
    wants $origin/s/shop/article-1
    answers 200 "Payable par carte bancaire ou porte-monnaie" -H 'Accept: text/html' -H 'Accept-Language: fr' "$origin/orders/$order"
    # a browser gets what it paid for by asking again
    answers 402 "" -c cookies -H 'Accept: text/html' $origin/s/shop/article-1?browser
    order=$(sed -n 's/.*data-order="\([a-z2-7]*\)".*/\1/p' body)
    signs marie "$marie"
    answers 200 "" -d "$(payer decode "$bought")" -H 'Content-Type: application/json' "$origin/orders/$order/payment"
    [ "$(jq -r .completion body)" = false ] || fail "a purse has no last word: $(cat body)"
    answers 200 "first article" -b cookies -H 'Accept: text/html' $origin/s/shop/article-1?browser
    holds "$marie" 14.00
}

counts() {
    telepay-mediator status --metrics >metrics || fail "status --metrics"
    telepay-mediator status --json >status.json || fail "status --json"
    "${TESTS_SRCDIR:?}/tools/check_metrics.py" metrics status.json >measured 2>&1 || fail "status --metrics: $(cat measured metrics)"
    grep -q '^orders delivered EUR purse 4$' measured && grep -q '^orders delivered EUR emv 2$' measured || fail "by what: $(cat measured)"
    expect 0 "remise 1 closed" telepay-purse close
    said "5 payments, 1 given back, 6.00 EUR"
    expect 0 "" telepay-purse audit
    expect 0 "" telepay-acquirer audit
}

inside() {
    cd "$dir" || exit 1
    set_up
    by_purse
    by_card
    refused_then_by_card
    purse_down
    given_back
    claimed
    programs
    counts
    ! grep -E '9990140000000015' ./*.log || fail "a card number in a log"
    kill "$mediator" "$acquirer" "$service" "$purse"
    wait "$mediator" || fail "telepay-mediator serve does not end cleanly: $(cat mediator.log)"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/mediator_purse.sh" inside "$dir" || exit 1
echo "mediator_purse.sh: paid by card or by purse, once, and given back"
