#!/bin/bash
# What the tests share that kill mediators and those around them: sourced after mediator_common.sh. SEED in the environment gives another course.
# shellcheck disable=SC2154 # dir: common.sh
RANDOM=${SEED:-2750275}

end() {
    kill -KILL "$1"
    wait "$1" 2>/dev/null
    true
}

settled() { # nothing is under way any more
    local left
    for left in {900..0}; do
        ! states | grep -qE 'submitting|unknown|approved|acknowledged|reversing' && return
        [ "$left" = 0 ] || pause 0.1
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

books_agree() { # of mediator, service and acquirer
    local delivered sold
    delivered=$(telepay-mediator order list --state delivered --json | jq -r '.orders[].order' | sort)
    sold=$(telepay-service list --dir journal --json | jq -r '.sales[].order' | sort)
    same "delivered unpaid, or paid and not delivered" "$sold" "$delivered"
    same "paid twice, or unknown to the mediator" "$(references delivered)" \
        "$(telepay-acquirer list --json | jq -r '.transactions[] | select(.state != "reversed") | .rrn' | sort)"
    references delivered | uniq -d | grep . && fail "one payment for two orders"
    expect 0 "" telepay-acquirer audit
}
