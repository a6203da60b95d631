#!/bin/bash
# A service as a mediator meets it: all that doc/service.md says, of telepay-service and of one that was written from that page alone, each killed in between;
# then what is telepay-service's own: its mediators, its catalogue, its folder, what it sold.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
own_folder

good() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@" >good.out 2>&1; then echo "ok   $what"; else
        fail "$what: $*: $(cat good.out)"
    fi
}
want() { # CODE TEXT WHAT COMMAND…
    local code=$1 text=$2 what=$3 got
    shift 3
    "$@" >out 2>&1
    got=$?
    if [ $got -eq "$code" ] && grep -qF -- "$text" out; then echo "ok   $what"; else
        fail "$what: exit $got, not $code, or no \"$text\": $*: $(cat out)"
    fi
}

# ---- a mediator, by hand

cred=mediator # the folder of its certificate
post() { # STATUS WHAT PATH CURL-OPTIONS…: the answer is in `answer`, its head in `heads`
    local want=$1 what=$2 path=$3 got
    shift 3
    rm -f answer heads
    got=$(curl -sS --max-time 30 --cacert server/ca.pem --cert $cred/client.pem --key $cred/client.key -o answer -D heads -w '%{http_code}' \
        "$@" "https://127.0.0.1:$port$path" 2>curl.err)
    if [ "$got" = "$want" ]; then echo "ok   $kind: $what"; else
        fail "$kind: $what: $got, not $want: $(cat answer curl.err)"
    fi
}
quote() { # STATUS WHAT PATH [FILE]: its quote, kept as FILE
    post "$1" "$2" /quote -d '{"order":"Q1","service":"shop","method":"GET","path":"'"$3"'","query":"a=b","user":"somebody","more":[1,{}]}'
    [ -z "${4-}" ] || cp answer "$4"
}
has() { # FILE WHAT EXPRESSION: of q, a quote
    if python3 -c '
import base64, datetime, json, sys
q = json.load(open(sys.argv[1]))
until = datetime.datetime.strptime(q["valid_until"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
left = (until - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
sys.exit(not eval(sys.argv[2]))' "$1" "$3" 2>eval.err; then echo "ok   $kind: $2"; else
        fail "$kind: $2: not $3: $(cat "$1" eval.err)"
    fi
}
body() { # ORDER QUOTE ACKNOWLEDGEMENT [NAME=VALUE…]: what is delivered on, written as a mediator may; -: without. With members of the quote changed.
    python3 - "$@" >body <<'PY'
import base64, hashlib, json, sys

order, name, acknowledgement, *changes = sys.argv[1:]
text = open(name, "rb").read()
given = json.loads(text)
digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip("=")
for change in changes:
    member, _, value = change.partition("=")
    if member == "quote_digest":
        digest = value
    elif value == "":
        del given[member]
    else:
        given[member] = {"true": True, "false": False}.get(value, value)
asked = {"quote_digest": digest, "order": order, "service": "shop", "more": None, "quote": dict(reversed(given.items()))}
if acknowledgement != "-":
    asked["acknowledgement"] = acknowledgement
print(json.dumps(asked, indent=1))
PY
}
deliver() { # STATUS WHAT ORDER QUOTE ACKNOWLEDGEMENT [NAME=VALUE…]
    local status=$1 what=$2
    shift 2
    body "$@"
    post "$status" "$what" /deliver -H "Idempotency-Key: $1" --data-binary @body
}
same() { # WHAT FILE FILE
    if cmp -s "$2" "$3"; then echo "ok   $kind: $1"; else fail "$kind: $1: $(head -c 400 "$2"), not $(head -c 400 "$3")"; fi
}
headed() { # WHAT TEXT
    if tr -d '\r' <heads | grep -qixF -- "$2"; then echo "ok   $kind: $1"; else fail "$kind: $1: no \"$2\" in $(cat heads)"; fi
}
# Who is not known is told so, or not let in.
stranger() { # WHAT CURL-OPTIONS…
    local what=$1 got
    shift
    got=$(curl -sS --max-time 30 --cacert server/ca.pem "$@" -o answer -w '%{http_code}' -d '{"method":"GET","path":"/about"}' "https://127.0.0.1:$port/quote" 2>curl.err)
    case $got in
    403 | 000) echo "ok   $kind: $what" ;;
    *) fail "$kind: $what: $got" ;;
    esac
}

# ---- the services: start_NAME, the process is $service; at the port that it had before

start_telepay() {
    launch telepay.log listening telepay-service serve --dir server --listen "127.0.0.1:${port:-0}"
}
start_python() {
    launch python.log listening python3 "$here/../tools/python_service.py" python files "${port:-0}"
}
start() {
    "start_$kind"
    service=$launched
    port=$(sed -n 's/.*listening on .*://p' "$kind".log)
}
kill_service() {
    kill -KILL "$service"
    wait "$service" 2>/dev/null
}

# ---- what doc/service.md says

quotes() {
    quote 200 "a quote of what has a price" /article-1 article.quote
    headed "it is JSON" "Content-Type: application/json"
    has article.quote "what it costs, how it comes" 'q["amount"] == "150" and q["currency"] == "eur" and q["available"] is True and q["delivery"] == "network" and q["designation"] == "A first article"'
    has article.quote "and until when" '0 < left <= 600'
    quote 200 "of what is free" /about about.quote
    has about.quote "which costs 0" 'q["amount"] == "0" and q["available"] is True'
    quote 200 "of what is not there any more" /gone gone.quote
    has gone.quote "which says so" 'q["available"] is False and q["sold_out"] is True'
    quote 200 "of what is shipped" /mug mug.quote
    has mug.quote "which says so" 'q["delivery"] == "shipped" and q["available"] is True and q["amount"] == "1200"'
    quote 200 "of what goes with it" /poem poem.quote
    has poem.quote "and is there" 'q["delivery"] == "included" and base64.b64decode(q["content"], validate=True) == open("files/poem.txt", "rb").read() and q["content_type"].startswith("text/plain")'
    quote 404 "an article that is not known" /nothing
    quote 404 "nor is the folder itself" /../article-1
    post 405 "what is got with POST" /quote -d '{"method":"POST","path":"/article-1"}'
    post 400 "no path" /quote -d '{"method":"GET"}'
    post 400 "a path that begins with none" /quote -d '{"method":"GET","path":"article-1"}'
    post 400 "a path that is no text" /quote -d '{"method":"GET","path":["/article-1"]}'
    post 400 "no method" /quote -d '{"path":"/article-1"}'
    post 400 "no JSON" /quote -d '{"path":'
    post 400 "no UTF-8" /quote -d $'{"method":"GET","path":"/caf\xe9"}'
    post 400 "no object" /quote -d '["/article-1"]'
    post 400 "nothing" /quote -d ''
    post 405 "GET" /quote
    post 405 "PUT" /deliver -X PUT -d '{}'
    post 404 "another address" /quotes -d '{"method":"GET","path":"/article-1"}'
    post 404 "the root" / -d '{"method":"GET","path":"/article-1"}'
}
sizes() {
    python3 -c 'import json; q = {"method": "GET", "path": "/article-1", "more": ""}; q["more"] = "x" * (65536 - len(json.dumps(q))); print(json.dumps(q), end="")' >most
    post 200 "65,536 bytes" /quote --data-binary @most
    echo >>most
    post 413 "a byte more" /quote -H "Expect: 100-continue" --data-binary @most
    post 411 "without a size, in pieces" /quote -H 'Transfer-Encoding: chunked' -d '{"method":"GET","path":"/article-1"}'
    post 411 "without a size at all" /quote -H 'Content-Length:' -d '{"method":"GET","path":"/article-1"}'
    post 411 "nor is a delivery taken so" /deliver -H 'Transfer-Encoding: chunked' -d '{}'
}
strangers() {
    stranger "no certificate"
    stranger "a certificate of no mediator" --cert stranger.pem --key stranger.key
    stranger "the service's own" --cert server/pki/server.pem --key server/pki/server.key
}
deliveries() {
    deliver 200 "an order" ORDER-1 article.quote acknowledged
    same "is the article" answer files/article-1.html
    headed "with its type" "Content-Type: text/html; charset=utf-8"
    deliver 200 "the same again" ORDER-1 article.quote acknowledged
    same "the same article" answer files/article-1.html
    post 200 "and with the key in quotes" /deliver -H 'Idempotency-Key: "ORDER-1"' --data-binary @body
    deliver 409 "with another acknowledgement" ORDER-1 article.quote other
    quote 200 "another quote" /poem poem.quote
    deliver 409 "the order with another quote" ORDER-1 mug.quote acknowledged
    deliver 200 "what is free, without acknowledgement" FREE about.quote -
    same "is the file" answer files/about.txt
    deliver 200 "and again" FREE about.quote -
    deliver 200 "an order of 64 characters" "$(printf 'o%.0s' {1..62})-_" article.quote acknowledged
    deliver 200 "an acknowledgement of 16,384 bytes" LONG article.quote "$(printf 'a%.0s' {1..16384})"
    deliver 422 "a byte more" LONGER article.quote "$(printf 'a%.0s' {1..16385})"
    deliver 422 "none" NONE article.quote -
    deliver 422 "an empty one" NONE article.quote ""
    deliver 422 "a quote with another amount" FORGED article.quote acknowledged amount=1
    deliver 422 "with nothing to pay" FORGED article.quote acknowledged amount=0
    deliver 422 "of another currency" FORGED article.quote acknowledged currency=jpy
    deliver 422 "with a member more" FORGED article.quote acknowledged more=1
    deliver 422 "with one less" FORGED article.quote acknowledged valid_until=
    deliver 422 "what was not there, said to be" FORGED gone.quote acknowledged available=true
    deliver 422 "what was not there" GONE gone.quote acknowledged
    deliver 422 "what went with its quote" POEM poem.quote acknowledged
    deliver 422 "a digest of something else" DIGEST article.quote acknowledged "quote_digest=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    echo '{}' >nothing
    deliver 422 "a quote that is none" NOTHING nothing acknowledged
    deliver 400 "an order with a blank" "A 1" article.quote acknowledged
    deliver 400 "of 65 characters" "$(printf 'o%.0s' {1..65})" article.quote acknowledged
    body ORDER-2 article.quote acknowledged
    post 400 "no key" /deliver --data-binary @body
    post 400 "the key of another order" /deliver -H 'Idempotency-Key: ORDER-3' --data-binary @body
    post 400 "no order" /deliver -H 'Idempotency-Key: ORDER-3' -d '{"quote":{}}'
    post 422 "no quote" /deliver -H 'Idempotency-Key: ORDER-3' -d '{"order":"ORDER-3","acknowledgement":"a"}'
}
stock() { # two mugs
    deliver 200 "the first mug" MUG-1 mug.quote acknowledged
    cp answer mug.answer
    python3 -c 'import json; assert json.load(open("mug.answer"))["shipped"]' || fail "$kind: no word that it is shipped: $(cat mug.answer)"
    deliver 200 "asked again" MUG-1 mug.quote acknowledged
    same "is the same answer" answer mug.answer
    quote 200 "one is left" /mug left.quote
    has left.quote "and can be had" 'q["available"] is True'
    deliver 200 "the second mug" MUG-2 left.quote acknowledged
    quote 200 "none is left" /mug none.quote
    has none.quote "which the quote says" 'q["available"] is False and q["sold_out"] is True'
    deliver 410 "a third, by a quote of before" MUG-3 left.quote acknowledged
    deliver 410 "and again" MUG-3 left.quote acknowledged
    deliver 200 "the first is asked for once more" MUG-1 mug.quote acknowledged
    same "and is answered as it was" answer mug.answer
}
# The one film there is: who buys it hears the answer begin, and the service is killed before its end.
killed() {
    local buying
    quote 200 "the film" /film film.quote
    body FILM-1 film.quote acknowledged
    rm -f answer heads
    : >heads
    curl -sS --max-time 60 --limit-rate 100k --cacert server/ca.pem --cert mediator/client.pem --key mediator/client.key -o answer -D heads \
        -H 'Idempotency-Key: FILM-1' --data-binary @body "https://127.0.0.1:$port/deliver" 2>curl.err &
    buying=$!
    until_said "200 OK" heads
    kill_service
    kill "$buying"
    wait "$buying" 2>/dev/null
    cmp -s answer files/film.bin && fail "$kind: the film came whole: the test missed its mark"
    start
    deliver 200 "killed between sale and answer: the order again" FILM-1 film.quote acknowledged
    same "is the whole film" answer files/film.bin
    deliver 410 "and it was sold once" FILM-2 film.quote acknowledged
    deliver 200 "what was sold before is known" MUG-1 mug.quote acknowledged
    same "and answered as it was" answer mug.answer
    deliver 409 "and held against it" MUG-1 mug.quote other
    deliver 410 "no mug came back" MUG-3 left.quote acknowledged
}
# The file is away: an order that was sold may be asked for again when it is back; a new one never will be.
away() {
    deliver 200 "an order" AWAY-1 article.quote acknowledged
    mv files/article-1.html files/away
    deliver 503 "its file is away" AWAY-1 article.quote acknowledged
    match=-i headed "it says when to ask" "Retry-After: 5"
    deliver 410 "nothing new is sold of it" AWAY-2 article.quote acknowledged
    mv files/away files/article-1.html
    deliver 200 "and is back" AWAY-1 article.quote acknowledged
    same "the same article" answer files/article-1.html
}
protocol() { # KIND
    kind=$1
    port=
    start
    quotes
    sizes
    strangers
    deliveries
    stock
    killed
    away
}

# ---- set-up: one authority, one mediator and the same files for both

catalogue() {
    cat <<'INI'
[article-1]
designation = A first article
price = 1.50 EUR
file = article-1.html

[about]
price = free
file = about.txt

[mug]
designation = A mug
price = 12.00 EUR
delivery = shipped
stock = 2
note = it leaves tomorrow

[poem]
price = 0.20 EUR
delivery = included
file = poem.txt

[film]
price = 4.99 EUR
file = film.bin
stock = 1

[gone]
price = 9.00 EUR
delivery = shipped
stock = 0
INI
}
service() { telepay-service "$@" --dir server; }
sold() { # ORDER
    service list --json | python3 -c 'import json, sys; print(sum(s["order"] == sys.argv[1] for s in json.load(sys.stdin)["sales"]))' "$1"
}
once() { # WHAT ORDER
    if [ "$(sold "$2")" = 1 ]; then echo "ok   $1"; else fail "$1: $2 $(sold "$2") times in $(service list)"; fi
}

want 0 "made the service" "init" telepay-service init server
want 2 "name another folder" "init again" telepay-service init server
want 0 "may ask" "mediator add" service mediator add --id one --out mediator
ln -s pki/ca.pem server/ca.pem
mkdir python files
cp server/pki/server.pem server/pki/server.key python/
cp mediator/client.pem python/mediator.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout stranger.key -out stranger.pem -days 9 -subj /O=mediator/CN=one 2>/dev/null || fail "openssl"
mv server/shop/* files/
rmdir server/shop
ln -s "$dir/files" server/shop
cp mediator/client.pem server/pki/server.pem ./
printf 'Roses are red.\n' >files/poem.txt
head -c 3000000 /dev/urandom >files/film.bin
catalogue >server/catalogue.ini
want 2 "reached by a symbolic link" "a folder that is reached by one is none of the shop" service check
rm server/shop
mv files server/shop
ln -s server/shop files
want 0 "A first article" "check" service check
mkdir elsewhere && ln -s "$PWD/server" elsewhere/service
want 0 "this is service/catalogue.ini: --dir names another service's folder" "check says which it reads where nobody named one" sh -c "cd elsewhere && telepay-service check"

protocol python
kill_service
protocol telepay

# ---- what is sold is listed

kind=telepay
once "the order that was asked for three times" ORDER-1
once "the one that was killed" FILM-1
once "the first mug" MUG-1
for order in FREE MUG-3 FORGED AWAY-2 NONE; do
    [ "$(sold $order)" = 0 ] || fail "$order was sold: $(service list)"
done
want 0 "1.50 EUR      network  A first article" "list" service list
want 0 "12.00 EUR      shipped  A mug" "with what was shipped" service list
good "list --json has amounts, and who asked" sh -c 'telepay-service list --dir server --json | python3 -c "
import json, sys
first = json.load(sys.stdin)[\"sales\"][0]
assert (first[\"order\"], first[\"mediator\"], first[\"price\"], first[\"currency\"], first[\"article\"]) == (\"ORDER-1\", \"one\", \"1.50\", \"EUR\", \"/article-1\"), first"'
want 0 "4.99 EUR      network     0 " "check says that none is left" service check
good "and so for machines" sh -c 'telepay-service check --dir server --json | python3 -c "
import json, sys
left = {a[\"article\"]: a[\"left\"] for a in json.load(sys.stdin)[\"articles\"]}
assert left == {\"/about\": None, \"/article-1\": None, \"/film\": 0, \"/gone\": 0, \"/mug\": 0, \"/poem\": None}, left"'

# ---- mediators

deliver_as() { # FOLDER, as deliver
    cred=$1
    shift
    deliver "$@"
    cred=mediator
}
# Its own authority's, with a purpose or none; what is none for clients, or not in force.
certify() { # NAME EXTENSION START END: of an authority that nobody knows
    mkdir -p "$1"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/client.key" -out request.pem -subj "/CN=$1" 2>/dev/null &&
        printf '%s\n' '[ca]' 'default_ca = a' '[a]' 'database = index.txt' 'rand_serial = yes' 'new_certs_dir = .' 'default_md = sha256' 'policy = p' \
            'unique_subject = no' '[p]' 'commonName = supplied' '[e]' 'basicConstraints = CA:FALSE' "$2" >ca.conf && : >index.txt &&
        openssl ca -batch -config ca.conf -cert theirs.pem -keyfile theirs.key -in request.pem -out "$1/client.pem" -notext -extensions e \
            -startdate "$3" -enddate "$4" >openssl.out 2>&1 || fail "openssl: $(cat openssl.out)"
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout theirs.key -out theirs.pem -days 9 -subj /CN=theirs 2>/dev/null || fail "openssl"
certify two "extendedKeyUsage = clientAuth" 20200101000000Z 20401231000000Z
certify plain "subjectKeyIdentifier = hash" 20200101000000Z 20401231000000Z
certify serving "extendedKeyUsage = serverAuth" 20200101000000Z 20401231000000Z
certify over "extendedKeyUsage = clientAuth" 20200101000000Z 20210101000000Z
certify early "extendedKeyUsage = clientAuth" 20400101000000Z 20401231000000Z
for name in two plain early; do
    want 0 "mediator $name may ask" "a certificate of another authority: $name" service mediator add --id $name --certificate $name/client.pem
done
for cred in two plain; do quote 200 "$cred is served at once" /article-1 $cred.quote; done
cred=early
quote 403 "who is not in force yet is not" /article-1
cred=mediator
want 2 "is for no client" "a certificate for servers" service mediator add --id three --certificate serving/client.pem
want 2 "is over since 2021-01-01" "one that is over" service mediator add --id three --certificate over/client.pem
refused() { # as post, without a certificate or with the one that the options name
    local status
    status=$(curl -sS --max-time 30 --cacert server/ca.pem "${@:2}" -o answer -w '%{http_code}' -d '{"method":"GET","path":"/about"}' "https://127.0.0.1:$port/quote" 2>curl.err)
    if [ "$status" = 403 ] && grep -q "mediator add" answer; then echo "ok   telepay: $1 is told so"; else fail "$1: $status: $(cat answer curl.err)"; fi
}
refused "no certificate"
refused "a certificate of no mediator" --cert stranger.pem --key stranger.key
quote 200 "the quote of one" /article-1 article.quote
deliver_as two 422 "is no quote of another" TWO-1 article.quote acknowledged
deliver_as two 200 "whose orders are its own" ORDER-1 two.quote other
want 2 "a mediator's already" "the same certificate for another" service mediator add --id three --certificate two/client.pem
want 2 "an authority's certificate" "an authority" service mediator add --id three --certificate theirs.pem
want 2 "holds no certificate" "no certificate" service mediator add --id three --certificate server/catalogue.ini
want 2 "either --certificate or --out" "both" service mediator add --id three --certificate two/client.pem --out three
want 2 "no control characters" "a name that no line can hold" service mediator add --id $'a\x1b[31m' --out three
want 2 "no mediator three is served" "closing none" service mediator close --id three
want 0 "may ask no more" "closing one" service mediator close --id two
cred=two
quote 403 "who was closed is not served any more" /article-1
cred=mediator
quote 200 "the other is" /article-1 article.quote
want 0 "early" "mediator list" service mediator list
good "who was closed, and when" sh -c 'telepay-service mediator list --dir server --json | python3 -c "
import json, sys
closed = {m[\"mediator\"]: bool(m[\"closed\"]) for m in json.load(sys.stdin)[\"mediators\"]}
assert closed == {\"early\": False, \"one\": False, \"plain\": False, \"two\": True}, closed"'
post 405 "the answer to GET says what is allowed" /quote
headed "by its head" "Allow: POST"

# ---- the catalogue changes while quotes are under way

sell() { # LINES of a catalogue, in place of all: written beside and put there, as an editor does
    printf '%s\n' "$@" >server/catalogue.new
    mv server/catalogue.new server/catalogue.ini
}
is_available() { # WHAT PATH true|false
    quote 200 "$1" "$2" now.quote
    has now.quote "said to be $3" "str(q['available']).lower() == '$3'"
}
quote 200 "the price of before" /article-1 before.quote
sell '[article-1]' 'price = 2.00 EUR' 'file = article-1.html' '[article-2]' 'price = 3 JPY' 'file = about.txt' '[mug]' 'price = 12.00 EUR' 'delivery = shipped' 'stock = 3'
quote 200 "the price is another" /article-1 after.quote
has after.quote "at once" 'q["amount"] == "200"'
quote 200 "what is new" /article-2 second.quote
has second.quote "is there, in its currency" 'q["amount"] == "3" and q["currency"] == "jpy"'
quote 404 "what was taken away" /about
deliver 200 "an order by the price of before" PRICE-1 before.quote acknowledged
want 0 "1.50 EUR" "which is what was paid" sh -c "telepay-service list --dir server | grep PRICE-1"
quote 200 "a mug came in" /mug mug.quote
deliver 200 "and is sold" MUG-4 mug.quote acknowledged
deliver 410 "the last" MUG-5 mug.quote acknowledged
deliver 410 "what was free is gone" FREE about.quote -
sell '[article-1]' 'price = 1.50' 'file = article-1.html'
quote 200 "a catalogue that does not hold together" /article-1 after.quote
has after.quote "leaves the one before" 'q["amount"] == "200"'
quote 200 "all of it" /article-2
until_said "the catalogue of before stays" telepay.log
match=-F expect 0 'server/catalogue.ini line 2: [article-1]: price "1.50" is none: write "1.50 EUR", or "free"' cat telepay.log
want 2 'line 2: [article-1]: price "1.50" is none: write "1.50 EUR"' "check says what is wrong" service check
rm server/catalogue.ini
quote 200 "none at all" /article-1 after.quote
has after.quote "is no change either" 'q["amount"] == "200"'
sell '[article-1]' 'price = 2.00 EUR' 'file = article-1.html' 'available = no' \
    '[later]' 'price = 1 EUR' 'file = about.txt' 'from = 2090-01-01' '[over]' 'price = 1 EUR' 'file = about.txt' 'until = 2020-12-31' \
    '[season]' 'price = 1 EUR' 'file = about.txt' "from = $(date -d yesterday +%F)" "until = $(date -d tomorrow +%F)" \
    '[today]' 'price = 1 EUR' 'file = about.txt' "until = $(date +%F)" 'valid = 1440'
is_available "withheld" /article-1 false
has now.quote "and not said to be sold out" '"sold_out" not in q'
is_available "before its day" /later false
is_available "after its day" /over false
is_available "within its days" /season true
is_available "on its last day" /today true
has now.quote "which ends the quote, too" 'until <= datetime.datetime.now().astimezone().replace(hour=23, minute=59, second=59, microsecond=0)'
deliver 200 "a quote of before it was withheld" HELD-1 before.quote acknowledged
sell $'[bell]' 'price = 1 EUR' 'file = about.txt' $'designation = ding\adong'
want 2 "[bell]: designation" "a control character in a name" service check
said "no control characters"
! grep -q $'\a' out || fail "the control character is shown"

# ---- files

ln -s ../catalogue.ini files/out
mkdir files/folder
ln -s folder files/way
cp files/about.txt files/folder/
mkfifo files/pipe
head -c 196609 /dev/zero >files/large.txt
head -c 196608 /dev/zero >files/fits.txt
: >files/empty.txt
sell '[out]' 'price = 1 EUR' 'file = out' '[way]' 'price = 1 EUR' 'file = way/about.txt' '[inner]' 'price = 1 EUR' 'file = folder/about.txt' \
    '[pipe]' 'price = 1 EUR' 'file = pipe' '[folder]' 'price = 1 EUR' 'file = folder' '[none]' 'price = 1 EUR' 'file = none' \
    '[large]' 'price = free' 'file = large.txt' 'delivery = included' '[fits]' 'price = free' 'file = fits.txt' 'delivery = included' \
    '[empty]' 'price = 1 EUR' 'file = empty.txt'
for name in out way pipe folder none large; do is_available "$name" /$name false; done
for name in inner fits empty; do is_available "$name" /$name true; done
until_said "shop/out is reached by a symbolic link" telepay.log
until_said "shop/pipe is no file" telepay.log
want 2 "6 articles cannot be sold" "check counts them" service check
said "shop/way/about.txt is reached by a symbolic link"
said "there is no file shop/none"
said "at most 196608 bytes"
quote 200 "within a folder" /inner inner.quote
deliver 200 "is delivered" INNER inner.quote acknowledged
same "as it is" answer files/about.txt
quote 200 "nothing" /empty empty.quote
deliver 200 "can be sold" EMPTY empty.quote acknowledged
same "as it is" answer files/empty.txt
rm files/folder/about.txt
ln -s ../about.txt files/folder/about.txt
deliver 410 "what became a link is not" LINK inner.quote acknowledged

# ---- many at once, and killed at any time: each order is sold once

sell '[print]' 'price = 1 EUR' 'delivery = shipped' 'stock = 30'
quote 200 "thirty prints" /print print.quote
ask_at_once() { # ORDER COUNT: the same order so many times, beside each other
    local i options=()
    body "$1" print.quote acknowledged
    for ((i = 0; i < $2; i++)); do options+=(-o "answer.$i" "https://127.0.0.1:$port/deliver"); done
    curl -sS -Z --max-time 30 --cacert server/ca.pem --cert mediator/client.pem --key mediator/client.key -H "Idempotency-Key: $1" --data-binary @body \
        -w '%{http_code}\n' "${options[@]}" >statuses 2>curl.err
}
ask_at_once TWENTY 20
[ "$(grep -c '^200$' statuses)" = 20 ] || fail "20 times the same order at once: $(cat statuses curl.err)"
[ "$(cat answer.? answer.?? | sort -u | wc -l)" = 1 ] || fail "with different answers: $(cat answer.?)"
once "20 times at once" TWENTY
RANDOM=${SERVICE_KILL_SEED:-2811}
for n in {1..12}; do
    ask_at_once "KILLED-$n" 4 &
    asking=$!
    pause "0.0$((RANDOM % 60 + 10))"
    kill_service
    wait $asking
    start
    deliver 200 "killed while it sold, $n" "KILLED-$n" print.quote acknowledged
    once "which it did once, $n" "KILLED-$n"
done
good "13 prints are sold" sh -c 'telepay-service check --dir server --json | python3 -c "
import json, sys
assert json.load(sys.stdin)[\"articles\"][0][\"left\"] == 17"'

# ---- its folder

want 2 "another telepay-service serves server already" "a second one" timeout 20 telepay-service serve --dir server --listen 127.0.0.1:0
kill -TERM "$service"
wait "$service" || fail "serve does not end cleanly: $(cat telepay.log)"
for key in server/pki/server.key server/seal.key server/service.db; do
    chmod 644 $key
    want 5 "chmod 600" "$key of mode 0644" timeout 20 telepay-service serve --dir server --listen 127.0.0.1:0
    chmod 600 $key
done
sell '[print]'  'price = dear'
want 2 '[print]: price "dear" is none' "a start with no good catalogue" timeout 20 telepay-service serve --dir server --listen 127.0.0.1:0
want 2 "--listen wants ADDRESS:PORT" "no port" telepay-service serve --dir server --listen 127.0.0.1
want 2 "there is no service in nowhere" "no folder" telepay-service serve --dir nowhere
want 0 "" "upgrade of what is as it should be" service upgrade --yes
verdict
