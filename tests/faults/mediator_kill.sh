#!/bin/bash
# kill -9 of the mediator, the acquirer, the service and the payer at seeded random instants, while orders are paid one after the other: by telepay get, and by
# curl with the credential that telepay credential made. No order is paid twice, none delivered unpaid, none paid and forgotten. KILLS (200) and SEED in the
# environment give another course.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
kills=${KILLS:-200}
RANDOM=${SEED:-2750275}

set_up() {
    set_up_acquirer
    set_up_mediator
    serve_shop
    insert cards/marie
}

nap() { sleep "$(printf '0.%03d' $((RANDOM % $1)))"; }

# With the same credential until the answer is final: delivered, given back, refused for good.
insist() { # address, credential, name
    local code asked=0 until=$((SECONDS + 90)) # a mediator that forgot it lets each question wait
    while [ $SECONDS -lt $until ]; do
        asked=$((asked + 1))
        code=$(ask -o "body.$3" -w '%{http_code}' -H "Authorization: $2" "$1")
        case $code in
        200 | 402 | 403 | 409 | 410) break ;;
        esac
        sleep 0.2
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
            echo $! >payer
            wait $! 2>/dev/null
            continue
        fi
        made=$(challenge "$at" | credential 2>>credential.log) || continue
        insist "$at" "$made" $n &
    done
    wait
}

end() {
    kill -KILL "$1"
    wait "$1" 2>/dev/null
    true
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

settled() { # nothing is under way any more
    local left
    for left in {900..0}; do
        ! states | grep -qE 'submitting|unknown|approved|acknowledged|reversing' && return
        [ "$left" = 0 ] || sleep 0.1
    done
    fail "paid and forgotten: $(telepay-mediator order list; tail -20 mediator.log)"
}

references() { # of the orders that stand so, as the acquirer wrote them
    local order
    for order in $(telepay-mediator order list --state "$1" --json | jq -r '.orders[].order'); do
        telepay-mediator order show "$order" | jq -r '.attempts[] | select(.outcome == "acknowledged") | .reference'
    done | sort
}

same() { # what, those of one, those of the other
    [ "$2" = "$3" ] || fail "$1: $(diff <(echo "$2") <(echo "$3"))"
}

books_agree() {
    local delivered sold
    delivered=$(telepay-mediator order list --state delivered --json | jq -r '.orders[].order' | sort)
    sold=$(telepay-service list --dir journal --json | jq -r '.sales[].order' | sort)
    same "delivered unpaid, or paid and not delivered" "$sold" "$delivered"
    same "paid twice, or unknown to the mediator" "$(references delivered)" \
        "$(telepay-acquirer list --json | jq -r '.transactions[] | select(.state != "reversed") | .rrn' | sort)"
    references delivered | uniq -d | grep . && fail "one payment for two orders"
    expect 0 "" telepay-acquirer audit
    grep -L '^200$' code.* | grep . && fail "a client that paid was left alone: $(cat code.*)"
    return 0
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
