#!/bin/bash
# `telepay get`, `pay --order` and `order` against a mediator that behaves as told (tests/tools/fake_mediator.py): what is paid, and above all what is not, and not twice.
# Parts, to run side by side: without words what is well; `forged` orders, `lost` answers, `curl`'s habits; by `purse`, without a card, and within a `purse_session`.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

tools=${TESTS_SRCDIR:?}/tools
export XDG_CONFIG_HOME=$PWD/config # no test writes into a real one
mediator=
serve() { # mode: a mediator anew
    mode "$@"
    [ -z "$mediator" ] || { kill "$mediator"; wait "$mediator"; } 2>/dev/null
    launch "$dir/mediator.log" "listening on" python3 "$tools/fake_mediator.py" serve "$dir/mediator" "${port:-0}"
    mediator=$launched
    port=$(sed -n 's/^listening on //p' "$dir/mediator.log")
    base=https://localhost:$port
}
mode() { echo "$*" >"$dir/mediator/mode"; }
get() { printf '%b' "${pins-1234}" | telepay get --cacert mediator/tls.pem --home home --pin-fd 0 --wait 5 --patience "${patience-6}" --up-to "${up_to-100.00 EUR}" "$@"; }
order() { local verb=$1; shift; telepay order "$verb" --cacert mediator/tls.pem --home home --patience "${patience-6}" "$@"; }
states() { order list --json | jq -r '[.orders[] | .state + (if .delivered then "+" else "" end)] | join(" ")'; }
heard_times() { grep -c "${match--F}" -- "$1" "$dir/mediator.log"; }
payments() { sed -n 's|^POST /orders/[a-z2-7]*/payment ||p' "$dir/mediator.log"; } # the hash of each that was sent
distinct() { payments | sort -u | wc -l; }
newest() { order list --json | jq -r '.orders[0].order'; }
got() { # exit code, what stands in the content, what is said, command…
    local code=$1 body=$2 text=$3 is content
    shift 3
    "$@" >"$dir/stdout" 2>"$dir/out"
    is=$?
    [ "$is" = "$code" ] || fail "$*: exit $is, not $code: $(cat "$dir/stdout" "$dir/out" "$dir/mediator.log")"
    [ -z "$text" ] || file_has -F "$text" "$dir/out" || fail "$*: no \"$text\" in: $(cat "$dir/out")"
    content=$(<"$dir/stdout")
    [ "$content" = "$body" ] || fail "$*: the content is \"$content\", not \"$body\": $(cat "$dir/out")"
}
fresh() { # a folder of the user's own, with the authority trusted, and a card as from the factory
    rm -rf home
    expect 0 "" telepay authority add --home home mediator/ca.pem
    remove
    rm -rf card && cp -r "${1-factory}" card
    insert card
}

authorities() {
    local print
    print=$(openssl x509 -in mediator/ca.pem -noout -fingerprint -sha256 | sed 's/.*=//;s/://g' | tr A-F a-f)
    rm -rf home
    expect 0 "$print" telepay authority add --home home mediator/ca.pem
    said "ca of tests"
    said "must be an acquirer's authority. Servers are not known by it"
    [ "$(stat -c %a home home/authorities)" = "700
700" ] || fail "the folder is open: $(stat -c '%a %n' home home/authorities)"
    expect 2 "trusted already" telepay authority add --home home mediator/ca.pem
    expect 5 "is no authority's certificate" telepay authority add --home home mediator/order.pem
    expect 2 "is no certificate" telepay authority add --home home mediator/mode
    expect 0 "$print" telepay authority list --home home --json
    expect 2 "8 digits at least" telepay authority remove --home home "${print:0:4}"
    telepay authority remove --home home "${print:0:12}" || fail "authority remove"
    [ "$(telepay authority list --home home | wc -l)" -le 1 ] || fail "an authority is still there"
    expect 0 "$print" telepay authority add mediator/ca.pem
    [ -e config/telepay/authorities/"$print".pem ] || fail "not in XDG_CONFIG_HOME"
    HOME=$dir XDG_CONFIG_HOME='' expect 0 "$print" telepay authority add mediator/ca.pem
    [ -e .config/telepay/authorities/"$print".pem ] || fail "not in HOME"
}

well() {
    authorities
    serve ok
    rm -rf home
    insert factory
    # nobody is trusted: the card is not even asked for
    got 5 "" "no acquirer's authority is trusted yet" get "$base/s/shop/chart"
    fresh
    got 0 "the chart" "paid 12.50 EUR to Librairie du Port, reference 632700" get "$base/s/shop/chart"
    [ "$(states)" = "acknowledged+" ] || fail "$(states)"
    [ "$(heard_times "acquirer 00 signed by the card")" = 1 ] || fail "$(cat mediator.log)"
    [ "$(distinct)" = 1 ] || fail "$(payments)"
    [ "$(stat -c %a home/journal.db home/journal.db.key)" = "600
600" ] || fail "others may read the journal"
    ! grep -aqr 9990140000000015 home || fail "a card number stands in clear in the user's folder"
    ! grep -aq '"transaction"' home/journal.db home/journal.db-wal || fail "a credential stands in clear in the journal"
    # the same again is bought again
    got 0 "" "paid" get "$base/s/shop/chart" -o chart
    [ "$(cat chart)" = "the chart" ] && [ "$(distinct)" = 2 ] || fail "$(cat chart) $(payments)"
    well_and_over_the_floor
    terminal
}

well_and_over_the_floor() {
    fresh
    got 0 "" "paid" get -o chart "$base/s/shop/chart"
    [ "$(cat chart)" = "the chart" ] || fail "-o: $(cat chart)"
    [ "$(states)" = "acknowledged+" ] || fail "$(states)"
    # -v names the exchanges, and shows neither credential nor card number
    got 0 "the chart" "* A  GET $base/s/shop/chart" get -v "$base/s/shop/chart"
    for text in "* D  402, 1 way to pay" "* D  order" "* E  the transaction of the order" "* H  200" "* K  200" "> Authorization: (not shown)"; do
        said "$text"
    done
    ! grep -qE "9990140000000015|eyJ[A-Za-z0-9_-]{200}.*payload" out || fail "a secret is shown: $(cat out)"
    # silent
    got 0 "the chart" "" get -s "$base/s/shop/chart"
    [ ! -s out ] || fail "not silent: $(cat out)"
    # a body
    got 0 "the chart" "paid" get -d a=b -d c "$base/s/shop/order"
    [ "$(heard_times "POST /s/shop/order")" = 1 ] || fail "$(cat mediator.log)"
    # over the floor limit the card asks for its issuer, and the mediator hears how it ended
    fresh online
    got 0 "the chart" "paid 60.00 EUR" get "$base/s/shop/chart?price=6000"
    [ "$(heard_times "completed True")" = 1 ] || fail "$(cat mediator.log)"
    [ "$(states)" = "acknowledged+" ] || fail "$(states)"
    order show "$(newest)" >out || fail "order show"
    said "APPROVED"
    said "A12345"
    # a card that does not believe that it was its issuer: given back, nothing delivered
    serve wrong-arpc
    fresh
    got 1 "" "what was asked is reversed" get "$base/s/shop/chart?price=6000"
    [ "$(heard_times "completed False")" = 1 ] || fail "$(cat mediator.log)"
    [ "$(states)" = "reversed" ] || fail "$(states)"
    # a card that is not asked whom it pays: the device signs
    mode ok
    fresh old
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    [ "$(heard_times "acquirer 00 signed by the device")" = 1 ] || fail "$(cat mediator.log)"
    [ "$(stat -c %a home/device.jwk)" = 600 ] || fail "others may read the device's key"
    orders
}

orders() { # list, show, prove, of what was bought
    local id
    fresh
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    id=$(newest)
    expect 0 "Carte marine 7066" order list
    expect 0 "$id" telepay order --home home
    expect 0 "APPROVED" order show "$id"
    said "acknowledged, delivered"
    order show "$id" --json | python3 -m json.tool >out || fail "show --json: $(cat out)"
    said '"payment_receipt": "ey'
    expect 0 "Proved by the authority" order prove "$id" --out proof.json
    said "the proof is in proof.json"
    python3 -m json.tool proof.json >out || fail "the proof is no JSON: $(cat proof.json)"
    said '"acknowledgement": "ey'
    proofs "$id"
    order prove "$id" --json | python3 -m json.tool >out || fail "prove --json: $(cat out)"
    said '"outcome": "acknowledged"'
    expect 2 "has no order" order show aaaaaaaaaaaaaaaaaaaaaaaaaa
    expect 0 "everything is settled" order send
    telepay authority remove --home home "$(telepay authority list --home home --json | grep -o '[0-9a-f]\{64\}')" || fail "authority remove"
    expect 5 "is trusted no more" order prove "$id"
    by_url
}

spoilt() { # what is changed in proof.json, as Python: another file
    python3 -c 'import base64, json, sys
def token(text, change):
    head, body, tail = text.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    change(said)
    return ".".join([head, base64.urlsafe_b64encode(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).decode().rstrip("="), tail])
p = json.load(open("proof.json")); exec(sys.argv[1]); json.dump(p, open("forged.json", "w"))' "$1" || fail "cannot be spoilt: $1"
}

# Another holds what was written to the authority's certificate, without network, journal or books: itself, and whatever was forged in it.
proofs() { # the order
    local change
    expect 0 "$1 by mediator" telepay-acquirer verify proof.json --authority mediator/ca.pem
    said "12.50 EUR"
    said "acknowledged, reference"
    telepay-acquirer verify proof.json --authority mediator/ca.pem --json | python3 -c 'import json, sys
assert [(c["check"], c["outcome"]) for c in json.load(sys.stdin)["checks"]] == [("order", "ok"), ("acknowledgement", "ok")]' || fail "verify --json"
    expect 5 "name the acquirer's authority with --authority" telepay-acquirer verify proof.json
    expect 5 "FAILED" telepay-acquirer verify proof.json --authority mediator/tls.pem
    for change in 'p["acknowledgement"] = token(p["acknowledgement"], lambda a: a.update(amount="1251"))' \
        'p["acknowledgement"] = token(p["acknowledgement"], lambda a: None)[:-4] + "AAAA"' \
        'p["challenge"]["id"] += "A"' 'p["challenge"]["realm"] = "elsewhere"' 'p["challenge"]["request"] = p["challenge"]["request"][:-2]' \
        'p["acknowledgement"] = 1' 'del p["acknowledgement"]' 'p["acknowledgement"] = ""' 'p["challenge"] = {}'; do
        spoilt "$change"
        expect 5 "FAILED" telepay-acquirer verify forged.json --authority mediator/ca.pem
    done
    # the acquirer's word on another payment, right by itself
    mv proof.json first.json
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    expect 0 "Proved by the authority" order prove "$(newest)" --out proof.json
    spoilt 'p["challenge"] = json.load(open("first.json"))["challenge"]'
    expect 5 "the acknowledgement is of another payment" telepay-acquirer verify forged.json --authority mediator/ca.pem
    echo '{"challenge": "text"}' >forged.json
    expect 2 'no object "tags"' telepay-acquirer verify forged.json --authority mediator/ca.pem
}

pay_url() { printf 1234 | telepay pay --order "$1" --cacert mediator/tls.pem --home "${2-home}" --pin-fd 0 --wait 5 --patience 3 --up-to "100.00 EUR"; }
by_url() { # pay --order
    local url first
    fresh
    curl -s --cacert mediator/tls.pem "$base/s/shop/chart" >demand
    url=$(jq -r .order demand)
    expect 5 "another order, or of another mediator" pay_url "${url/localhost/127.0.0.1}"
    expect 0 "APPROVED" pay_url "$url"
    said "must show the code K7QX"
    [ "$(states)" = "acknowledged+" ] || fail "$(states)"
    expect 2 "it is acknowledged" pay_url "$url"
    curl -s --cacert mediator/tls.pem "$base/s/shop/chart" >demand
    url=$(jq -r .order demand)
    curl -s --cacert mediator/tls.pem -d '{"claim":"AAAAAAAAAAAAAAAAAAAAAA"}' "$url/claim" >/dev/null
    expect 2 "another device has taken this order" pay_url "$url"
    # two runs of one user: the second does not give back what the first is about to pay
    curl -s --cacert mediator/tls.pem "$base/s/shop/chart" >demand
    url=$(jq -r .order demand)
    remove
    begin first.log telepay pay --order "$url" --cacert mediator/tls.pem --home home --pin-fd 3 --wait 20 --up-to "100.00 EUR" 3< <(printf 1234)
    first=$begun
    until_said "must show the code" first.log
    expect 2 "another telepay of yours is paying this order" pay_url "$url"
    [ "$(heard_times "${url#"$base"}/release")" = 0 ] || fail "given back under the first: $(cat mediator.log)"
    insert card
    wait "$first" || fail "the first does not pay: $(cat first.log)"
    expect 2 "it is acknowledged" pay_url "$url"
    expect 2 "no --amount" telepay pay --order "$url" --amount 1
}

# What no payer may pay is refused before the card is asked for anything: there is none in the reader.
forged() {
    local wrong sent
    serve ok
    fresh
    remove
    for wrong in \
        "stranger 5 certificate" "role 5 another purpose" "contract-key 5 contract" "typ 5 its header" "altered 5 signature" \
        "other-amount 5 amount" "other-currency 5 currency" "other-item 5 description" "other-order 5 externalId" "other-contract 5 contract" \
        "expired 4 " "future 4 " "challenge-expired 4 has expired" \
        "other-url 5 which was asked for" "other-method 5 not for the GET" "other-digest 5 another body" "other-origin 5 which was asked for" \
        "ceiling 5 over what it takes by card" "no-card 5 not to be paid by card" \
        "stranger-sealing 5 certificate" "other-sealing 5 another acquirer" "role-sealing 5 another purpose"; do
        read -r name code text <<<"$wrong"
        mode "$name"
        printf 1234 | telepay get --cacert mediator/tls.pem --home home --pin-fd 0 --wait 0 --up-to "100.00 EUR" "$base/s/shop/chart" >stdout 2>out
        got=$?
        [ "$got" = "$code" ] || [ "$got" = 5 ] || [ "$got" = 2 ] || fail "$name: exit $got, not $code: $(cat out)"
        grep -qF -- "$text" out || fail "$name: no \"$text\": $(cat out)"
        ! grep -q "insert\|reader" out || fail "$name: the card was asked for: $(cat out)"
        [ ! -s stdout ] || fail "$name: $(cat stdout)"
    done
    [ "$(payments | wc -l)" = 0 ] || fail "something was paid: $(cat mediator.log)"
    # parameters: unsigned by the right role, of another acquirer, older than those that are kept
    for wrong in "stranger-parameters certificate" "order-parameters another purpose" "other-parameters another acquirer"; do
        read -r name text <<<"$wrong"
        mode "$name"
        expect 5 "$text" get "$base/s/shop/chart"
    done
    insert card
    mode ok
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    sent=$(heard_times "GET /parameters/")
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    [ "$(heard_times "GET /parameters/")" = "$sent" ] || fail "parameters that are kept are fetched again"
    mode new-parameters
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    [ "$(heard_times "GET /parameters/")" = $((sent + 1)) ] || fail "newer parameters are not fetched"
    mode old-parameters # the mediator has older ones: those that are kept are used
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    [ "$(heard_times "GET /parameters/")" = $((sent + 1)) ] || fail "older parameters are fetched"
    mode other-means
    got 1 "other" "this device pays by none of tempo" get "$base/s/shop/chart"
    # without a yes nothing is paid, and without a terminal nobody can say it
    mode ok
    sent=$(payments | wc -l)
    up_to="12.49 EUR" expect 2 "there is no terminal to ask on whether to pay, asked, since --up-to says 12.49 EUR" setsid bash -c "printf 1234 | telepay get --cacert mediator/tls.pem --home home --pin-fd 0 --up-to '12.49 EUR' $base/s/shop/chart"
    expect 2 "there is no terminal to ask on" setsid bash -c "printf 1234 | telepay get --cacert mediator/tls.pem --home home --pin-fd 0 --up-to '100.00 USD' $base/s/shop/chart"
    [ "$(payments | wc -l)" = "$sent" ] || fail "paid without a yes"
}

lost() {
    serve "lost 1"
    fresh
    # the answer is lost: the same bytes again
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    [ "$(payments | wc -l)" = 2 ] && [ "$(distinct)" = 1 ] || fail "not the same again: $(payments)"
    serve "lost-before 2"
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    [ "$(payments | wc -l)" = 3 ] && [ "$(distinct)" = 1 ] || fail "not the same again: $(payments)"
    # 503: the same again
    serve "busy 2"
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    [ "$(payments | wc -l)" = 3 ] && [ "$(distinct)" = 1 ] || fail "not the same again: $(payments)"
    # never an answer: kept, said, and not bought again while nobody knows
    serve late
    fresh
    patience=2 got 4 "" "THE CARD HAS SIGNED" get "$base/s/shop/chart"
    said "; here: telepay order send --home home --cacert mediator/tls.pem"
    [ "$(states)" = signed ] || fail "$(states)"
    patience=2 got 4 "" "not paid again" get "$base/s/shop/chart"
    said "telepay order send --home home --cacert mediator/tls.pem"
    [ "$(distinct)" = 1 ] || fail "signed again: $(payments)"
    mode ok
    expect 0 "acknowledged" order send
    got 0 "the chart" "" get "$base/s/shop/chart" # what is paid comes, and is not paid again
    unsaid paid
    [ "$(distinct)" = 1 ] || fail "signed again: $(payments)"
    [ "$(states)" = "acknowledged+" ] || fail "$(states)"
    # the next run of another kind sends it, too
    serve late
    fresh
    patience=2 got 4 "" "THE CARD HAS SIGNED" get "$base/s/shop/chart"
    mode ok
    got 0 "free: GET " "acknowledged, reference" get "$base/free/page"
    [ "$(states)" = "acknowledged" ] || fail "$(states)"
    declined
    unreached
    undelivered
    killed
    killed_asking
    asked_in_vain
}

declined() { # 402 after signing: told, and nothing is signed again by itself
    serve refused
    fresh
    got 1 "" "the account has not enough funds (51" get "$base/s/shop/chart"
    [ "$(distinct)" = 1 ] && [ "$(payments | wc -l)" = 1 ] || fail "signed again: $(payments)"
    [ "$(states)" = "refused" ] || fail "$(states)"
    expect 0 "is refused" order prove "$(newest)" --out proof.json
    expect 5 "REFUSED" telepay-acquirer verify proof.json --authority mediator/ca.pem # the acquirer's word, and no payment
    said "said at"
    for how in payment-expired conflict; do
        serve "$how"
        fresh
        got 1 "" "" get "$base/s/shop/chart"
        [ "$(states)" = "not paid" ] || fail "$how: $(states)"
    done
    serve gone
    fresh
    got 1 "" "given back" get "$base/s/shop/chart"
    [ "$(states)" = "reversed" ] || fail "$(states)"
    for how in garbage bad-ack other-ack not-found bad-request; do # says nothing of the payment that can be believed
        serve "$how"
        fresh
        get "$base/s/shop/chart" >stdout 2>out
        case $? in 2 | 4 | 5) ;; *) fail "$how: $(cat out)" ;; esac
        said "THE CARD HAS SIGNED"
        [ "$(states)" = "signed" ] || fail "$how: $(states)"
    done
}

unreached() { # nothing was consumed: what is signed is kept, and sent when the acquirer is there
    serve unreached
    fresh
    patience=2 got 4 "" "does not reach the acquirer" get "$base/s/shop/chart"
    [ "$(states)" = "signed" ] || fail "$(states)"
    mode ok
    expect 0 "acknowledged" order send
    # a question that nobody consumed: the card's own signature pays nothing
    serve unreached
    fresh online
    patience=2
    got 4 "" "nobody answered the card" get "$base/s/shop/chart?price=6000"
    patience=6
    [ "$(states)" = "not paid" ] || fail "$(states)"
}

undelivered() {
    serve delivery-503
    fresh
    got 0 "the chart" "paid" get "$base/s/shop/chart"
    serve delivery-404
    got 0 "the chart, from its own address" "paid" get "$base/s/shop/chart"
    serve delivery-410
    fresh
    got 4 "" "given back" get "$base/s/shop/chart"
    [ "$(states)" = "reversed" ] || fail "$(states)"
    expect 0 "what came of it after that: reversed" order prove "$(newest)"
    serve delivery-410 it was paid, and a credit is due: none is left # and is not given back
    fresh
    got 4 "" "is not delivered: it was paid, and a credit is due: none is left" get "$base/s/shop/chart"
    unsaid "given back"
    order show "$(newest)" >out || fail "order show"
    said "a credit is due: none is left"
    serve delivery-402 # never a second payment
    fresh
    got 4 "" "not paid again" get "$base/s/shop/chart"
    [ "$(distinct)" = 1 ] || fail "$(payments)"
    [ "$(states)" = "acknowledged" ] || fail "$(states)"
    mode ok
    got 0 "the chart" "" get "$base/s/shop/chart"
    unsaid paid
    [ "$(distinct)" = 1 ] || fail "$(payments)"
}

killed() { # between signature and answer: the next run sends the same
    local n paying
    for n in 1 2 3 4; do
        serve late
        fresh
        printf 1234 >typed
        telepay get --cacert mediator/tls.pem --home home --pin-fd 0 --up-to "100.00 EUR" "$base/s/shop/chart" <typed >stdout 2>out &
        paying=$!
        if [ $((n % 2)) = 1 ]; then
            until_said "/payment" "$dir/mediator.log"
        else
            pause 0.$((RANDOM % 900 + 100))
        fi
        kill -9 $paying
        wait $paying 2>/dev/null
        mode ok
        got 0 "the chart" "" get "$base/s/shop/chart"
        [ "$(distinct)" = 1 ] || fail "kill $n: signed again: $(cat mediator.log out)"
        [ "$(states)" = "acknowledged+" ] || fail "kill $n: $(states)"
    done
}

killed_asking() { # at instants of all kinds while the card asks for its issuer: payer and mediator agree afterwards, and nothing is signed twice
    local n paying state
    printf 1234 >typed
    for n in $(seq "${GET_KILLS-8}"); do
        serve ok
        fresh online
        telepay get --cacert mediator/tls.pem --home home --pin-fd 0 --up-to "100.00 EUR" "$base/s/shop/chart?price=6000" <typed >stdout 2>out &
        paying=$!
        case $((n % 4)) in
        1) until_said "/payment" "$dir/mediator.log" ;;
        2) until_said "completed" "$dir/mediator.log" ;;
        *) pause 0.$((RANDOM % 900 + 100)) ;;
        esac
        kill -9 $paying 2>/dev/null
        wait $paying 2>/dev/null
        order send >out 2>&1
        case $? in 0 | 1) ;; *) fail "kill $n: $(cat out mediator.log)" ;; esac
        [ "$(distinct)" -le 1 ] || fail "kill $n: signed twice: $(cat mediator.log)"
        state=$(states)
        case $state in
        "") [ "$(distinct)" = 0 ] || fail "kill $n: sent and not kept: $(cat mediator.log)" ;;
        reversed) [ "$(heard_times "completed True")" = 0 ] || fail "kill $n: reversed after it was completed: $(cat mediator.log)" ;;
        "acknowledged" | "acknowledged+") [ "$(heard_times "completed True")" -ge 1 ] || fail "kill $n: $state: $(cat mediator.log)" ;;
        *) fail "kill $n: $state: $(cat mediator.log)" ;;
        esac
        got 0 "the chart" "" get "$base/s/shop/chart?price=6000"
    done
}

asked_in_vain() { # the card asked for its issuer, and the answer never came: what it then signs pays nothing, and what was approved is given back
    serve late
    fresh online
    patience=2
    get "$base/s/shop/chart?price=6000" >stdout 2>out
    case $? in 1 | 4) ;; *) fail "$(cat out)" ;; esac
    said "nothing is paid"
    [ "$(states)" = "signed" ] || fail "$(states)"
    mode ok
    patience=6
    expect 1 "reversed" order send
    [ "$(heard_times "completed False")" = 1 ] && [ "$(distinct)" = 1 ] || fail "$(cat mediator.log)"
    # the card completed, and the mediator's word about it is lost: told again
    serve lost-completion
    fresh online
    got 0 "the chart" "paid" get "$base/s/shop/chart?price=6000"
    [ "$(heard_times "completed True")" = 2 ] || fail "$(cat mediator.log)"
}

curl_habits() {
    local other
    serve ok
    fresh
    remove
    got 0 "free: GET " "" get "$base/free/page"
    [ ! -e home/journal.db ] || fail "a journal was made for nothing"
    got 0 "free: POST a=b&c" "" get -d a=b -d c "$base/free/page"
    echo "from a file" >body
    got 0 "free: POST from a file" "" get -d @body "$base/free/page"
    got 0 "free: PUT x" "" get -X PUT -d x "$base/free/page"
    got 0 "" "" get -O "$base/free/page.txt"
    [ "$(cat page.txt)" = "free: GET " ] || fail "-O: $(cat page.txt)"
    got 2 "" "does not end in a name" get -O "$base/free/"
    got 0 "status" "" get "$base/status/404"
    got 22 "" "answered 404" get -f "$base/status/404"
    got 22 "" "answered 404" get -f "$base/status/404/large"
    [ "$(get "$base/status/404/large" | wc -c)" = 600000 ] || fail "a large answer is cut"
    got 22 "" "" get -s -f "$base/status/404"
    [ ! -s out ] || fail "not silent: $(cat out)"
    got 0 "" "" get "$base/to/$base/free/page"
    got 0 "free: GET " "" get -L "$base/to/$base/free/page"
    got 0 "free: GET " "" get -L -d x "$base/to/$base/free/page"
    got 47 "" "more than 50 redirects" get -L "$base/loop"
    got 5 "" "leads away from https" get -L "$base/to/http://localhost:1/"
    # to another origin goes nothing that proves who asks
    other=https://127.0.0.1:$port
    got 0 "free: GET " "" get -L -H "Authorization: Bearer a" -H "Cookie: b" -H "X-Other: c" "$base/to/$other/free/page"
    [ "$(heard_times "GET /free/page with")" = 0 ] || fail "$(cat mediator.log)"
    got 0 "free: GET " "" get -L -H "Authorization: Bearer a" "$base/to/$base/free/page"
    [ "$(heard_times "GET /free/page with a credential")" = 1 ] || fail "$(cat mediator.log)"
    got 60 "" "certificate" telepay get --home home "$base/free/page"
    got 7 "" "" get https://localhost:1/
    got 6 "" "" get https://no-such-host.invalid/
    got 2 "" "https" get ftp://localhost/
    got 2 "" "say what to get" get
    got 2 "" "takes a field" get -H nonsense "$base/free/page"
    got 23 "" "cannot be written" get -o /nowhere/file "$base/free/page"
    # what is sold behind a redirect is paid where it is, and no credential goes where it came from
    insert card
    got 0 "the chart" "paid" get -L "$base/to/$other/s/shop/chart"
    [ "$(heard_times "with a credential")" = 4 ] || fail "$(cat mediator.log)"
}

terminal() { # a person at it
    serve ok
    fresh pin
    python3 "$here/get-terminal.py" "$base" "$dir/mediator/mode" "$dir/mediator.log" || exit 1
    [ "$(states)" = "refused acknowledged+ refused refused acknowledged+" ] || fail "$(states)"
    serve ok
    by_means emv purse
    insert pin
    fresh_account
    filled 1249
    expect 0 "" telepay plan set --home home --means purse --first
    python3 "$here/get-terminal.py" "$base" "$dir/mediator/mode" "$dir/mediator.log" purse || exit 1
    [ "$(states)" = "acknowledged+ refused" ] || fail "$(states)"
    by_means emv
}

# By an account at a purse: no card, no reader, the code of one's key.
by_purse() { local verb=$1; shift; printf '%b' "${codes-let me in\n}" | telepay "$verb" --cacert mediator/tls.pem --home home --code-fd 0 --patience "${patience-6}" --up-to "${up_to-100.00 EUR}" "$@"; }
at_purse() { printf '%b' "${codes-let me in\n}" | telepay purse "$@" --cacert mediator/tls.pem --home home --code-fd 0; }
filled() { echo "$1" >mediator/balance; }
holds() { [ "$(cat mediator/balance)" = "$1" ] || fail "the purse holds $(cat mediator/balance), not $1: $(cat out mediator.log)"; }
fresh_account() { # with the key of the first one, as anybody's who begins anew with it
    rm -rf home
    filled 10000
    expect 0 "" telepay authority add --home home mediator/ca.pem
    [ ! -e light.jwk ] || cp light.jwk home/device.jwk
    expect 0 "is open, in EUR" at_purse open --at "$base"
    [ -e light.jwk ] || { light_key home/device.jwk "let me in" && cp home/device.jwk light.jwk; }
}
by_means() { echo "$*" >mediator/means; }

purse() {
    local id state
    serve ok
    by_means purse
    rm -rf home
    filled 10000
    expect 0 "" telepay authority add --home home mediator/ca.pem
    got 2 "" "no account at a purse yet" at_purse balance
    up_to="100.00 EUR" expect 1 "telepay purse open --at https://localhost:$port" by_purse get "$base/s/shop/chart"
    fresh_account
    head -c 12 home/device.jwk | grep -q 'telepay key ' || fail "the key is not enciphered"
    expect 0 "0123456789ABCDEF" telepay purse list --home home
    expect 0 "100.00" at_purse balance
    codes='another code\nanother code\nanother code\n' expect 5 "the code is wrong" at_purse balance
    telepay purse list --home home --json | jq -e '.purses[0] | .name == "Bourse" and .currency == "EUR"' >/dev/null || fail "purse list --json"
    got 0 "the chart" "paid 12.50 EUR to Librairie du Port, reference 632700000001" by_purse get "$base/s/shop/chart"
    [ "$(states)" = "acknowledged+" ] || fail "$(states)"
    holds 8750
    id=$(newest)
    expect 0 "PURSE PAYMENT" order show "$id"
    said "0123456789ABCDEF"
    unsaid "Card"
    expect 0 "Proved by the authority" order prove "$id" --out proof.json
    jq -e '.payment | startswith("ey")' proof.json >/dev/null || fail "the proof has no statement: $(cat proof.json)"
    ! grep -aq 'let me in' -r home || fail "the code stands in the folder"
    expect 0 "12.50 EUR  1 order" telepay session --home home
    purse_chosen
    purse_refused
    purse_lost
    purse_killed
    purse_keys
    purse_emptied
    purse_letters
}

# Of several means the plan's first, and by which it says.
purse_chosen() {
    by_means emv purse
    expect 3 "" by_purse get --wait 0 "$base/s/shop/chart" # there is no reader
    got 0 "the chart" "paid" by_purse get --means purse "$base/s/shop/chart"
    expect 0 "" telepay plan set --home home --means purse --first --up-to "12.50 EUR"
    got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
    got 1 "" "your plan pays by purse up to 12.50 EUR" by_purse get --means purse "$base/s/shop/chart?price=1251"
    expect 0 "" telepay plan set --home home --means purse --up-to none --unasked "12.50 EUR" --unasked-session "40.00 EUR"
    up_to="90.00 EUR" got 0 "the chart" "paid" by_purse get "$base/s/shop/chart?price=1"
    # more than the plan lets be paid unasked in a session: nobody can say yes here
    expect 2 "there is no terminal to ask on" setsid telepay get --cacert mediator/tls.pem --home home "$base/s/shop/chart"
    by_means emv
    got 1 "" "by emv, not by purse" by_purse get -f --means purse "$base/s/shop/chart"
    expect 0 "" telepay plan set --home home --means emv --never
    got 1 "" "by emv, not by purse" by_purse get -f --means purse "$base/s/shop/chart"
    got 1 "" "by emv, which is not in your plan" by_purse get -f "$base/s/shop/chart"
    expect 0 "" telepay plan set --home home --means emv
    by_means purse
    expect 2 "takes emv, a card, or purse" by_purse get --means shells "$base/s/shop/chart"
    # what another client brings
    fresh_account
    curl -s -D - -o /dev/null --cacert mediator/tls.pem "$base/s/shop/chart" | tr -d '\r' | grep -i '^www-authenticate' >challenge
    printf 'let me in\n' >typed
    telepay credential --header --cacert mediator/tls.pem --home home --code-fd 3 --up-to "100.00 EUR" 3<typed <challenge >made 2>credential.log || fail "credential: $(cat credential.log)"
    python3 -c 'import base64, json; text = open("made").read().split()[1]; print(json.dumps(json.loads(base64.urlsafe_b64decode(text + "=="))))' | jq -e '.payload | keys == ["payment"]' >/dev/null || fail "credential: $(cat made)"
}

# What is signed of an emptying is done, or refused, by a word of the purse alone.
purse_emptied() {
    local how
    serve ok
    fresh_account
    empties() { expect "$1" "$2" at_purse empty 1.00 EUR --iban DE89370400440532013000 --name Marie --yes --patience 1; }
    kept() { sqlite3 home/journal.db "SELECT count(*) || ' of ' || group_concat(DISTINCT state) FROM emptying"; }
    for how in 404 408 429 200; do
        mode empty-$how
        case $how in 404) empties 4 "no word of a purse" ;; 200) empties 4 "shows no record of it" ;; *) empties 4 "it is signed and kept" ;; esac
        [ "$(kept)" = "1 of 0" ] || fail "$how: $(kept)"
    done
    mode empty-402
    empties 2 "the purse holds less than that"
    [ "$(kept)" = "1 of 2" ] || fail "refused: $(kept)"
}

# What the mediator has no time for now is sent again; and what is no service is told nothing.
purse_letters() {
    local how order
    disputes() { printf 'let me in\n' | telepay dispute open "$1" --reason paid-twice --cacert mediator/tls.pem --home home --code-fd 0; }
    serve ok
    fresh_account
    got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
    order=$(newest)
    for how in 408 429; do
        mode dispute-$how
        expect 4 "what you wrote is signed and kept" disputes "$order"
        expect 0 "to be sent" telepay dispute list --cacert mediator/tls.pem --home home
    done
    mode ok
    got 2 "" "asks for a service, or by a code, that cannot be one" by_purse get --identify "$base/who"
}

purse_refused() {
    serve ok
    fresh_account
    filled 1249
    got 1 "" "the purse holds less than that: telepay purse fill (51, BALANCE)" by_purse get "$base/s/shop/chart"
    [ "$(states)" = refused ] || fail "$(states)"
    expect 0 "is refused" order prove "$(newest)"
    holds 1249
    filled 1250
    got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
    holds 0
    # another device of the same user has used the next counters
    filled 9000
    sqlite3 home/journal.db 'UPDATE purse SET counter = 0'
    got 1 "" "another device of yours pays by this purse" by_purse get "$base/s/shop/chart"
    [ "$(states)" = "not paid acknowledged+ refused" ] || fail "$(states)"
    expect 0 "90.00" at_purse balance
    got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
    for how in bad-ack other-ack other-payment garbage; do # says nothing of the payment that can be believed
        serve "$how"
        fresh_account
        by_purse get "$base/s/shop/chart" >stdout 2>out
        case $? in 2 | 4 | 5) ;; *) fail "$how: $(cat out)" ;; esac
        said "YOUR KEY HAS SIGNED"
        [ "$(states)" = signed ] || fail "$how: $(states)"
    done
}

purse_lost() {
    serve "lost 1"
    fresh_account
    got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
    [ "$(payments | wc -l)" = 2 ] && [ "$(distinct)" = 1 ] || fail "not the same again: $(payments)"
    serve "busy 2"
    got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
    [ "$(payments | wc -l)" = 3 ] && [ "$(distinct)" = 1 ] || fail "not the same again: $(payments)"
    serve late
    fresh_account
    patience=2 got 4 "" "YOUR KEY HAS SIGNED" by_purse get "$base/s/shop/chart"
    patience=2 got 4 "" "not paid again" by_purse get "$base/s/shop/chart"
    [ "$(distinct)" = 1 ] || fail "signed again: $(payments)"
    mode ok
    expect 0 "acknowledged" order send # without the code: it is signed
    got 0 "the chart" "" by_purse get "$base/s/shop/chart"
    unsaid paid
    [ "$(distinct)" = 1 ] || fail "signed again: $(payments)"
    holds 8750
}

purse_killed() { # at instants of all kinds: what was taken from the purse is delivered in the end, and nothing is taken twice
    local n paying
    for n in $(seq "${GET_KILLS-6}"); do
        serve ok
        fresh_account
        printf 'let me in\n' >typed
        telepay get --cacert mediator/tls.pem --home home --code-fd 0 --up-to "100.00 EUR" "$base/s/shop/chart" <typed >stdout 2>out &
        paying=$!
        case $((n % 3)) in
        1) until_said "/payment" mediator.log ;;
        *) nap 400 ;;
        esac
        kill -9 $paying 2>/dev/null
        wait $paying 2>/dev/null
        got 0 "the chart" "" by_purse get "$base/s/shop/chart"
        case "$(states)" in
        "acknowledged+") holds 8750 ;;
        "acknowledged+ acknowledged+") holds 7500 ;; # the first had come to its end
        *) fail "kill $n: $(states): $(cat mediator.log)" ;;
        esac
        [ "$(distinct)" = "$(states | wc -w)" ] || fail "kill $n: $(cat mediator.log)"
    done
}

# Within what is reserved pages are paid by vouchers, without asking; beyond it, and without, as any order is.
purse_session() {
    serve ok
    fresh_account
    by_means purse session
    expect 2 "say how much" telepay session start --home home
    expect 2 "is in EUR" telepay session start 5.00 USD --home home
    expect 2 "from 1 to 24" telepay session start 5.00 EUR --hours 25 --home home
    expect 0 "reserves 30.00 EUR at its mediator, for 3 hours" telepay session start 30.00 EUR --hours 3 --home home
    expect 0 "with the next payment: 0.00 spent" telepay session --home home
    got 0 "the chart" "paid 12.50 EUR" by_purse get "$base/s/shop/chart"
    [ "$(heard_times "provision open 3000")" = 1 ] && [ "$(heard_times voucher)" = 0 ] || fail "$(cat mediator.log)"
    expect 0 "open, at https://localhost:$port until" telepay session --home home
    # without asking: there is no terminal, and nothing else says that it may be paid
    quietly() { printf 'let me in\n' | setsid telepay get --cacert mediator/tls.pem --home home --code-fd 0 --patience 6 "$@"; }
    got 0 "the chart" "reference" quietly "$base/s/shop/chart"
    got 0 "the chart" "-2" quietly "$base/s/shop/chart?price=1000"
    [ "$(heard_times "voucher 2 sum 2250")" = 1 ] || fail "$(cat mediator.log)"
    expect 0 "22.50 spent" telepay session --home home
    said "22.50 EUR  Librairie du Port, 2 orders"
    telepay session --home home --json | jq -e '.reservations[0] | .spent == "22.50" and .services[0].order_count == 2' >/dev/null || fail "session --json"
    expect 0 "the mediator fake said at" order prove "$(newest)"
    expect 0 "PURSE PAYMENT" order show "$(newest)"
    # an answer that is lost: the same voucher, once
    mode lost 1
    got 0 "the chart" "paid" quietly "$base/s/shop/chart?price=10"
    mode late
    patience=1 expect 4 "YOUR KEY HAS SIGNED" by_purse get "$base/s/shop/chart?price=20"
    mode ok
    got 0 "the chart" "" quietly "$base/s/shop/chart?price=20"
    [ "$(heard_times "voucher 4 sum 2280")" = 1 ] && [ "$(heard_times "voucher")" = 4 ] || fail "$(cat mediator.log)"
    # what the mediator says is none of its words
    mode other-payment
    patience=1 expect 5 "another payment" by_purse get "$base/s/shop/chart?price=30"
    [ "$(states | cut -d' ' -f1)" = signed ] || fail "$(states)"
    mode ok
    # more than is left is paid as any order, and asked for
    got 2 "" "no terminal to ask on" quietly "$base/s/shop/chart?price=800"
    expect 0 "1 session has ended" at_session end
    [ "$(heard_times "session ended")" = 1 ] || fail "$(cat mediator.log)"
    got 2 "" "no terminal to ask on" quietly "$base/s/shop/chart?price=1"
    expect 0 "0 sessions have ended" at_session end
    # what it came beside was refused: it comes with the next one
    serve ok
    fresh_account
    filled 100
    expect 0 "" telepay session start 5.00 EUR --home home
    got 1 "" "the purse holds less" by_purse get "$base/s/shop/chart"
    expect 0 "with the next payment" telepay session --home home
    filled 10000
    got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
    [ "$(heard_times "provision open 500")" = 1 ] || fail "$(cat mediator.log)"
    got 0 "the chart" "paid" quietly "$base/s/shop/chart?price=500"
    # who dies before the order is settled in the journal has the session, and the order is asked for again
    fresh_account
    expect 0 "" telepay session start 5.00 EUR --home home
    sqlite3 home/journal.db "CREATE TRIGGER torn BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'torn out'); END"
    by_purse get "$base/s/shop/chart" >stdout 2>out && fail "what cannot be kept is settled"
    [ "$(states)" = signed ] || fail "$(states)"
    expect 0 "open, at https://localhost:$port until" telepay session --home home
    sqlite3 home/journal.db "DROP TRIGGER torn"
    expect 0 "acknowledged" order send
    expect 0 "open, at https://localhost:$port until" telepay session --home home
    # a session whose beginning is under way does not end, and keeps no other from it
    fresh_account
    expect 0 "" telepay session start 5.00 EUR --home home
    mode close
    patience=1 expect 4 "YOUR KEY HAS SIGNED" by_purse get "$base/s/shop/chart"
    expect 0 "" telepay session start 6.00 EUR --home home
    expect 2 "1 session has ended" at_session end
    said "telepay order send, and then again"
    mode ok
    expect 0 "acknowledged" order send
    expect 0 "1 session has ended" at_session end
    # a session that is refused, or of which a stranger speaks, begins none; what was paid beside it is paid
    for how in no-session bad-provision; do
        serve $how
        fresh_account
        expect 0 "" telepay session start 5.00 EUR --home home
        got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
        mode ok
        got 2 "" "no terminal to ask on" quietly "$base/s/shop/chart?price=1"
    done
    by_means purse
}
at_session() { printf 'let me in\n' | telepay session "$@" --cacert mediator/tls.pem --home home --code-fd 0; }

# A key store that was cut off, or of which one bit is another: nothing is signed, and it is told.
purse_keys() {
    local sent bit
    serve ok
    fresh_account
    cp home/device.jwk whole
    head -c 60 whole >home/device.jwk
    expect 2 "is cut off" by_purse get "$base/s/shop/chart"
    for bit in 30 50 80 200; do
        python3 -c 'import sys; d = bytearray(open("whole", "rb").read()); d[int(sys.argv[1])] ^= 1; open("home/device.jwk", "wb").write(d)' $bit
        rm -f home/device.tries
        by_purse get "$base/s/shop/chart" >stdout 2>out
        case $? in 2 | 5) ;; *) fail "bit $bit: $(cat out)" ;; esac
        match=-E said "wrong, or the key was altered|is of the user|cost is more|is damaged"
        match=-F
    done
    sent=$(payments | wc -l)
    [ "$sent" = 0 ] || fail "something was signed: $(cat mediator.log)"
    holds 10000
    cp whole home/device.jwk
    rm -f home/device.tries
    got 0 "the chart" "paid" by_purse get "$base/s/shop/chart"
    # the same key on another device: the same account, and what it has paid already
    expect 0 "" telepay user export default --home home --out key
    expect 0 "" telepay authority add --home home2 mediator/ca.pem
    printf 'let me in\n' | expect 0 "pays from this device, too" telepay user import key --home home2 --code-fd 0
    printf 'let me in\n' | expect 0 "$(telepay purse list --home home --json | jq -r '.purses[0].account')" telepay purse open --home home2 --cacert mediator/tls.pem --at "$base" --code-fd 0
    printf 'let me in\n' | expect 0 "paid" telepay get --home home2 --cacert mediator/tls.pem --code-fd 0 --up-to "100.00 EUR" "$base/s/shop/chart"
    holds 7500
    # the code changes, the account stays
    printf 'let me in\nlet nobody in\n' | expect 0 "" telepay user passwd --home home --code-fd 0
    codes='let nobody in\n' expect 0 "75.00" at_purse balance
}

if [ "${1:-}" = inside ]; then
    dir=$2
    cd "$dir" || exit 1
    "$3"
    remove
    exit 0
fi
own_folder
python3 -c 'import cryptography' 2>/dev/null || { echo "python3-cryptography is missing: ./quickstart packages check"; exit 77; }
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
perso() { telepay-perso card "$@" --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >perso.log 2>&1 || fail "telepay-perso card: $(cat perso.log)"; }
perso factory
perso pin --cvm pin
perso online --issuer-authentication none --iac-default 0000000000
perso old --cdol1 9F02069F03069F1A0295055F2A029A039C019F37049F35019F45029F4C089F3403
# the terminal's own codes leave it to the card what it signs alone
fake_acquirer make terminal && sed -i 's/^tac_default=.*/tac_default=0000000000/' terminal/telepay.conf || fail "fake_acquirer make"
python3 "$tools/fake_mediator.py" make mediator terminal/telepay.conf scheme/authority.json || fail "fake_mediator make"
part=${1:-well}
"$here/with-pcscd" "$here/get.sh" inside "$dir" "$part" || exit 1
echo "get.sh, $part: all as it should be"
