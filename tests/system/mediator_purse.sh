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
# shellcheck source=tests/system/mediator_purse_common.sh
. "$here/mediator_purse_common.sh"

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
    [ "$(attempts .means)" = "emv purse purse" ] && [ "$(attempts .outcome)" = "none acknowledged none" ] || fail "order show: $(telepay-mediator order show "$order")"
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

word() { # the purse's, in the last receipt
    sed -n 's/^[Pp]ayment-[Rr]eceipt: //p' heads | tr -d '\r' | tr '_-' '/+' | { cat; echo '=='; } | tr -d '\n' | base64 -di 2>/dev/null | jq -r .provision |
        cut -d. -f2 | tr '_-' '/+' | { cat; echo '=='; } | tr -d '\n' | base64 -di 2>/dev/null | jq -r "$1"
}
reserved() { telepay-purse account show --account "$marie" --json | jq -r '.accounts[0].reserved'; }

# Pages are paid by vouchers without the purse; each that is not the next is refused, and what is not delivered is not presented.
sessions() {
    local at="$origin/s/shop/article-1?session" before=$1 n good
    begins 7200 500
    [ "$(word .outcome)" = acknowledged ] && [ "$(word .amount)" = 500 ] || fail "the purse's word: $(cat heads)"
    kill "$purse" # nobody needs it
    wait "$purse"
    wants "$at"
    cp heads asked
    draws 150 1
    answers 200 "first article" -H "Authorization: $bought" "$at"
    good=$bought
    [ "$(attempts .outcome)" = "none none acknowledged" ] || fail "by voucher: $(attempts .outcome)"
    answers 200 "first article" -H "Authorization: $good" "$at" # the same again
    expect 0 "paid by voucher 1 of session $session" telepay-mediator order prove "$order"
    cp asked heads
    draws 300 2
    answers 409 "another credential" -H "Authorization: $bought" "$at" # that order is paid
    refused 409 '"number":"1"' 150 1                       # a lower one, for another order
    refused 409 '"sum":"150"' 300 1
    refused 409 '"sum":"150"' 299 2
    refused 409 '"number":"1"' 450 3
    refused 402 invalid-payload 300 2 r=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    refused 402 verification-failed 300 2 contract=$by_card
    refused 402 verification-failed 300 2 currency=usd # its purse would take it for none
    refused 402 verification-failed 300 2 session=aaaaaaaaaaaaaaaaaaaaaaaaaa
    key=jean refused 402 verification-failed 300 2 # signed by another key
    kill -KILL "$mediator"
    wait "$mediator"
    serve_mediator
    answers 200 "first article" -H "Authorization: $good" "$at" # which knows it again
    wants "$liar/deliver-410?session"
    draws 300 2
    answers 410 "given back" -H "Authorization: $bought" "$liar/deliver-410?session"
    [ "$(state)" = reversed ] || fail "not delivered by voucher: $(state)"
    wants "$at-2"
    draws 450 3
    answers 200 "first article" -H "Authorization: $bought" "$at-2"
    refused 402 payment-insufficient 600 4 # 1.50 more than 5.00 has left
    # the end: what was drawn less what was not delivered is presented when the purse is there again
    payer statement jean.pem session-end account="$marie" session=$session >ends
    answers 403 "not by the key" --data-binary @ends "$origin/sessions/$session/end"
    payer statement marie.pem session-end account="$marie" session=$session >ends
    answers 404 "no such session" --data-binary "$(payer statement marie.pem session-end account="$marie" session=aaaaaaaaaaaaaaaaaaaaaaaaaa)" \
        "$origin/sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa/end"
    answers 400 "the body is" --data-binary @ends "$origin/sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa/end"
    answers 200 '"state":"ending"' --data-binary @ends "$origin/sessions/$session/end"
    serve_purse
    for n in {300..0}; do # by itself
        [ "$(reserved)" = 0.00 ] && break
        pause 0.1
    done
    [ "$n" != 0 ] || fail "it never ended, $(reserved) is reserved: $(tail -5 mediator.log purse.log)"
    answers 200 '"state":"end' --data-binary @ends "$origin/sessions/$session/end"
    holds "$marie" "$before" # 1.50 for the provision's page and 3.00 by vouchers; what was reserved is free
    refused 402 verification-failed 600 4
    expect 0 "" telepay-purse audit
}
refused() { # STATUS text, then as draws, for an order of its own: nothing is paid
    wants "$origin/s/shop/article-1?refused"
    draws "${@:3}"
    answers "$1" "$2" -H "Authorization: $bought" "$origin/s/shop/article-1?refused"
    [ "$(state)" = requested ] || fail "$*: the order is $(state)"
}

# An order that the purse had not decided on is paid by card; the purse takes it after all, and it goes back.
twice() {
    local at=$origin/s/shop/article-1 n left
    acquirer=$purse_id open_account anna
    for n in {1..11}; do # ten signed refusals of an account that nothing came into; then it signs none
        wants "$at?twice-$n"
        signs anna "$number"
        answers "$([ "$n" = 11 ] && echo 503 || echo 402)" "$([ "$n" = 11 ] && echo '"code":"91"' || echo '"code":"51"')" -H "Authorization: $bought" "$at?twice-$n"
    done
    answers 200 requested "$origin/orders/$order"
    bought=$(jq -r '.challenges[0]' body | credential 2>credential.log) || fail "$(cat credential.log)"
    answers 200 "first article" -H "Authorization: $bought" "$at?twice-11"
    expect 0 "came into" telepay-purse account fill --account "$number" --amount 5.00 --reference T9
    for left in {300..0}; do
        [ "$(telepay-mediator order show "$order" 2>/dev/null | jq -r '[.attempts[].surplus | select(.)] | join(" ")')" = "given back" ] && break
        pause 0.2
    done
    [ "$left" != 0 ] || fail "not given back: $(telepay-mediator order show "$order") $(tail -9 mediator.log)"
    holds "$number" 5.00
    [ "$(state)" = delivered ] || fail "the order is $(state)"
}

counts() {
    telepay-mediator status --metrics >metrics || fail "status --metrics"
    telepay-mediator status --json >status.json || fail "status --json"
    "${TESTS_SRCDIR:?}/tools/check_metrics.py" metrics status.json >measured 2>&1 || fail "status --metrics: $(cat measured metrics)"
    grep -q '^orders delivered EUR purse 5$' measured && grep -q '^orders delivered EUR voucher 2$' measured && grep -q '^orders delivered EUR emv 3$' measured || fail "by what: $(cat measured)"
    expect 0 "remise 1 closed" telepay-purse close
    said "8 payments, 2 given back, 10.50 EUR"
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
    sessions 9.50
    twice
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
