#!/bin/bash
# kill -9 at any moment, of the mediator or the purse, while an order is paid by purse or by a voucher of a session: who asks the same again gets what he paid,
# nothing is paid twice, and at the end the purse has drawn what was delivered and no more. KILLS: how often [12].
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
# shellcheck source=tests/system/mediator_purse_common.sh
. "$here/mediator_purse_common.sh"

kills=${KILLS:-12}

kill_one() { # which: its process dies now, and comes again
    if [ "$1" = mediator ]; then
        kill -KILL "$mediator"
        wait "$mediator" 2>/dev/null
        serve_mediator
    else
        kill -KILL "$purse"
        wait "$purse" 2>/dev/null
        serve_purse
    fi
}

until_paid() { # resource
    local left
    for left in {120..0}; do
        [ "$(ask -o body -w '%{http_code}' -m 20 -H "Authorization: $bought" "$1")" = 200 ] && return
        pause 0.25
    done
    fail "$1 was never delivered: $(cat body) $(tail -5 mediator.log purse.log)"
}

inside() {
    local n at asking drawn=0 paid_at_once=1
    cd "$dir" || exit 1
    set_up
    sed -i 's/^\(payment\|day\|balance\) = .*/\1 = 100000.00/' purse/purse.conf
    kill_one purse # it reads them as it starts
    expect 0 "came into" telepay-purse account fill --account "$marie" --amount $((80 + 2 * kills)).00 --reference K1
    begins 80000 $((5000 + 50 * kills))
    for ((n = 1; n <= kills; n++)); do
        at="$origin/s/shop/article-1?kill-$n"
        wants "$at"
        if ((n % 3 == 0)); then
            drawn=$((drawn + 1))
            draws $((drawn * 150)) $drawn
        else
            signs marie "$marie"
            paid_at_once=$((paid_at_once + 1))
        fi
        ask -o first -m 20 -H "Authorization: $bought" "$at" &
        asking=$!
        pause "0.$((RANDOM % 20 + 10))"
        if ((RANDOM % 2)); then kill_one mediator; else kill_one purse; fi
        wait $asking
        until_paid "$at"
    done
    payer statement marie.pem session-end account="$marie" session=$session >ends
    for n in {300..0}; do
        answers 200 '"state":' --data-binary @ends "$origin/sessions/$session/end"
        [ "$(jq -r .state body)" = ended ] && break
        ((n % 100 == 50)) && kill_one mediator
        pause 0.1
    done
    [ "$n" != 0 ] || fail "the session never ended: $(tail -5 mediator.log purse.log)"
    [ "$(states | tr ' ' '\n' | sort | uniq -c | xargs)" = "$((paid_at_once + drawn)) delivered" ] || fail "the orders are $(states)"
    holds "$marie" "$(python3 -c "print('%.2f' % (100 + 2 * $kills - 1.5 * ($paid_at_once + $drawn)))")"
    expect 0 "" telepay-purse audit
    expect 0 "remise 1 closed" telepay-purse close
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/../faults/mediator_purse_kill.sh" inside "$dir" || exit 1
echo "mediator_purse_kill.sh: killed, paid once"
