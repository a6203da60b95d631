#!/bin/bash
# Services that lie or fail, and clients that ask for too much: nothing is paid for nothing, others are not kept waiting, the mediator stays up.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
liar=$origin/s/liar

status() { ask -o body -D heads -w '%{http_code}' "$@"; }
answers() { # status, text in the body, curl's words…
    local code=$1 text=$2 got
    shift 2
    got=$(status "$@")
    [ "$got" = "$code" ] || fail "$*: $got, not $code: $(cat body) $(tail -3 mediator.log)"
    [ -z "$text" ] || grep -qF -- "$text" body || fail "$*: no \"$text\" in $(cat body)"
    grep -qi '^access-control-allow-origin: \*' heads || fail "$*: no page of another origin may read it: $(cat heads)"
}
serve_liar() { launch liar.log listening python3 "$here/../tools/lying_service.py" liar "${1-18744}" && lying=$launched; }

set_up() {
    set_up_acquirer
    set_up_mediator
    expect 0 "" telepay-service init liar
    expect 0 "" telepay-service mediator add --dir liar --id port --out lp --url https://127.0.0.1:18744
    cp liar/pki/server.pem liar/pki/server.key liar/ && cp lp/client.pem liar/mediator.pem || fail "no credentials for the liar"
    expect 0 "" telepay-mediator service add lp --name liar --contract 000000000000123
    serve_service
    serve_liar
    serve_acquirer
    serve_mediator
    reached
    insert cards/marie
}

quotes() {
    local fault slow
    answers 402 "payment-required" $liar/fine
    for fault in garbage array negative fraction number huge dollars nameless control long type nobase64 cut; do
        case $fault in
        cut) answers 503 "nothing is to be paid" $liar/quote-$fault ;;
        *) answers 502 "" $liar/quote-$fault ;;
        esac
        grep -qi '^www-authenticate' heads && fail "a challenge for a quote that is $fault: $(cat heads)"
    done
    answers 502 "" $liar/quote-past
    answers 404 "not sold now" $liar/quote-gone # who says no more than that, as services of before
    answers 409 '"detail":"it is sold out, and nothing is to be paid"' $liar/quote-sold
    grep -qi '^www-authenticate' heads && fail "a challenge for what is sold out: $(cat heads)"
    answers 409 '<h1>Sold out</h1>' -H 'Accept: text/html' $liar/quote-sold
    answers 409 '<h1>Épuisé</h1>' -H 'Accept: text/html' -H 'Accept-Language: fr' $liar/quote-sold
    answers 502 "" $liar/quote-both
    for fault in 500 409 403 closed large; do
        answers 503 "nothing is to be paid" $liar/quote-$fault
        grep -qi '^retry-after: ' heads || fail "when is it to be asked again: $(cat heads)"
    done
    answers 503 "the service cannot be asked now" "$origin/bills/liar"
    grep -q "service liar at https://127.0.0.1:18744 answers 403" mediator.log || fail "why it says no bills: $(tail -3 mediator.log)"
    answers 200 "a gift" $liar/quote-gift
    answers 200 "delivered" $liar/quote-free
    # slow ones keep nobody else waiting
    for _ in {1..20}; do
        ask -o slow $liar/quote-slow &
        slow+=" $!"
    done
    pause 0.3
    answers 200 "A shop" $origin/s/journal/about
    [ ! -s slow ] || fail "another service's answer came after that of a slow one"
    # shellcheck disable=SC2086 # words
    wait $slow
    grep -q "nothing is to be paid" slow || fail "a slow quote: $(cat slow)"
    telepay-mediator service list --json | jq -e '.services[] | select(.service == "liar") | .reached and .reason == null and .url == "https://127.0.0.1:18744"' >/dev/null ||
        fail "not reached: $(telepay-mediator service list)"
    said_of_liar "answers 500" "its quote lacks" "no JSON"
    kill -KILL "$lying"
    wait "$lying" 2>/dev/null
    answers 503 "nothing is to be paid" $liar/fine
    said_of_liar "cannot be reached"
    expect 0 "" telepay-mediator service list --json
    jq -e '[.services[] | .reached] == [true, false]' out >/dev/null || fail "reached: $(cat out)"
    jq -e '.services[1].reason | test("cannot be reached")' out >/dev/null || fail "not why: $(cat out)"
    answers 503 "nothing is to be paid" $liar/quote-free # what is free is not to be had either
    serve_liar
}

# Ten minutes without a delivery: what was paid is given back; but not where it may be on an account already.
given_up() {
    local left
    buy $liar/final/deliver-500
    ask -m 1 -H "Authorization: $bought" $liar/final/deliver-500 >/dev/null
    [ "$(states | tr ' ' '\n' | grep -c acknowledged)" = 4 ] || fail "not under way: $(states)"
    kill -KILL "$mediator"
    wait "$mediator" 2>/dev/null
    sqlite3 med/mediator.db "UPDATE mediated_order SET since = since - 700 WHERE state = 6" || fail "no time goes by"
    serve_mediator
    for left in {300..0}; do
        [ "$(states | tr ' ' '\n' | grep -c acknowledged)" = 1 ] && break
        [ "$left" = 0 ] || pause 0.1
    done
    telepay-mediator order list --state acknowledged --json | jq -e '.orders | length == 1' >/dev/null || fail "$(telepay-mediator order list)"
    telepay-mediator order show "$(telepay-mediator order list --state acknowledged --json | jq -r '.orders[0].order')" | grep -q final/deliver || fail "another one is left"
}

said_of_liar() { # texts: what is wrong with it, and where it was asked
    local text
    for text; do
        grep -q "service liar at https://127.0.0.1:18744[: ].*$text" mediator.log || fail "no \"$text\" of it: $(grep liar mediator.log)"
    done
}

# Its address changes, and it comes back after it was closed; what is paid and undelivered follows it.
moved() {
    rm -rf lp2 && cp -r lp lp2 && sed -i 's/:18744/:18745/' lp2/service.conf
    buy $liar/moved
    kill -KILL "$lying"
    wait "$lying" 2>/dev/null
    ask -m 1 -H "Authorization: $bought" $liar/moved >/dev/null
    until_said 'service liar at https://127.0.0.1:18744 does not deliver order' mediator.log
    serve_liar 18745
    expect 2 "no acquirer has put a contract" telepay-mediator service add lp2 --name liar --contract 000000000000999
    expect 0 "https://127.0.0.1:18745 from now on, by the files of lp2 (before: at https://127.0.0.1:18744)" telepay-mediator service add lp2 --name liar --contract 000000000000123
    until_said 'service liar is asked at https://127.0.0.1:18745 from now on' mediator.log
    answers 402 "payment-required" $liar/fine
    answers 200 "delivered" -H "Authorization: $bought" $liar/moved
    expect 2 "which is to be the folder that telepay-service mediator add made" telepay-mediator service add med --name liar --contract 000000000000123
    expect 0 "sells no more" telepay-mediator service close --name liar
    until_closed
    expect 0 "service liar sells again under contract 000000000000123" telepay-mediator service add lp2 --name liar --contract 000000000000123
    said "which replace those of before"
    for _ in {1..100}; do
        [ "$(status $liar/fine)" = 402 ] && break
        pause 0.1
    done
    answers 402 "payment-required" $liar/fine
}
until_closed() {
    for _ in {1..100}; do
        [ "$(status $liar/fine)" = 404 ] && break
        pause 0.1
    done
    answers 404 "no such service" $liar/fine # closed
}

# Paid, and then the service has something else to say: given back, and not paid in the end.
deliveries() {
    local fault before
    before=$(paid)
    for fault in 410 409 422 large; do
        buy $liar/deliver-$fault
        answers 410 'given back' -H "Authorization: $bought" $liar/deliver-$fault
        grep -q $'\x1b' body mediator.log && fail "a service's control characters get through: $(cat -v body)"
    done
    [ "$(paid)" = "$before" ] || fail "paid $(paid), not $before: $(telepay-acquirer list)"
    # never: it is asked again, and the client is told that it is paid and to ask again
    for fault in 500 closed cut; do
        buy $liar/deliver-$fault
        ask -m 3 -H "Authorization: $bought" $liar/deliver-$fault | grep -q delivered && fail "delivered at $fault"
    done
    [ "$(states | tr ' ' '\n' | grep -c acknowledged)" = 3 ] || fail "not under way: $(states)"
    # a price that rises from quote to quote: each order is paid at its own
    challenge $liar/quote-dearer >/dev/null
    buy $liar/quote-dearer
    answers 200 "delivered" -H "Authorization: $bought" $liar/quote-dearer
    telepay-mediator order list --state delivered --json | jq -e 'any(.orders[]; .amount == "2.50")' >/dev/null || fail "$(telepay-mediator order list)"
    # a type that no header may have
    buy $liar/deliver-type
    answers 200 "delivered" -H "Authorization: $bought" $liar/deliver-type
}

requests() {
    local at=$origin/s/journal/article-1 method
    answers 404 "no such service" $origin/s/nobody/article-1
    answers 404 "" "$origin/s/journal/caf%C3%A9"
    answers 404 "" "$origin/s/journal/%3Cscript%3E?%22"
    answers 404 "" --path-as-is "$origin/s/journal/../../med/pki"
    answers 400 "" "$origin/s/journal/a%0D%0Ab"
    answers 400 "" "$origin/s/journal/$(printf 'a%.0s' {1..5000})"
    for method in PUT DELETE PATCH; do
        answers 405 "GET and POST" -X $method $at
    done
    [ "$(ask -I -o heads -w '%{http_code}' $at)" = 405 ] || fail "HEAD: $(cat heads)"
    answers 204 "" -X OPTIONS $at
    grep -qi '^access-control-expose-headers: .*www-authenticate' heads || ask -o /dev/null -D heads $at
    grep -qi '^access-control-expose-headers: .*www-authenticate' heads || fail "a page cannot read the challenge: $(cat heads)"
    bought="Payment $(head -c 70000 /dev/zero | tr '\0' a)"
    [ "$(status -H "Authorization: $bought" $at)" = 431 ] || fail "a large credential: $(cat heads body)"
    head -c 200000 /dev/zero | tr '\0' a >large
    [ "$(status -H "Expect: 100-continue" --data-binary @large $liar/fine)" = 413 ] || fail "a large body: $(cat heads body)"
    # what is posted is what is paid for
    bought=$(challenge -d one=1 $liar/fine | credential 2>credential.log) || fail "no credential: $(cat credential.log)"
    answers 402 "invalid-challenge" -d one=2 -H "Authorization: $bought" $liar/fine
    answers 402 "invalid-challenge" -H "Authorization: $bought" $liar/fine
    answers 200 "delivered" -d one=1 -H "Authorization: $bought" $liar/fine
    # a client that pays by something else is told by what it is paid here, and asked for money all the same
    answers 402 '"detail":"nothing that Accept-Payment takes is taken here: it is paid by emv/charge"' -H 'Accept-Payment: tempo/charge, emv/*;q=0' $at
    grep -qi '^www-authenticate: payment' heads || fail "no challenge: $(cat heads)"
    answers 402 'Accept-Payment cannot be read' -H 'Accept-Payment: emv' $at
    answers 402 'payment-required' -H 'Accept-Payment: tempo/charge, emv/*;q=0.5' $at
    ! grep -q Accept-Payment body || fail "told what it knows: $(cat body)"
    # people get pages, in their language
    answers 402 '<html lang="fr"' -H 'Accept: text/html,*/*;q=0.8' -H 'Accept-Language: fr-FR,fr;q=0.9,en;q=0.5' $at
    answers 402 '<html lang="en"' -H 'Accept: text/html' -H 'Accept-Language: de' $at
    answers 402 'payment-required' -H 'Accept: */*' $at
}

resident() { sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$mediator/status"; } # kB

# Ten thousand demands from one address: the mediator stays up, no bigger than it was, and serves another meanwhile.
flood() {
    local n=${FLOOD:-3000} before after flooding urls
    before=$(resident) SECONDS=0
    for urls in {1..8}; do
        curl -s -Z --parallel-max 8 --max-time 60 --cacert med/pki/ca.pem "$origin/s/journal/article-1?$urls-[1-$((n / 8))]" >/dev/null 2>>flood.err &
        flooding+=" $!"
    done
    pause 1
    answers 402 "payment-required" -m 30 $liar/fine
    # shellcheck disable=SC2086 # words
    wait $flooding
    answers 402 "payment-required" -m 30 $liar/fine
    after=$(resident)
    # under sanitizers what is freed stays for a while
    [ -n "${ASAN_OPTIONS-}" ] || [ $((after - before)) -lt 32768 ] || fail "$n demands: from $before to $after kB"
    echo "$n demands in $SECONDS s: from $before to $after kB, $(states | tr ' ' '\n' | grep -c requested) orders"
}

# One network demands without end: it is told to wait, and nobody else is. What it has paid, and orders that it looks at, it still gets.
throttled() {
    local before order
    before=$(states | wc -w)
    mkdir throttled
    curl -s -Z --parallel-max 8 --max-time 60 --interface 127.0.0.9 --cacert med/pki/ca.pem -o 'throttled/#1' \
        -w '%{http_code} %header{retry-after} %{content_type}\n' "$origin/s/journal/article-1?throttled-[1-400]" >statuses 2>>flood.err
    [ "$(sort -u statuses)" = "402  application/problem+json
429 1 application/problem+json" ] || fail "one network demands 400 times: $(sort statuses | uniq -c)"
    [ "$(grep -c ^402 statuses)" -ge 100 ] || fail "refused too early: $(sort statuses | uniq -c)"
    [ "$(grep -l '"status":429.*demands too much' throttled/* | wc -l)" = "$(grep -c ^429 statuses)" ] || fail "not told: $(cat throttled/400)"
    [ $(($(states | wc -w) - before)) = "$(grep -c ^402 statuses)" ] || fail "what was refused is kept"
    order=$(telepay-mediator order list --state requested --json | jq -r '.orders[-1].order')
    answers 200 requested --interface 127.0.0.9 "$origin/orders/$order"
    answers 402 "payment-required" "$origin/s/journal/article-1?throttled"
}

inside() {
    cd "$dir" || exit 1
    set_up
    quotes
    deliveries
    requests
    throttled
    flood
    moved
    given_up
    expect 0 "" telepay-mediator service close --name liar
    until_closed
    expect 0 "" telepay-acquirer audit
    kill "$mediator" "$acquirer" "$service" "$lying"
    wait "$mediator" || fail "telepay-mediator serve does not end cleanly: $(cat mediator.log)"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/mediator_services.sh" inside "$dir" || exit 1
echo "mediator_services.sh: lies were not paid for"
