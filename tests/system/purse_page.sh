#!/bin/bash
# The page of a purse's account, as curl asks for it: a key signs for a ticket, a ticket gives a cookie once, the cookie the page for a while; nobody else is
# told anything. How one is sent to buy credit is here, too; purse_browser.sh does it with a browser.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
failures=0
own_folder

get() { # path, curl's words…: the status; body, heads
    curl -sS --max-time 30 --cacert purse/pki/ca.pem -o body -D heads -w '%{http_code}' "${@:2}" "https://127.0.0.1:$purse_port$1" 2>>curl.log
}
gets() { # status, text in the body, what it is about, path, curl's words…
    local got
    got=$(get "${@:4}")
    [ "$got" = "$1" ] || fail "$3: $got, not $1: $(cat body)"
    [ -z "$2" ] || grep -qF -- "$2" body || fail "$3: no \"$2\" in $(cat body)"
}
lacks() { ! grep -qF -- "$1" body || fail "\"$1\" is told: $(cat body)"; }
head_of() { tr -d '\r' <heads | sed -n "s/^$1: //Ip"; }
signs() { payer statement "./$1.pem" question acquirer="$acquirer" account="$2" at=now "${@:3}" >asked; }
tickets() { # status, key, account, NAME=VALUE…: $ticket
    local got
    signs "${@:2}"
    got=$(post /pages answer --data-binary @asked)
    [ "$got" = "$1" ] || fail "a ticket of $2: $got, not $1: $(cat answer)"
    ticket=$(jq -r .ticket answer)
}
enters() { # key, account: $cookie
    tickets 200 "$@"
    gets 303 "" "the ticket of $1" "/page?ticket=$ticket"
    cookie=$(head_of set-cookie | sed 's/;.*//')
}
shows() { gets 200 "$1" "the page" "${2-/account}" -H "Cookie: $cookie" "${@:3}"; } # text, path, curl's words…
keeps_out() { # what, curl's words…
    gets 403 "telepay purse page --purse $acquirer" "$1" /account "${@:2}"
    lacks "$number"
    lacks "Librairie"
    lacks "EUR"
}

make_purse
cat >>purse/purse.conf <<'EOF'
[seller port]
at = https://mediator.example:8843/s/purse
[seller gone]
at = https://gone.example/s/purse
EOF
expect 2 "url" telepay-purse serve --listen 127.0.0.1:0
sed -i "s|^# url = .*|url = https://purse.example:8744|" purse/purse.conf
for bad in https://mediator.example/ https://mediator.example/s/ http://mediator.example/s/purse 'https://a.example/s/p; script-src' 'https:///s/purse' 'https://a.example/s/a/b'; do
    sed "s|^at = https://mediator.*|at = $bad|" purse/purse.conf >purse.conf.bad
    cp purse/purse.conf purse.conf.good && cp purse.conf.bad purse/purse.conf
    expect 2 "" telepay-purse serve --listen 127.0.0.1:0
    cp purse.conf.good purse/purse.conf
done
expect 0 "" telepay-purse seller add --name port --out seller
expect 0 "" telepay-purse seller add --name gone --out gone
expect 0 "" telepay-purse seller close --name gone
serve_purse
[ "$(post /purse about)" = 200 ] || fail "no word about the purse"
acquirer=$(jq -r .acquirer about)
open_account jean
jean=$number
open_account marie
marie=$number
expect 0 "came into" telepay-purse account fill --account "$marie" --amount 900.00 --reference T-MARIE
expect 0 "came into" telepay-purse account fill --account "$jean" --amount 11.00 --reference T-JEAN

# ---- in

keeps_out "nobody"
gets 403 "Qui est le titulaire" "nobody, in French" /account -H 'Accept-Language: fr'
[ "$(head_of www-authenticate)" = "" ] || fail "a challenge: $(cat heads)"
gets 403 "http://127.0.0.1:27502/purse?purse=$acquirer" "the agent's way" /account/fill
gets 403 "used, or older" "a ticket that nobody gave" "/page?ticket=AAAAAAAAAAAAAAAAAAAAAA"
gets 403 "Your payment device signs" "no ticket" /page
tickets 403 marie "$marie" at=-62
tickets 409 marie "$jean"
tickets 404 marie 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
tickets 409 marie "$marie" acquirer=0123456789ABCDEF
tickets 200 marie "$marie"
first=$ticket
tickets 200 marie "$marie"
gets 403 "used, or older" "one of before" "/page?ticket=$first"
gets 303 "" "the ticket" "/page?ticket=$ticket"
[ "$(head_of location)" = /account ] || fail "it leads to $(head_of location)"
match=-E
head_of set-cookie >out
said '^__Host-telepay-purse=[A-Za-z0-9_.-]+; Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Lax$'
match=-F
cookie=$(head_of set-cookie | sed 's/;.*//')
gets 403 "used, or older" "the ticket again" "/page?ticket=$ticket"
shows "$marie"
lacks "$jean"
lacks "T-JEAN"
grep -q '<p class="amount">900.00 EUR</p>' body || fail "the balance: $(cat body)"
grep -q '+900.00 EUR</strong> T-MARIE' body || fail "what came in: $(cat body)"
for head in "cache-control: no-store" "x-frame-options: DENY" "referrer-policy: no-referrer" "x-content-type-options: nosniff" \
    "content-security-policy: default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https://mediator.example:8843 https://gone.example"; do
    tr -d '\r' <heads | grep -qixF "$head" || fail "no $head: $(cat heads)"
done
shows "900,00 EUR" /account -H 'Accept-Language: fr,en;q=0.5'
grep -q '<html lang="fr">' body || fail "it says another language: $(head -2 body)"
gets 200 "color-scheme" "the style" /telepay.css
gets 405 "is asked with GET" "posted" /account --data x=y
gets 404 "There is no such page" "no number" "/account?before=x" -H "Cookie: $cookie"

# ---- cookies that are not good

forged() { keeps_out "$1" -H "Cookie: $2"; }
forged "no cookie of ours" "__Host-telepay-purse=$marie"
forged "an empty one" "__Host-telepay-purse="
forged "another account's name" "${cookie/$marie/$jean}"
forged "another time" "$(sed -E 's/\.([0-9]+)\./.9\1./' <<<"$cookie")"
forged "another MAC" "${cookie%?}$([ "${cookie: -1}" = A ] && echo B || echo A)"
forged "cut off" "${cookie%?????}"
forged "another name" "${cookie/__Host-telepay/telepay}"
marie_cookie=$cookie
enters jean "$jean"
shows "11.00 EUR"
lacks T-MARIE
forged "of jean, with marie's MAC" "__Host-telepay-purse=$jean.${marie_cookie#*.}"
cookie=$marie_cookie

# ---- to be filled by card

fills() { gets "$1" "$2" "filled with $3" "/account/fill?seller=${4-port}&amount=$3" -H "Cookie: $cookie" "${@:5}"; }
shows "At most: 100.00 EUR"
shows 'Fill by card at mediator.example:8843'
lacks gone.example
shows "Recharger par carte chez mediator.example:8843" /account -H 'Accept-Language: fr'
fills 303 "" 20.00
match=-E
head_of location >out
said "^https://mediator.example:8843/s/purse/fill/$marie/2000/en\?[A-Za-z0-9_-]{12}\$"
before=$(cat out)
fills 303 "" 20,00 port -H 'Accept-Language: fr'
head_of location >out
said "^https://mediator.example:8843/s/purse/fill/$marie/2000/fr\?[A-Za-z0-9_-]{12}\$"
match=-F
fills 303 "" 20.00
[ "$(head_of location)" != "$before" ] || fail "the same again would be paid already: $before"
fills 303 "" 100.00
fills 422 "more than the account may take in" 100.01
fills 422 "more than the account may take in" 9999999999
for amount in 0 -1 1.234 x '' '%22%3E%3Cscript%3E' 1e3 9999999999999; do
    fills 422 'role="alert">Type an amount, such as 20.00.' "$amount"
    grep -q 'aria-invalid="true"' body || fail "the field is not marked: $(cat body)"
    lacks "<script"
done
fills 422 "Nothing is sold there now" 20.00 gone
fills 422 "Nothing is sold there now" 20.00 other
gets 422 "Type an amount" "nothing typed" "/account/fill?seller=port" -H "Cookie: $cookie"
gets 403 "telepay purse page" "filled by nobody" "/account/fill?seller=port&amount=20.00"
[ -z "$(head_of location)" ] || fail "nobody is led on: $(cat heads)"
# … where nothing can be taken in there is no form
enters jean "$jean"
expect 0 "came into" telepay-purse account fill --account "$jean" --amount 989.00 --reference T-FULL
shows "1000.00 EUR"
lacks "<form"

# ---- stopped, with why; another key

cookie=$marie_cookie
expect 0 "is stopped" telepay-purse account stop --account "$marie" --reason "<b>key</b> lost"
shows "The account is stopped: nothing can be paid with it. &lt;b&gt;key&lt;/b&gt; lost"
lacks "<form"
shows "Le compte est arrêté" /account -H 'Accept-Language: fr'
fills 422 "" 20.00
tickets 200 marie "$marie"
expect 0 "is open" telepay-purse account open --account "$marie"
payer key ./marie2.pem >/dev/null
payer succession marie.pem "$acquirer" "$marie" marie2.pem >change
[ "$(post /keys answer --data-binary @change)" = 200 ] || fail "no other key: $(cat answer)"
keeps_out "a cookie of the key before" -H "Cookie: $cookie"
gets 303 "" "a ticket of the key before" "/page?ticket=$ticket"
keeps_out "a cookie of its ticket" -H "Cookie: $(head_of set-cookie | sed 's/;.*//')"
tickets 409 marie "$marie"
enters marie2 "$marie"
shows "900.00 EUR"

# ---- very long

number=$marie
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$purse/status"; }
if [ "${TELEPAY_TEST_STORE-}" != postgresql ]; then
    sqlite3 purse/purse.db "WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 60999) INSERT INTO booking (booking, account, kind, amount,
        reference, booked, record) SELECT i, '$marie', 0, 1, 'L' || i, 1795950000 + i, zeroblob(1000) FROM n" || fail "the purse's books"
    shows "No.&nbsp;60999"
    [ "$(grep -c '<li>' body)" = 20 ] || fail "not twenty records: $(cat body)"
    before=$(resident)
    n=0
    at=$(grep -o '/account?before=[0-9]*' body)
    shows "No.&nbsp;60979" "$at"
    for from in 40000 20000 1021; do
        shows "No.&nbsp;$((from - 1))" "/account?before=$from"
        [ "$(grep -c '<li>' body)" = 20 ] || fail "not twenty records before $from: $(cat body)"
        n=$((n + 1))
    done
    while at=$(grep -o '/account?before=[0-9]*' body); do
        shows "" "$at"
        n=$((n + 1))
        [ $n -lt 20 ] || break
    done
    grep -q T-MARIE body || fail "the first record is not on the last page: $(cat body)"
    shows "Free to pay with." "/account?before=1"
    lacks "<li>"
    [ -n "${ASAN_OPTIONS-}" ] || [ $(($(resident) - before)) -lt 8192 ] || fail "from $before to $(resident) kB"
fi

# ---- a flood

curl -s -Z --parallel-max 8 --max-time 60 --interface 127.0.0.9 --cacert purse/pki/ca.pem -o 'flood#1' -w '%{http_code} %header{retry-after}\n' \
    "https://127.0.0.1:$purse_port/account?n=[1-400]" >statuses 2>>curl.log
[ "$(sort -u statuses)" = "403 
429 1" ] || fail "one network asks 400 times: $(sort statuses | uniq -c)"
[ "$(grep -c ^403 statuses)" -ge 100 ] || fail "refused too early: $(sort statuses | uniq -c)"
grep -lq "asks for too much at once" flood* || fail "it is not told so"
shows "EUR" # nobody else is

# ---- a cookie is good as long as the purse runs

kill -TERM "$purse"
wait "$purse" || fail "serve does not end cleanly: $(cat purse.log)"
! grep -qF "${cookie##*.}" purse.log || fail "a cookie is in the log"
serve_purse
keeps_out "a cookie of before" -H "Cookie: $cookie"
kill -TERM "$purse"
wait "$purse" || fail "serve does not end cleanly: $(cat purse.log)"
verdict
