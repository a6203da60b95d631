#!/bin/bash
# kill -9 of the mediator, the acquirer, the service and the payer at seeded random instants, while orders are paid one after the other: by telepay get, and by
# curl with the credential that telepay credential made. No order is paid twice, none delivered unpaid, none paid and forgotten. KILLS (200) and SEED in the
# environment give another course.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/faults/kill_common.sh
. "$TESTS_SRCDIR/faults/kill_common.sh"
kills=${KILLS:-200}

set_up() {
    set_up_acquirer
    set_up_mediator
    serve_shop
    insert cards/marie
}

# With the same credential until the answer is final: delivered, given back, refused for good.
insist() { # address, credential, name
    local code asked=0 until=$((SECONDS + 90)) # a mediator that forgot it lets each question wait
    while [ $SECONDS -lt $until ]; do
        asked=$((asked + 1))
        code=$(ask -o "body.$3" -w '%{http_code}' -H "Authorization: $2" "$1") || code="cut" # off: a head alone is no answer
        case $code in
        200 | 402 | 403 | 409 | 410) break ;;
        esac
        pause 0.2
    done
    [ $asked = 1 ] || echo "$asked" >"again.$3"
    echo "$code" >"code.$3"
    [ "$code" != 200 ] || grep -q 'first article' "body.$3" || echo "200 without its content" >"code.$3"
}

# One after the other, since there is one card; who waits for a delivery does so beside.
customers() {
    local n=0 at made
    while [ ! -e stop ]; do
        n=$((n + 1))
        at="$origin/s/journal/article-1?$n"
        if [ $((n % 2)) = 0 ]; then
            get "$at" >"got.$n" 2>"get.log" &
            echo $! >payer.new && mv payer.new payer
            wait $! 2>/dev/null
            continue
        fi
        made=$(challenge "$at" | credential 2>>credential.log) || continue
        insist "$at" "$made" $n &
    done
    wait
}

# Who is killed is started again at once; a payer's next run is its next order.
strike() {
    case $((RANDOM % 8)) in
    0 | 1 | 2) end "$mediator" && serve_mediator && mediators=$((mediators + 1)) ;;
    3 | 4) end "$acquirer" && serve_acquirer && acquirers=$((acquirers + 1)) ;;
    5 | 6) end "$service" && serve_service && services=$((services + 1)) ;;
    *) [ -e payer ] && pkill -KILL -P "$(cat payer)" telepay && payers=$((payers + 1)) ;;
    esac
}

inside() {
    local buying
    cd "$dir" || exit 1
    set_up
    mediators=0 acquirers=0 services=0 payers=0
    customers 2>>customers.log &
    buying=$!
    while [ $((mediators + acquirers + services + payers)) -lt "$kills" ]; do
        nap 120
        strike
    done
    reached
    touch stop
    wait $buying
    telepay order send --home home --cacert med/pki/ca.pem >>get.log 2>&1
    settled
    books_agree
    grep -L '^200$' code.* | grep . && fail "a client that paid was left alone: $(cat code.*)"
    echo "mediator_kill.sh: kills of mediator $mediators, acquirer $acquirers, service $services, payer $payers"
    echo "orders: $(states | tr ' ' '\n' | sort | uniq -c | tr -s ' \n' ' '); curl: $(cat code.* | wc -l), $(cat again.* 2>/dev/null | wc -l) asked again"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$TESTS_SRCDIR/faults/mediator_kill.sh" inside "$dir" || exit 1
