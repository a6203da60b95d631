#!/bin/bash
# Clients of the Payment scheme that nobody here wrote, from the npm registry (tests/npm): mppx and @x402/fetch demand, have `telepay credential` pay, and read
# what they get; and mppx's own check of servers. A lost answer, another spelling, eight at once, another resource: paid once.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/agent_common.sh
. "$here/agent_common.sh"

npm=${TELEPAY_NPM:-$TESTS_SRCDIR/npm}/node_modules
judge() { timeout 60 node judge.mjs "$@" >out 2>judge.log || fail "judge.mjs $*: $(cat out judge.log mediator.log)"; }
answers() { # what is to be printed of each answer, by jq, one line each
    local told
    told=$(jq -r "$1" out | tr '\n' ' ')
    [ "$told" = "$2 " ] || fail "answers are $told, not $2: $(cat out judge.log)"
}
paid_once() {
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(($(paid) - before)) times: $(cat out judge.log; telepay-acquirer list)"
}

inside() {
    local before client
    cd "$dir" || exit 1
    set_up_home
    cp "$here/../npm/judge.mjs" .
    ln -s "$npm" node_modules
    export NODE_EXTRA_CA_CERTS=med/pki/ca.pem
    export PAYER_WORDS="--cacert|med/pki/ca.pem|--home|home|--pin-fd|3|--wait|5|--up-to|5 EUR"
    for client in mppx x402; do
        before=$(paid)
        judge $client "$article?$client"
        answers '"\(.status) \(.asked)"' "200 1"
        grep -q "first article" out || fail "not delivered: $(cat out)"
        paid_once
    done
    before=$(paid)
    judge mppx "$article?receipt"
    answers '"\(.receipt.status) \(.receipt.method) \(.receipt.reference)"' "success emv $(telepay-acquirer list --json | jq -r '.transactions[-1].rrn')"
    paid_once

    # its answer is lost, and it asks for the same again, with a new challenge: it gets what it paid
    launch proxy.log '^[0-9]' "$here/../tools/cut_answer.py" med/pki/server.pem med/pki/server.key 18843
    for client in mppx-whole x402; do
        before=$(paid)
        touch armed
        judge $client "https://localhost:$(cat proxy.log)/s/journal/article-1?lost-$client"
        [ ! -e armed ] || fail "no answer was lost: $(cat out)"
        answers '"\(.status) \(.asked)"' "200 2"
        grep -q "first article" out || fail "not delivered: $(cat out)"
        paid_once
    done
    # what was signed is for the challenge that it answers, so a payload alone cannot be used again
    before=$(paid)
    touch armed
    node judge.mjs mppx "https://localhost:$(cat proxy.log)/s/journal/article-1?lost" >out 2>judge.log && fail "paid: $(cat out)"
    grep -q -e "--header" judge.log || fail "not told what to do: $(cat judge.log)"
    paid_once

    # mppx's own check of servers
    expect 0 "Document found and parseable" timeout 60 node node_modules/mppx/dist/bin.js validate $origin --endpoint GET:/s/journal/article-1
    said "Returns 402 without credentials"
    said "Malformed credential returns 402"
    said "Error response includes fresh challenge"
    unsaid "✗"
    expect 0 '/s/journal/{page}' ask $origin/openapi.json

    before=$(paid)
    judge spelling "$article"
    answers .status "402 200 200 200 200 200 200 200 200 200 200 200"
    jq -r 'select(.status == 402) | .text' out | grep -q invalid-challenge || fail "not told why: $(cat out)"
    paid_once
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
[ -d "$npm/mppx" ] || { echo "no mppx: ./quickstart packages check, or npm ci in tests/npm" && exit 77; }
own_folder
"$here/with-pcscd" "$here/mppx.sh" inside "$dir" || exit 1
echo "mppx.sh: clients of others demand, pay once and read"
