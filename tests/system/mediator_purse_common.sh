#!/bin/bash
# shellcheck disable=SC2034,SC2154 # what common.sh launched is known there, and what is set here is used by who sources this
# What the tests of a purse behind a mediator share: sourced after common.sh, mediator_common.sh and purse_common.sh. Services that a card or a purse may pay:
# shop, and liar, which lies as its address says.
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
    [ -z "$text" ] || file_has -F "$text" body || fail "$*: no \"$text\" in $(cat body)"
}
offers() { # of the last answer
    local line
    while IFS= read -r line; do
        case ${line,,} in www-authenticate:*) line=${line#*: } && printf '%s\n' "${line%$'\r'}" ;; esac
    done <heads
}
methods() {
    local line names=()
    while read -r line; do
        [[ $line =~ .*method=\"([a-z]*)\" ]] && names+=("${BASH_REMATCH[1]}")
    done < <(offers)
    echo "${names[*]}"
}
counter=0
signs() { # key, account, NAME=VALUE…: for the challenge of the last answer; its credential is $bought
    counter=$((counter + 1))
    bought=$(offers | payer credential "$1.pem" "$2" $counter "${@:3}")
}
wants() { # resource, curl's words…: both ways are offered, of the order $order
    answers 402 "" "$@"
    order=$(jq -r .order body)
    order=${order##*/}
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
        pause 0.05
    done
    fail "the order is $(state), not $1: $(tail -5 mediator.log purse.log)"
}

set_up() {
    set_up_acquirer
    set_up_mediator # journal, by card alone
    expect 0 "made the purse" telepay-purse init purse --iban FR7630006000011234567890189
    expect 0 "is open" telepay-purse contract add --id $by_purse --name "Librairie du Port" --currency EUR --iban "$bank"
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
    start_payer
    serve_purse
    serve_shop
    [ "$(post /purse about)" = 200 ] || fail "no word about the purse"
    purse_id=$(jq -r .acquirer about)
    acquirer=$purse_id open_account marie
    marie=$number
    acquirer=$purse_id open_account jean
    jean=$number
    expect 0 "came into" telepay-purse account fill --account "$marie" --amount 20.00 --reference T1
    expect 0 "came into" telepay-purse account fill --account "$jean" --amount 1.00 --reference T2
    insert cards/marie
}

session=sessionsessionsessionsessi
draws() { # SUM NUMBER [NAME=VALUE…]: a voucher of marie's session for the challenge of the last answer; its credential is $bought
    bought=$(offers | payer voucher "${key-marie}.pem" "$marie" $session "$@")
}
begins() { # until, in seconds; amount: a payment with that provision beside it
    counter=$((counter + 1))
    payer statement marie.pem provision acquirer="$purse_id" account="$marie" mediator=port session=$session amount="$2" currency=eur until="$1" \
        counter=$counter >provision.jws
    wants "$origin/s/shop/article-1?provision-$session"
    signs marie "$marie" provision=provision.jws
    answers 200 "first article" -H "Authorization: $bought" "$origin/s/shop/article-1?provision-$session"
}
