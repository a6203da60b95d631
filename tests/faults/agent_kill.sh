#!/bin/bash
# kill -9 of the agent, the payment that it began, and its window, at seeded random instants, and of the mediator, the acquirer and the service: while orders are
# paid that a page leads to. Their person goes back to the page and asks again, as long as it says that nothing is paid. No order is paid twice, none delivered
# unpaid, none paid and forgotten: by mediator, service, acquirer and the payer's journal. KILLS (16) and SEED in the environment give another course.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/agent_common.sh
. "$here/agent_common.sh"
# shellcheck source=tests/faults/kill_common.sh
. "$TESTS_SRCDIR/faults/kill_common.sh"
kills=${KILLS:-16}

navigate() { curl -s --max-time 20 -o /dev/null -w '%{http_code}\n' -G --data-urlencode "order=$1" -H 'Sec-Fetch-Mode: navigate' "$at_agent/pay"; }
state_at() { ask -H 'Accept: application/json' "$1" 2>/dev/null | jq -r .state 2>/dev/null; }

# Back to the page and to the agent again, until the page says how it ended.
insist() { # address of an order, name
    local state='' clicked=0 until=$((SECONDS + 90)) left
    while [ $SECONDS -lt $until ]; do
        [ "$(navigate "$1")" = 303 ] && clicked=$((clicked + 1))
        for left in {5..0}; do # one who waits a while
            state=$(state_at "$1")
            case $state in
            delivered | refused | reversed | expired | undelivered) break 2 ;;
            esac
            [ "$left" = 0 ] || pause 0.1
        done
    done
    echo "$state" >"state.$2"
    echo $clicked >"clicks.$2"
}

customers() {
    local n=0 order
    while [ ! -e stop ]; do
        n=$((n + 1))
        order=$(ask -H 'Accept: text/html' "$article?$n" | sed -n 's/.*data-order="\([a-z2-7]*\)".*/\1/p')
        [ -n "$order" ] || continue
        insist "$origin/orders/$order" $n
    done
}

payment_of() { pgrep -r R,S,D -P "$agent"; }

# A payment goes on when the agent that began it is gone, and ends with it when it is struck too: whom, while one is under way.
strike_agent() {
    local payment left
    for left in {40..0}; do
        payment_of >/dev/null && break
        [ "$left" != 0 ] || return 0
        pause 0.02
    done
    nap 400
    kill -STOP "$agent" # so that it begins no other meanwhile
    payment=$(payment_of) && echo "$payment" >>payments
    case $1 in
    payment) [ -n "$payment" ] && kill -KILL "$payment" && payments=$((payments + 1)) ;;
    window) [ -n "$payment" ] && pkill -KILL -P "$payment" && windows=$((windows + 1)) ;;
    all)
        # shellcheck disable=SC2046 # the window, which may be gone by then
        [ -n "$payment" ] && { kill -KILL $(pgrep -P "$payment") "$payment" 2>/dev/null; payments=$((payments + 1)); }
        ;;
    esac
    case $1 in
    agent | all) end "$agent" && serve_agent && agents=$((agents + 1)) ;;
    *) kill -CONT "$agent" ;;
    esac
}

strike() {
    case $((RANDOM % 12)) in
    0 | 1 | 2 | 3) strike_agent agent ;;
    4 | 5) strike_agent all ;;
    6 | 7) strike_agent payment ;;
    8) strike_agent window ;;
    9) end "$mediator" && serve_mediator && others=$((others + 1)) ;;
    10) end "$acquirer" && serve_acquirer && others=$((others + 1)) ;;
    *) end "$service" && serve_service && others=$((others + 1)) ;;
    esac
}

at_rest() { # what the agents began has ended
    local one left all
    payment_of >>payments
    mapfile -t all <payments
    for one in "${all[@]}"; do
        for left in {600..0}; do
            grep -qsv 'State:.Z' <(grep -s '^State' "/proc/$one/status") || break
            [ "$left" != 0 ] || fail "a payment never ends: $(tail -20 agent.log)"
            pause 0.05
        done
    done
}

inside() {
    local buying
    cd "$dir" || exit 1
    set_up_home
    agents=0 payments=0 windows=0 others=0
    customers 2>>customers.log &
    buying=$!
    while [ $((agents + payments + windows + others)) -lt "$kills" ]; do
        nap 100
        strike
    done
    reached
    touch stop
    wait $buying
    at_rest
    expect 0 "" telepay order send --home home --cacert med/pki/ca.pem
    settled
    books_agree
    same "the payer's journal says otherwise" "$(telepay order --home home --json | jq -r '.orders[] | select(.state == "acknowledged") | .order' | sort)" \
        "$(telepay-mediator order list --state delivered --json | jq -r '.orders[].order' | sort)"
    grep -Lx delivered state.* | grep . && fail "a person that insisted was left alone: $(grep . state.*)"
    echo "agent_kill.sh: kills of agent $agents, payment $payments, window $windows, mediator and those behind it $others"
    echo "orders: $(states | tr ' ' '\n' | sort | uniq -c | tr -s ' \n' ' '); clicks: $(cat clicks.* | sort -n | uniq -c | tr -s ' \n' ' ')"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$TESTS_SRCDIR/faults/agent_kill.sh" inside "$dir" || exit 1
