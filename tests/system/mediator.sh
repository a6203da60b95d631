#!/bin/bash
# The exchanges A to K, with the programs as people type them: a card behind pcscd pays an order of a service, through a mediator, at the acquirer; and what
# goes wrong on the way: an acquirer that is silent or away, a service that is away, killed programs. Nothing is paid twice, nothing delivered unpaid.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"

set_up() {
    set_up_acquirer
    set_up_mediator
    serve_shop
}


receipt_order() { # of the last answer
    sed -n 's/^[Pp]ayment-[Rr]eceipt: //p' heads | tr -d '\r' | tr '_-' '/+' | { cat; echo '=='; } | tr -d '\n' | base64 -di 2>/dev/null | jq -r .externalId
}

changed() { # from, to: the credential with other words in its challenge
    python3 - "${bought#Payment }" "$@" <<'END'
import base64, sys
text, was, now = sys.argv[1:]
credential = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
assert was in credential
print("Payment " + base64.urlsafe_b64encode(credential.replace(was, now).encode()).decode().rstrip("="))
END
}

other_clients() {
    local at=$origin/s/journal/article-1 before n order all=()
    buy $at?bearer
    expect 0 'header="Payment-Authorization"' ask -o /dev/null -D - -H 'Authorization: Bearer abc' $at?bearer
    expect 0 'first article' ask -H 'Authorization: Bearer abc' -H "Payment-Authorization: $bought" $at?bearer
    # a browser is asked for the same order again, and where its Authorization has something else for one that it can pay
    ask -o /dev/null -c cookies -H 'Accept: text/html' $at?browser
    before=$(states | wc -w)
    expect 0 'WWW-Authenticate: Payment' ask -o /dev/null -D - -b cookies $at?browser
    unsaid 'header='
    [ "$(states | wc -w)" = "$before" ] || fail "another order: $(states)"
    pause 1 # the newest is found again, by the second in which it was made
    for n in 1 2; do
        expect 0 'header="Payment-Authorization"' ask -o /dev/null -D - -b cookies -H 'Authorization: Bearer abc' $at?browser
        [ "$(states | wc -w)" = $((before + 1)) ] || fail "not one order more: $(states)"
    done
    before=$(paid)
    buy $at
    expect 0 '402' ask -o /dev/null -w '%{http_code}' -H "Authorization: $bought" $origin/s/journal/article-1?other=1
    expect 0 'invalid-challenge' ask -H "Authorization: $bought" $origin/s/journal/article-1?other=1
    expect 0 'malformed-credential' ask -H "Authorization: Payment $(echo "${bought#Payment }" | tr 'abc' 'bca')" $at
    expect 0 'invalid-challenge' ask -H "Authorization: $(changed '"expires":"2026' '"expires":"2036')" $at
    expect 0 'invalid-challenge' ask -H "Authorization: $(changed '"realm":"l' '"realm":"L')" $at
    expect 0 'first article' pay $at
    grep -qi '^payment-receipt: ' heads || fail "no receipt: $(cat heads)"
    grep -qi '^cache-control: private' heads || fail "a receipt that others may keep: $(cat heads)"
    order=$(receipt_order)
    for n in 1 2 3 4 5 6 7 8; do
        pay $at >"again.$n" &
        all+=($!)
    done
    wait "${all[@]}"
    grep -L '^200$' again.* | grep . && fail "the same credential eight times: $(cat again.*)"
    expect 0 '200' ask -o /dev/null -w '%{http_code}' -H "authorization: payment ${bought#Payment }" $at # another spelling
    expect 0 '400' ask -o /dev/null -w '%{http_code}' -H "Authorization: $bought" -H "Payment-Authorization: $bought" $at
    expect 0 '400' ask -o /dev/null -w '%{http_code}' -H "Authorization: $bought" -H "Authorization: $bought" $at
    expect 0 'first article' ask -H "Authorization: $bought" "$origin/orders/$order/delivery"
    expect 0 '403' ask -o /dev/null -w '%{http_code}' "$origin/orders/$order/delivery"
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
}

# What collectors of metrics read, while it serves: as strict as they are, and the numbers of status.
measured() { # line of check_metrics.py…
    local line
    telepay-mediator status --metrics >metrics 2>metrics.err || fail "status --metrics: $(cat metrics.err)"
    telepay-mediator status --json >status.json || fail "status --json"
    "${TESTS_SRCDIR:?}/tools/check_metrics.py" metrics status.json >measured 2>&1 || fail "status --metrics: $(cat measured metrics)"
    for line in "$@"; do
        grep -q "^$line\$" measured || fail "no \"$line\" in: $(cat measured)"
    done
    ! grep -Eq '9990140000000015|localhost|127\.0\.0\.1|://' metrics || fail "a card number or an address: $(cat metrics)"
}

# Nobody answers: it is not known, and nobody is asked to pay again; later the same credential gets what it paid.
silence() {
    local at="$origin/s/journal/article-1?silence" before
    before=$(paid)
    buy "$at"
    kill -STOP "$acquirer"
    expect 0 '503' pay "$at"
    grep -qi '^retry-after: ' heads || fail "when is it to be asked again: $(cat heads)"
    grep -qi '^www-authenticate' heads && fail "asked to pay again: $(cat heads)"
    [ "$(telepay-mediator order list --state unknown --json | jq '.orders | length')" = 1 ] || fail "not unknown: $(states)"
    measured 'orders unknown EUR emv 1' 'orders_amount delivered EUR emv [0-9]*\.[0-9][0-9]'
    awk -v now="$(date +%s)" '/^orders_oldest_timestamp_seconds unknown EUR emv/ { found = $5 <= now && $5 > now - 300 } END { exit !found }' measured ||
        fail "since when: $(cat measured)"
    kill -KILL "$mediator"
    wait "$mediator" # which knows it again
    serve_mediator
    expect 0 '503' pay "$at"
    kill -CONT "$acquirer"
    until_said 'delivered' mediator.log
    expect 0 'first article' pay "$at"
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
}

# The mediator has another key for its challenges: what was paid stays paid, and what was not is asked for anew.
another_key() {
    local at="$origin/s/journal/article-1?key" paid_with before
    buy "$at"
    paid_with=$bought
    expect 0 'first article' pay "$at"
    buy "$origin/s/journal/article-1?late"
    before=$(paid)
    kill "$mediator"
    wait "$mediator"
    mv med/challenge.key challenge.before
    (umask 077 && head -c 32 /dev/urandom >med/challenge.key)
    serve_mediator
    reached
    expect 0 'invalid-challenge' pay "$origin/s/journal/article-1?late"
    bought=$paid_with
    expect 0 'first article' pay "$at"
    said '200'
    expect 0 'first article' ask -H "Authorization: $bought" "$origin/orders/$(receipt_order)/delivery"
    [ "$(paid)" = "$before" ] || fail "paid $(paid) times, not $before"
    kill "$mediator"
    wait "$mediator"
    mv challenge.before med/challenge.key
    serve_mediator
    reached
}

# Nobody is there: nothing is consumed, and the same credential pays later.
away() {
    local at="$origin/s/journal/article-1?away" before
    before=$(paid)
    buy "$at"
    kill "$acquirer"
    until_said 'is not reached' mediator.log
    expect 0 '"consumed":false' pay "$at"
    said '503'
    serve_acquirer
    reached
    expect 0 'first article' pay "$at"
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
}

# Who asks leaves at every step: before the quote, the outcome, word of it, the delivery. Nobody pays twice, and who comes back gets what he paid.
gone() { # command…
    "$@" -m 0.4 >/dev/null
    [ $? = 28 ] || fail "$* did not wait: $(cat mediator.log)"
}

leaves() {
    local at="$origin/s/journal/article-1?leaves" before order left
    before=$(paid)
    kill -STOP "$service"
    gone ask "$at"
    gone ask -H 'Accept: text/html' "$at"
    kill -CONT "$service"
    buy "$at"
    gone ask "$origin/orders/$(telepay-mediator order list --state requested --json | jq -r '.orders[-1].order')?wait=30"
    kill -STOP "$service" "$acquirer"
    gone pay "$at"
    kill -CONT "$acquirer"
    for left in {200..0}; do
        order=$(telepay-mediator order list --state acknowledged --json | jq -r '.orders[].order')
        [ -n "$order" ] && break
        [ "$left" = 0 ] && fail "not paid: $(states)"
        pause 0.05
    done
    gone ask "$origin/orders/$order?wait=30"
    gone pay "$at"
    gone ask -H "Authorization: $bought" "$origin/orders/$order/delivery"
    kill -CONT "$service"
    expect 0 'first article' pay "$at"
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
}

# Paid, and the service is away: it is asked again until it delivers.
slow_service() {
    local at="$origin/s/journal/article-1?service"
    buy "$at"
    kill -KILL "$service"
    pay "$at" >late &
    local late=$!
    until_said 'does not deliver' mediator.log
    serve_service
    wait "$late"
    grep -q 'first article' late || fail "not delivered in the end: $(cat late) $(cat mediator.log)"
}

# Paid, and there is none left: given back, and told. Who asks then is told that it is sold out, and no order is made.
sold_out() {
    local at=$origin/s/journal/book late orders left
    cat >>journal/catalogue.ini <<'END'

[book]
designation = A book
price       = 12.00 EUR
delivery    = shipped
note        = by bike & ferry
stock       = 1

[leaflet]
price       = free
delivery    = shipped
END
    late=$(challenge $at)
    buy $at
    expect 0 '"shipped"' pay $at
    # people get a page of it, in their language
    expect 0 '<h1>On its way</h1>' pay -H 'Accept: text/html' $at
    said '<blockquote><p>by bike &amp; ferry</p></blockquote>'
    grep -qi '^payment-receipt: ' heads || fail "no receipt: $(cat heads)"
    ! grep -qi '^content-security-policy: sandbox' heads || fail "a page of the mediator's own is in a box: $(cat heads)"
    expect 0 '<html lang="fr"' pay -H 'Accept: text/html' -H 'Accept-Language: fr' $at
    said 'Le commerçant dit'
    expect 0 '<h1>On its way</h1>' ask -H 'Accept: text/html' $origin/s/journal/leaflet # what is free, too
    expect 0 '"shipped"' ask $origin/s/journal/leaflet
    expect 0 "" telepay authority add --home home2 acq/pki/ca.pem
    bought=$(telepay credential --header --cacert med/pki/ca.pem --home home2 --pin-fd 3 --wait 5 --up-to "1000 EUR" 3< <(printf 1234) <<<"$late" 2>credential.log) ||
        fail "no credential: $(cat credential.log)"
    orders=$(paid)
    expect 0 '410' pay $at
    said 'given back'
    for left in {200..0}; do # it is told as soon as it is to be: the acquirer is asked beside
        [ "$(paid)" = "$orders" ] && [ -n "$(telepay-mediator order list --state reversed --json | jq -r '.orders[].order')" ] && break
        [ "$left" = 0 ] && fail "not given back: $(telepay-acquirer list)"
        pause 0.05
    done
    # a proof of what was acknowledged is one still, and does not pass for a sale
    expect 0 "what was paid is given back" telepay-mediator order prove "$(telepay-mediator order list --state reversed --json | jq -r ".orders[-1].order")"
    said "acknowledged by acquirer"
    orders=$(states)
    expect 0 "$at answered 409: it is sold out, and nothing is to be paid" get $at
    said '"detail":"it is sold out, and nothing is to be paid"' # and the answer, as it is
    expect 22 "$at answered 409: it is sold out" get -f $at
    expect 0 '"detail":"it is sold out' get -s $at
    unsaid 'answered 409'
    [ "$(states)" = "$orders" ] || fail "an order was made: $(states)"
}

stands() { # state, what is told of it: order show of one that stands there
    local id
    id=$(python3 -c "import sqlite3, sys; d = sqlite3.connect('med/mediator.db'); i = d.execute('SELECT id FROM mediated_order WHERE state = 7 AND amount = 150').fetchone()[0]
d.execute('UPDATE mediated_order SET state = ? WHERE id = ?', (sys.argv[1], i)); d.commit(); print(i)" "$1") || fail "no order is delivered: $(states)"
    telepay-mediator order show "$id" >order.json 2>order.err || fail "order show: $(cat order.err)"
    jq -e . order.json >/dev/null || fail "no JSON: $(cat order.json)"
    grep -qF "$2" order.err || fail "not told \"$2\": $(cat order.err)"
}

inside() {
    cd "$dir" || exit 1
    set_up
    insert cards/marie
    expect 0 "A shop of telepay-service" ask $origin/s/journal/about
    expect 0 "first article of the shop" get $origin/s/journal/article-1
    [ "$(states)" = delivered ] || fail "the order is $(states)"
    expect 0 "acknowledged by acquirer" telepay-mediator order prove "$(order_of)"
    expect 0 "$(order_of)" telepay order prove --home home "$(order_of)"
    expect 0 "$(order_of)" telepay-acquirer prove "$(telepay-acquirer list --json | jq -r '.transactions[-1].rrn')"
    other_clients
    silence
    away
    another_key
    slow_service
    leaves
    sold_out
    measured 'service_open journal 1' 'acquirer_open [A-Za-z0-9]*.* 1'
    expect 2 "say one" telepay-mediator status --metrics --json
    expect 0 "" telepay-acquirer audit
    expect 0 "" "$here/no-plain-pan.py" acq med journal
    ! grep -E '9990140000000015' ./*.log || fail "a card number in a log"
    kill "$mediator" "$acquirer" "$service"
    wait "$mediator" || fail "telepay-mediator serve does not end cleanly: $(cat mediator.log)"
    # what no program mends by itself is told in plain words, beside the JSON
    stands 8 'it was paid and not delivered: the acquirer is asked to give it back'
    stands 10 'it was paid, not delivered and not given back: the merchant owes the payer a credit of 1.50 EUR'
    # a name that no service add takes: it is one value all the same
    python3 -c "import sqlite3; d = sqlite3.connect('med/mediator.db'); d.execute(r'''INSERT INTO service VALUES ('o\"n\\e', 1, 2)'''); d.execute(r'''INSERT INTO service_contract VALUES ('o\"n\\e', 1, '1')'''); d.commit()"
    measured 'service_open o"n\\e 0'
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/mediator.sh" inside "$dir" || exit 1
echo "mediator.sh: demanded, paid once, delivered"
