#!/bin/bash
# A purse as payers, mediators and its operator meet it: accounts that are keys, payments that Python signs and curl brings, every refusal with its word, keys
# that follow keys, what comes in and goes back.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
failures=0
own_folder

pays() { # STATUS CODE REASON what, then as purse_payer.py payment: KEY ACCOUNT COUNTER AMOUNT [NAME=VALUE…]
    local status=$1 code=$2 reason=$3 what=$4 got
    payer payment "$5.pem" med "${@:6}" >body
    got=$(post /payments answer --data-binary @body)
    if [ "$got" = "$status" ] && [ "$(jq -r '.code + .reason' answer)" = "$code$reason" ]; then echo "ok   $what"; else
        fail "$what: $got $(cat answer), not $status $code $reason"
    fi
}
signed() { # yes or no: whether the last answer bears an acknowledgement
    [ "$(jq -r 'if .acknowledgement then "yes" else "no" end' answer)" = "$1" ] || fail "signed is not $1: $(cat answer)"
}
holds() { # account, balance
    local got
    got=$(telepay-purse account show --account "$1" --json | jq -r '.accounts[0].balance')
    [ "$got" = "$2" ] || fail "$1 holds $got, not $2"
}
answered() { # STATUS what, path, curl options…
    local got
    got=$(post "$3" answer "${@:4}")
    if [ "$got" = "$1" ]; then echo "ok   $2"; else fail "$2: $got, not $1: $(cat answer)"; fi
}
fill() { expect 0 "came into" telepay-purse account fill --account "$1" --amount "$2" --reference "$3"; }

make_purse
expect 2 "name another folder" telepay-purse init purse
expect 2 "check digits" telepay-purse contract add --id 000000000000124 --name B --currency EUR --iban DE89370400440532013001
expect 2 "there is no contract" telepay-purse mediator add --name other --contract 000000000000999 --out other
serve_purse
[ "$(post /purse about)" = 200 ] || fail "no word about it"
acquirer=$(jq -r .acquirer about)
[ "$(jq -c '.currencies[0]' about)" = '{"balance":100000,"currency":"EUR","day":50000,"payment":15000}' ] || fail "its limits: $(cat about)"

# ---- accounts

open_account marie
marie=$number
open_account jean
jean=$number
answered 200 "the same account again" /accounts --data-binary @signed-opening
payer opening marie.pem 0000000000000000 eur >elsewhere
answered 409 "an account of another purse" /accounts --data-binary @elsewhere
payer opening marie.pem "$acquirer" usd >elsewhere
answered 409 "a currency that it has not" /accounts --data-binary @elsewhere
sed 's/^\(.*[.]\)A/\1B/; t; s/^\(.*[.]\)./\1A/' signed-opening >forged
answered 403 "a forged signature" /accounts --data-binary @forged
answered 400 "nothing" /accounts -d ''
answered 400 "no statement" /accounts -d 'eyJ9.eyJ9.'
answered 404 "another way" /elsewhere
answered 405 "another method" /accounts
fill "$marie" 10.00 T1
fill "$jean" 500.00 T2
expect 2 "booked already" telepay-purse account fill --account "$marie" --amount 10.00 --reference T1
expect 2 "more than an account may" telepay-purse account fill --account "$jean" --amount 500.01 --reference T3
holds "$marie" 10.00

# Another implementation signs the very same (RFC 8032, 5.1.6: a signature has no chance in it).
printf '%s' "$(sed 's/[.][^.]*$//' signed-opening)" >to-sign
openssl pkeyutl -sign -rawin -inkey jean.pem -in to-sign -out signature || fail "openssl cannot sign"
[ "$(cat to-sign).$(basenc --base64url -w0 signature | tr -d =)" = "$(cat signed-opening)" ] || fail "openssl signs something else"

# ---- payments

pays 402 51 BALANCE "a cent more than there is" marie "$marie" 1 1001
signed yes
pays 200 00 "" "exactly what there is" marie "$marie" 2 1000
signed yes
cp body paid
cp answer first
holds "$marie" 0.00
answered 200 "the same again" /payments --data-binary @paid
cmp -s first answer || fail "not the same bytes: $(cat answer)"
pays 402 51 BALANCE "one cent of nothing" marie "$marie" 3 1
cp body refused
fill "$marie" 100.00 T4
answered 402 "what was refused stays refused" /payments --data-binary @refused
pays 402 94 COUNTER_USED "a counter again" marie "$marie" 2 100
signed no
pays 200 00 "" "counters out of order: 70" marie "$marie" 70 100
pays 200 00 "" "then 7" marie "$marie" 7 100
pays 402 94 COUNTER_OLD "6 is too old" marie "$marie" 6 100
pays 402 94 ORDER_USED "an order that is paid" marie "$marie" 71 100 order="$(python3 -c '
import base64, json
part = json.load(open("paid"))["payment"].split(".")[1]
print(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["order"])')"
pays 402 63 KEY "another key" jean "$marie" 72 100
pays 402 14 ACCOUNT "no account" jean "$(payer key nobody.pem)" 1 100
pays 402 63 ORDER_DIFFERS "another amount is signed" marie "$marie" 73 100 statement.amount=1
pays 402 63 ORDER_DIFFERS "another order is signed" marie "$marie" 73 100 statement.order=aaaaaaaaaaaaaaaaaaaaaaaaaa
pays 402 63 ORDER_DIFFERS "the request asks for less than the order" marie "$marie" 73 100 request.amount=1 statement.amount=1
pays 402 63 CHALLENGE "the challenge of another" marie "$marie" 73 100 swap=paid
pays 402 63 ORDER "an order of another contract" marie "$marie" 73 100 contract=000000000000999
pays 402 63 ORDER_OTHER "an order for another acquirer" marie "$marie" 73 100 acquirer=0123456789ABCDEF
pays 402 63 ORDER_TIME "an order that is over" marie "$marie" 73 100 since=400
pays 402 63 ORDER_TIME "an order that is not yet" marie "$marie" 73 100 since=-100
pays 402 61 ORDER_CEILING "more than the order takes" marie "$marie" 74 100 ceiling=99
pays 402 61 LIMIT_PAYMENT "more than a payment may be" jean "$jean" 1 15001
for n in 2 3 4; do pays 200 00 "" "150.00, $n" jean "$jean" $n 15000; done
fill "$jean" 100.00 T5
pays 402 61 LIMIT_DAY "more than a day may be" jean "$jean" 5 5001
pays 400 30 FORMAT "no amount" marie "$marie" 75 100 statement.amount=0
answered 400 "no payment" /payments -d '{"challenge":{},"payment":"a.b.c"}'
answered 400 "a member more" /payments -d "$(jq -c '. + {"more": 1}' paid)"
answered 413 "too much" /payments -H "Expect: 100-continue" --data-binary "$(python3 -c 'print("x" * 65537, end="")')"
python3 - <<'PY'
import json
body = json.load(open("paid"))
head, payload, signature = body["payment"].split(".")
body["payment"] = ".".join([head, payload, ("B" if signature[0] == "A" else "A") + signature[1:]])
json.dump(body, open("forged", "w"))
PY
answered 402 "a forged signature" /payments --data-binary @forged
[ "$(jq -r .reason answer)" = SIGNATURE ] || fail "not SIGNATURE: $(cat answer)"

# ---- given back

gives() { # STATUS CODE REASON what, then as purse_payer.py reversal: BODY MEDIATOR [NAME=VALUE…]
    local got
    payer reversal "${@:5}" >demanded
    got=$(post /reversals answer --data-binary @demanded)
    if [ "$got" = "$1" ] && [ "$(jq -r '.code + .reason' answer)" = "$2$3" ]; then echo "ok   $4"; else fail "$4: $got $(cat answer), not $1 $2 $3"; fi
}
open_account luc
luc=$number
fill "$luc" 50.00 T7
pays 200 00 "" "what is never delivered" luc "$luc" 1 1200
cp body undelivered
cp answer its-answer
holds "$luc" 38.00
gives 402 12 UNKNOWN "another amount is not given back" undelivered med amount=1199
gives 402 12 UNKNOWN "nor another order" undelivered med order=aaaaaaaaaaaaaaaaaaaaaaaaaa
gives 402 12 UNKNOWN "nor another statement" undelivered med payment=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
gives 402 63 ACQUIRER "nor by another purse" undelivered med acquirer=0123456789ABCDEF
gives 402 63 SIGNATURE "nor under another contract" undelivered med contract=000000000000999
gives 400 30 FORMAT "nor without a reason" undelivered med reason=
gives 402 12 UNKNOWN "nor what was refused" refused med
holds "$luc" 38.00
gives 200 00 "" "what was paid is given back" undelivered med
cp answer given
reference=$(jq -r .reference answer)
holds "$luc" 50.00
gives 200 00 "" "again" undelivered med reason="a second demand"
cmp -s given answer || fail "not the same bytes: $(cat answer)"
holds "$luc" 50.00
answered 200 "the payment again: what was answered" /payments --data-binary @undelivered
cmp -s its-answer answer || fail "not the same bytes: $(cat answer)"
paid_by=$(jq -r .reference its-answer)
[ "$reference" \> "$paid_by" ] || fail "the reversal's number is no later one"
[ "$(telepay-purse list --account "$luc" --json | jq -r '.payments[0].reversed_at != null')" = true ] || fail "$(telepay-purse list --account "$luc")"
expect 0 "not delivered" telepay-purse prove --reference "$paid_by" --out given.json
expect 0 "it was given back" telepay-purse prove --file given.json --authority purse/pki/ca.pem
jq ".reversal = $(payer reversal paid med | jq -R .)" given.json >swapped.json
expect 5 "another payment was given back" telepay-purse prove --file swapped.json --authority purse/pki/ca.pem
expect 0 "went back" telepay-purse account refund --account "$luc" --amount 50.00 --reference B7

# ---- asked for, and sent out

asks() { # STATUS what, way, key, then members of the question
    payer statement "$4.pem" question acquirer="$acquirer" at=now "${@:5}" >asked
    answered "$1" "$2" "$3" --data-binary @asked
}
open_account mia
mia=$number
asks 200 "how a new account stands" /balance mia account="$mia"
[ "$(jq -c . answer)" = "{\"account\":\"$mia\",\"balance\":0,\"counter\":0,\"currency\":\"EUR\",\"reserved\":0,\"state\":\"open\"}" ] || fail "$(cat answer)"
asks 403 "a question of before" /balance mia account="$mia" at=-62
asks 403 "a question of later" /history mia account="$mia" at=62
asks 409 "another's account" /balance mia account="$jean"
asks 404 "no account" /balance mia account=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
asks 409 "another purse" /balance mia account="$mia" acquirer=0123456789ABCDEF
asks 400 "after what is no number" "/history?after=x" mia account="$mia"
fill "$mia" 40.00 T8
pays 200 00 "" "something is bought" mia "$mia" 1 1000
cp answer bought
cp body bought-body
pays 200 00 "" "something is given back" mia "$mia" 2 500
gives 200 00 "" "… as its mediator says" body med
sends() { # STATUS CODE REASON what, then members of the emptying
    local got
    payer statement mia.pem emptying acquirer="$acquirer" account="$mia" currency=eur iban=$bank name="Mia & Müller" "${@:5}" >sending
    got=$(post /emptyings answer --data-binary @sending)
    if [ "$got" = "$1" ] && [ "$(jq -r '.code + .reason' answer)" = "$2$3" ]; then echo "ok   $4"; else fail "$4: $got $(cat answer), not $1 $2 $3"; fi
}
sends 400 30 FORMAT "to an IBAN that is none" counter=3 amount=1 iban=DE89370400440532013001
sends 402 63 ACQUIRER "out of another purse" counter=3 amount=1 acquirer=0123456789ABCDEF
sends 402 63 KEY "out of another's account" counter=3 amount=1 account="$jean"
sends 402 94 COUNTER_USED "under a counter that paid" counter=1 amount=1
sends 402 51 BALANCE "a cent more than there is" counter=3 amount=3001
sends 402 12 CURRENCY "another currency" counter=4 amount=1 currency=usd
sends 200 00 "" "out goes half" counter=5 amount=1500
cp sending sent
cp answer sent-answer
holds "$mia" 15.00
answered 200 "the same again" /emptyings --data-binary @sent
cmp -s sent-answer answer || fail "not the same bytes: $(cat answer)"
holds "$mia" 15.00
pays 402 94 COUNTER_USED "a payment under a counter that emptied" mia "$mia" 5 100
expect 0 "is stopped" telepay-purse account stop --account "$mia" --reason "key lost"
sends 402 62 STOPPED "out of a stopped account" counter=6 amount=1
asks 200 "how a stopped account stands" /balance mia account="$mia"
[ "$(jq -r '.state + " " + .reason' answer)" = "stopped key lost" ] || fail "$(cat answer)"
expect 0 "is open" telepay-purse account open --account "$mia"
sends 200 00 "" "and the rest" counter=7 amount=1500
asks 200 "all that became of it" /history mia account="$mia"
[ "$(jq -r '[.records[] | .kind + " " + (.amount | tostring) + " " + .code] | join(", ")' answer)" = "filled 4000 00, payment 1000 00, payment 500 00, reversal 500 00, emptying 3001 51, emptying 1 12, emptying 1500 00, emptying 1 62, emptying 1500 00" ] ||
    fail "another history: $(cat answer)"
[ "$(jq -r '.records[1].acknowledgement' answer)" = "$(jq -r .acknowledgement bought)" ] || fail "another acknowledgement: $(cat answer)"
[ "$(jq -Sc '.records[1] | {challenge, payment: .statement}' answer)" = "$(jq -Sc '{challenge, payment}' bought-body)" ] || fail "another payment"
[ "$(jq -r '.records[6].record' answer)" = "$(jq -r .acknowledgement sent-answer)" ] || fail "another record of what went out"
seventh=$(jq '.records[6].number' answer)
asks 200 "what came after" "/history?after=$seventh" mia account="$mia"
[ "$(jq '.records | length' answer)" = 2 ] || fail "not the last two: $(cat answer)"
expect 0 "is closed" telepay-purse account close --account "$mia"

# ---- sessions: a provision beside a payment, vouchers against it, its end

open_account zoe
zoe=$number
fill "$zoe" 30.00 T9
session=abcdefghijklmnopqrstuvwxyz
provides() { payer statement zoe.pem provision acquirer="$acquirer" account="$zoe" mediator=med session=$session amount=1000 currency=eur until=3600 "$@" >provision.jws; }
word() { # of the provision in the last answer
    jq -r '.provision // "none"' answer | python3 -c '
import base64, json, sys
part = sys.stdin.read().strip().split(".")
payload = json.loads(base64.urlsafe_b64decode(part[1] + "=" * (-len(part[1]) % 4))) if len(part) == 3 else {}
print(payload.get("code", "none") + payload.get("reason", ""))'
}
beside() { # the provision's word, what, then as pays from the key on
    pays 200 00 "" "$2" "${@:3}" provision=provision.jws
    [ "$(word)" = "$1" ] || fail "$2: the provision is answered $(word), not $1: $(cat answer)"
}
provides counter=1 mediator=other
beside none "a provision for another mediator is none" zoe "$zoe" 2 100
provides counter=2
beside none "nor one under the counter of the payment" zoe "$zoe" 3 100
payer statement jean.pem provision acquirer="$acquirer" account="$zoe" mediator=med session=$session amount=1000 currency=eur until=3600 counter=4 >provision.jws
beside none "nor one by another key" zoe "$zoe" 5 100
provides counter=6 amount=2601
beside 51BALANCE "one for a cent more than is left" zoe "$zoe" 7 100
provides counter=8 until=86500
beside 12UNTIL "one for too long" zoe "$zoe" 9 100
provides counter=10
beside 00 "a provision" zoe "$zoe" 11 100
cp body opened
cp answer opened-answer
asks 200 "what is reserved" /balance zoe account="$zoe"
[ "$(jq -r '"\(.balance) \(.reserved)"' answer)" = "1400 1000" ] || fail "$(cat answer)"
answered 200 "the same again" /payments --data-binary @opened
cmp -s opened-answer answer || fail "not the same bytes: $(cat answer)"
[ "$(telepay-purse account show --account "$zoe" --json | jq -r '.accounts[0] | .balance + " " + .reserved')" = "24.00 10.00" ] || fail "$(telepay-purse account show --account "$zoe")"
pays 402 51 BALANCE "what is reserved is not spent" zoe "$zoe" 12 1401
provides counter=13 session=zzzzzzzzzzzzzzzzzzzzzzzzzz amount=9999
beside 51BALANCE "a second session has the rest alone" zoe "$zoe" 14 100
jq -c '.provision |= .[:-1]' opened >short
answered 400 "a provision cut short" /payments --data-binary @short

hash=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
signs() { payer statement "$1.pem" voucher account="$zoe" session=$session contract=$contract currency=eur number=1 r=$hash order=aaaaaaaaaaaaaaaaaaaaaaaaaa "${@:2}" >voucher.jws; }
presents() { # STATUS CODE REASON what, then members of the presentation
    local got
    payer demand med presentation session=$session contract=$contract currency=eur voucher=voucher.jws "${@:5}" >presented
    got=$(post /vouchers answer --data-binary @presented)
    if [ "$got" = "$1" ] && [ "$(jq -r '.code + .reason' answer)" = "$2$3" ]; then echo "ok   $4"; else fail "$4: $got $(cat answer), not $1 $2 $3"; fi
}
signs zoe sum=150
presents 402 14 SESSION "a voucher of no session" sum=150 session=bbbbbbbbbbbbbbbbbbbbbbbbbb
presents 402 63 VOUCHER "for more than it says" sum=151
presents 402 63 SIGNATURE "under another contract" sum=150 contract=000000000000999
presents 402 63 ACQUIRER "of another purse" sum=150 acquirer=0123456789ABCDEF
presents 200 00 "" "what was signed for" sum=150
cp answer drawn
presents 200 00 "" "again" sum=150
cmp -s drawn answer || fail "not the same bytes: $(cat answer)"
signs jean sum=300
presents 402 63 VOUCHER "by another key" sum=300
sed 's/.\{4\}$/AAAA/' voucher.jws >forged && mv forged voucher.jws
presents 402 63 VOUCHER "a forged one" sum=300
signs zoe sum=300 session=zzzzzzzzzzzzzzzzzzzzzzzzzz
presents 402 63 VOUCHER "of another session" sum=300
signs zoe sum=1000
presents 402 94 SUM "less than before" sum=149
presents 200 00 "" "all of it" sum=1000
signs zoe sum=1001
presents 402 61 PROVISION "a cent more" sum=1001
holds "$zoe" 13.00
asks 200 "nothing is reserved" /balance zoe account="$zoe"
[ "$(jq -r '"\(.balance) \(.reserved)"' answer)" = "1300 0" ] || fail "$(cat answer)"
session=cccccccccccccccccccccccccc
provides counter=15
beside 00 "another session" zoe "$zoe" 16 100
ends() { # STATUS CODE REASON what, then members
    local got
    payer demand med end session=$session "${@:5}" >ended
    got=$(post /sessions/end answer --data-binary @ended)
    if [ "$got" = "$1" ] && [ "$(jq -r '.code + .reason' answer)" = "$2$3" ]; then echo "ok   $4"; else fail "$4: $got $(cat answer), not $1 $2 $3"; fi
}
ends 402 14 SESSION "the end of no session" session=bbbbbbbbbbbbbbbbbbbbbbbbbb
signs zoe sum=200
presents 200 00 "" "some of it" sum=200
ends 200 00 "" "the end"
ends 200 00 "" "again"
signs zoe sum=300
presents 402 12 SESSION_ENDED "after the end" sum=300
asks 200 "nothing is reserved" /balance zoe account="$zoe"
[ "$(jq -r '"\(.balance) \(.reserved)"' answer)" = "1000 0" ] || fail "$(cat answer)"
expect 0 "went back" telepay-purse account refund --account "$zoe" --amount 10.00 --reference B9

# ---- filled by card: the purse as a service of a mediator

expect 0 "" telepay-perso init scheme/
expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
card=000000000000777 # the purse's own contract there
expect 2 "--authority is needed" telepay-purse trust add --contract $card
expect 5 "is no authority's certificate" telepay-purse trust add --contract $card --authority acq/pki/acknowledgement.pem
expect 0 "fills accounts" telepay-purse trust add --contract $card --authority acq/pki/ca.pem
expect 2 "is trusted already" telepay-purse trust add --contract $card --authority acq/pki/ca.pem
expect 0 "may sell credit" telepay-purse seller add --name port --out seller --url "https://127.0.0.1:$purse_port"
expect 2 "name another folder" telepay-purse seller add --name port2 --out seller
[ "$(sed -n 's/^url = //p' seller/service.conf)" = "https://127.0.0.1:$purse_port" ] || fail "$(cat seller/service.conf)"
served() { # STATUS what, way, curl options…
    answered "$1" "$2" "$3" --cert seller/client.pem --key seller/client.key "${@:4}"
}
open_account paul
paul=$number
quoted() { served "$1" "$2" /quote -d "{\"order\":\"A1\",\"service\":\"purse\",\"method\":\"${4-GET}\",\"path\":\"$3\",\"query\":\"\"}"; }
answered 403 "who shows no certificate is quoted nothing" /quote -d "{\"method\":\"GET\",\"path\":\"/fill/$paul/2000\"}"
quoted 404 "another path" "/fill/$paul"
quoted 404 "no amount" "/fill/$paul/0"
quoted 404 "no account" /fill/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU/2000
quoted 404 "a page in no language" "/fill/$paul/2000/de"
quoted 404 "a page in none" "/fill/$paul/2000/"
quoted 200 "where the account's page leads" "/fill/$paul/2000/fr"
[ "$(jq -r '.page + ": " + .designation' answer)" = "fr: Crédit de 20,00 EUR pour le compte …${paul:39}" ] || fail "$(cat answer)"
quoted 405 "another method" "/fill/$paul/2000" POST
quoted 200 "more than an account may hold" "/fill/$paul/100001"
[ "$(jq .available answer)" = false ] || fail "it may: $(cat answer)"
open_account rich # what it holds is nobody's business: it comes out at the delivery
expect 0 "came into" telepay-purse account fill --account "$number" --amount 999.00 --reference rich
quoted 200 "more than this one may hold" "/fill/$number/2000"
[ "$(jq .available answer)" = true ] || fail "its balance is told: $(cat answer)"
quoted 200 "credit" "/fill/$paul/2000"
cp answer quote
[ "$(jq -r '[.designation, .amount, .currency, .delivery, .account, (.available | tostring)] | join("; ")' quote)" = "Credit of 20.00 EUR for the purse account …${paul:39}; 2000; eur; network; $paul; true" ] || fail "$(cat quote)"
order=aaaaaaaaaaaaaaaaaaaaaaaaaa
says() { payer acknowledge acq/pki contract=$card order=$order amount=2000 "$@" >said; }
delivered() { # STATUS what [key]
    jq -c --arg order "$order" --rawfile said said '{order: $order, service: "purse", quote: ., acknowledgement: $said}' quote >delivery
    served "$1" "$2" /deliver --data-binary @delivery -H "Idempotency-Key: ${3-$order}"
}
says amount=1999
delivered 422 "a card that paid less"
says order=bbbbbbbbbbbbbbbbbbbbbbbbbb
delivered 422 "a card that paid another order"
says contract=$contract
delivered 422 "a card that paid another merchant"
says code=05 outcome=refused
delivered 422 "a card that was refused"
cp -r acq/pki elsewhere-pki && cp med/order-$contract.pem elsewhere-pki/acknowledgement.pem && cp med/order-$contract.key elsewhere-pki/acknowledgement.key
payer acknowledge elsewhere-pki contract=$card order=$order amount=2000 >said
delivered 422 "another's word"
says currency=usd
delivered 410 "another currency"
says
delivered 400 "under another key" bbbbbbbbbbbbbbbbbbbbbbbbbb
holds "$paul" 0.00
delivered 200 "what a card paid"
[ "$(jq -r '.account + " " + .amount + " " + .currency' answer)" = "$paul 2000 EUR" ] || fail "$(cat answer)"
cp answer filled
holds "$paul" 20.00
delivered 200 "again"
cmp -s filled answer || fail "not the same bytes: $(cat answer)"
holds "$paul" 20.00
says reference=633300000002
delivered 409 "the same order with another acknowledgement"
order=cccccccccccccccccccccccccc
says amount=99000
jq -c '.amount = "99000"' quote >dearer && mv dearer quote
delivered 410 "more than the account may hold now"
holds "$paul" 20.00
asks 200 "what a card filled" /history paul account="$paul"
[ "$(jq -r '[.records[] | .kind + " " + (.amount | tostring)] | join(", ")' answer)" = "filled by card 2000" ] || fail "$(cat answer)"
expect 0 "is closed" telepay-purse seller close --name port
served 403 "a seller that was closed" /quote -d "{\"method\":\"GET\",\"path\":\"/fill/$paul/2000\"}"
expect 0 "fills no account" telepay-purse trust close --contract $card
expect 0 "$card" telepay-purse trust list
expect 0 "port" telepay-purse seller list
expect 0 "went back" telepay-purse account refund --account "$paul" --amount 20.00 --reference B10

# ---- many at once: what ten payments would take, and there is money for four

open_account anna
fill "$number" 4.50 T6
for n in {1..10}; do payer payment anna.pem med "$number" "$n" 100 >"at-once.$n"; done
at_once=()
for n in {1..10}; do
    post /payments "answer.$n" --data-binary "@at-once.$n" >"code.$n" &
    at_once+=($!)
done
wait "${at_once[@]}"
[ "$(cat code.[0-9]* | grep -o 200 | wc -l)" = 4 ] || fail "not four were paid: $(cat code.[0-9]*)"
holds "$number" 0.50
expect 0 "went back" telepay-purse account refund --account "$number" --amount 0.50 --reference B0

# ---- an order by a mediator's key that this authority did not certify

telepay-purse init stranger >/dev/null && telepay-purse contract add --dir stranger --id $contract --name B --currency EUR --iban $bank >/dev/null &&
    telepay-purse mediator add --dir stranger --name med --contract $contract --out strange >/dev/null || fail "the stranger"
cp strange/order-$contract.pem med/stranger.pem && cp strange/order-$contract.key med/stranger.key
pays 402 63 ORDER "an order by a stranger" marie "$marie" 80 100 signer=stranger
expect 0 "is closed" telepay-purse mediator close --name med
pays 402 58 MEDIATOR "an order by who was closed" marie "$marie" 81 100
expect 0 "is in med2" telepay-purse mediator add --name other --contract $contract --out med2
rm -rf med && mv med2 med
pays 200 00 "" "by another one" marie "$marie" 82 100

# ---- stopped, another key, given back, closed

expect 2 "--reason is needed" telepay-purse account stop --account "$marie"
expect 0 "is stopped" telepay-purse account stop --account "$marie" --reason "key lost"
pays 402 62 STOPPED "a stopped account" marie "$marie" 83 100
expect 0 "key lost" telepay-purse account list
payer key marie2.pem >/dev/null
payer succession marie.pem "$acquirer" "$marie" marie2.pem >change
answered 409 "a stopped account's key stays" /keys --data-binary @change
expect 0 "is open" telepay-purse account open --account "$marie"
payer succession jean.pem "$acquirer" "$marie" marie2.pem >stolen
answered 409 "another's key changes nothing" /keys --data-binary @stolen
answered 200 "the next key" /keys --data-binary @change
answered 200 "the same again" /keys --data-binary @change
pays 402 63 KEY "the key of before" marie "$marie" 84 100
pays 200 00 "" "the key of now" marie2 "$marie" 84 100
cp body last-paid
answered 200 "what was paid by the key of before" /payments --data-binary @paid
cmp -s first answer || fail "not the same bytes: $(cat answer)"
holds "$marie" 96.00
expect 2 "is not empty" telepay-purse account close --account "$marie"
expect 2 "holds less" telepay-purse account refund --account "$marie" --amount 96.01 --reference B1
expect 0 "went back" telepay-purse account refund --account "$marie" --amount 96.00 --reference B1
expect 2 "booked already" telepay-purse account refund --account "$marie" --amount 96.00 --reference B1
expect 0 "is closed" telepay-purse account close --account "$marie"
pays 402 14 ACCOUNT_CLOSED "a closed account" marie2 "$marie" 85 100

# ---- a copy of all, while it serves

if [ "${TELEPAY_TEST_STORE-}" = postgresql ]; then
    expect 2 "pg_dump" telepay-purse backup --out copy
else
    expect 0 "is in copy" telepay-purse backup --out copy
    expect 2 "name another folder" telepay-purse backup --out copy
    expect 0 "" telepay-purse audit --dir copy
    telepay-purse account list >here.txt && telepay-purse account list --dir copy | cmp -s here.txt - || fail "the copy is another: $(telepay-purse account list --dir copy)"
    [ "$(stat -c %a copy copy/pki/ca.key copy/pki/acknowledgement.key copy/purse.db | tr '\n' ' ')" = "700 600 600 600 " ] || fail "others may read the copy"
fi

# ---- the day

status() { telepay-purse status --json | jq -r '.sums[0] | [.filled, .held, .owed, .paid_out, .given_back] | join(" ")'; }
[ "$(status)" = "1853.50 1149.00 528.00 0.00 176.50" ] || fail "the sums: $(status)"
expect 0 "remise 1 closed" telepay-purse close
said "26 payments, 2 given back, 498.00 EUR"
gives 402 12 REMISE_CLOSED "what is in a closed remise" last-paid med
expect 0 "nothing to close" telepay-purse close
pays 200 00 "" "after the close: the next remise" jean "$jean" 6 100
expect 0 "payout 1: 1 remises, 2 emptyings, 528.00 EUR" telepay-purse payout --out bank
valid() { # number
    xmllint --nonet --noout --schema "$TELEPAY_DATADIR/pain.001.001.12.xsd" "bank/payout-$1.xml" 2>xmllint.log || fail "no valid pain.001: $(cat xmllint.log)"
}
valid 000001
in_xml() { # PATH TEXT
    local got
    got=$(python3 -c '
import sys, xml.etree.ElementTree as tree
print(tree.parse("bank/payout-000001.xml").findtext("/".join("{urn:iso:std:iso:20022:tech:xsd:pain.001.001.12}" + name for name in sys.argv[1].split("/"))))' "CstmrCdtTrfInitn/$1")
    [ "$got" = "$2" ] || fail "$1 is $got, not $2"
}
in_xml GrpHdr/CtrlSum 528.00
in_xml GrpHdr/NbOfTxs 3
in_xml PmtInf/DbtrAcct/Id/IBAN FR7630006000011234567890189
in_xml "PmtInf/CdtTrfTxInf[1]/PmtId/EndToEndId" "$acquirer-$(jq -r .reference sent-answer)"
in_xml "PmtInf/CdtTrfTxInf[1]/Amt/InstdAmt" 15.00
in_xml "PmtInf/CdtTrfTxInf[2]/Cdtr/Nm" "Mia & Müller"
in_xml "PmtInf/CdtTrfTxInf[3]/PmtId/EndToEndId" $contract-000001
in_xml "PmtInf/CdtTrfTxInf[3]/Amt/InstdAmt" 498.00
in_xml "PmtInf/CdtTrfTxInf[3]/CdtrAcct/Id/IBAN" "$bank"
in_xml "PmtInf/CdtTrfTxInf[3]/Cdtr/Nm" "Librairie du Port"
cp bank/payout-000001.xml once
pause 1
expect 0 "payout 1" telepay-purse payout --out bank --number 1
cmp -s once bank/payout-000001.xml || fail "the same payout is not the same bytes"
cp purse/purse.conf kept.conf
sed -i 's/^bic = .*/bic = AGRIFRPPXXX/; s/^name = .*/name = Bourse \& Fils <é>/' purse/purse.conf
expect 0 "payout 1" telepay-purse payout --out bank --number 1
valid 000001
in_xml PmtInf/DbtrAgt/FinInstnId/BICFI AGRIFRPPXXX
in_xml PmtInf/Dbtr/Nm "Bourse & Fils <é>"
bad_conf() { # sed program, what is said
    sed "$1" kept.conf >purse/purse.conf
    expect 2 "$2" telepay-purse status
}
bad_conf 's/^payment = .*/payment = dear/' "section [EUR]: payment: "
bad_conf '/^day/d' "day"
bad_conf 's/^.EUR./[ABC]/' "section [ABC] is no currency"
bad_conf 's/^iban = .*/iban = FR7630006000011234567890188/' "section [EUR]: iban"
bad_conf 's/^bic = .*/bic = agri/' "section [EUR]: bic"
bad_conf '/^name/d' "name"
sed '/^iban/d' kept.conf >purse/purse.conf
expect 2 "iban is needed" telepay-purse payout --out bank
cp kept.conf purse/purse.conf
expect 0 "nothing to pay out" telepay-purse payout --out bank
expect 2 "there is no payout 2" telepay-purse payout --out bank --number 2
[ "$(status)" = "1853.50 1148.00 1.00 528.00 176.50" ] || fail "the sums: $(status)"
[ "$(telepay-purse remise list --json | jq -r '.remises[] | "\(.remise) \(.amount) \(.state)"')" = "1 498.00 paid out
2 1.00 open" ] || fail "$(telepay-purse remise list)"

# ---- years later

last=$(telepay-purse list --json --account "$marie" | jq -r '[.payments[] | select(.code == "00")] | last.reference')
expect 0 "account $marie, key 2 of 2" telepay-purse prove --reference "$last" --out evidence.json
mkdir away
cp evidence.json purse/pki/ca.pem away
expect 0 "proved: the account's key signed" env -C away telepay-purse prove --file evidence.json --authority ca.pem
expect 5 "" telepay-purse prove --file evidence.json --authority stranger/pki/ca.pem
expect 2 "--authority is needed" telepay-purse prove --file evidence.json
expect 2 "there is no payment" telepay-purse prove --reference 999
tampered() { # what, jq program, its exit code: of the evidence
    jq "$2" evidence.json >changed.json
    if telepay-purse prove --file changed.json --authority purse/pki/ca.pem >out 2>&1; then fail "$1: $(cat out)"; else echo "ok   $1"; fi
}
tampered "without the key of before" '.keys |= .[1:]'
tampered "without the key of now" '.keys |= .[:1]'
tampered "with another realm" '.challenge.realm = "n.example"'
tampered "with another payment" ".payment = $(jq .payment paid)"
tampered "with another acknowledgement" ".acknowledgement = $(jq .acknowledgement first)"
first=$(telepay-purse list --json | jq -r '.payments[0].reference')
expect 0 "refused, code 51 BALANCE" telepay-purse prove --reference "$first"
expect 0 "" telepay-purse audit
expect 0 " of " "$here/../tools/at_terminal.py" -- telepay-purse audit
match=-E said $'\033\\[K1 of [0-9]+ checks'
match=-E
books() { # what, SQL: changed behind the back of the rules
    cp purse/purse.db kept.db
    sqlite3 purse/purse.db "$(sqlite3 purse/purse.db "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger'") $2" || fail "$2"
    expect 5 "$3" telepay-purse audit
    cp kept.db purse/purse.db
    echo "ok   the audit sees $1"
}
kill -TERM "$purse"
wait "$purse" || fail "serve does not end cleanly: $(cat purse.log)"
books "a balance that grew" "UPDATE account SET balance = balance + 1 WHERE account = '$jean'" "records come to"
books "an amount that is another" "UPDATE payment SET amount = amount - 1 WHERE code = '00' AND payment = 4" "something else than what was signed"
books "a payment that is gone" "DELETE FROM payment WHERE payment = 4" "records come to"
books "a refusal that became a payment" "UPDATE payment SET code = '00', remise = 1, reason = '' WHERE code = '51'" "something else|are not what"
books "a transfer that grew" "UPDATE booking SET amount = amount + 1 WHERE booking = 1" "something else than its record"
books "a key that nobody gave" "UPDATE account SET key = zeroblob(32) WHERE account = '$jean'" "is not the one that was signed for"
books "a transfer to another account" "UPDATE booking SET account = '$jean' WHERE booking = 1" "something else than its record"
books "a reversal that is gone" "DELETE FROM reversal" "records come to"
books "a reversal of another" "UPDATE reversal SET payment = 4 WHERE reversal = (SELECT min(reversal) FROM reversal)" "another payment was given back"
books "an emptying that goes elsewhere" "UPDATE emptying SET iban = 'FR7630006000011234567890189' WHERE code = '00'" "something else than what was signed"
books "an emptying that never was" "DELETE FROM emptying WHERE code = '00'" "records come to"
books "a provision for more" "UPDATE provision SET amount = amount + 1 WHERE provision = (SELECT max(provision) FROM provision)" "something else than what was signed"
books "a provision that ended by itself" "UPDATE provision SET demand = NULL" "before its time"
books "a provision that the clock ended too early" "UPDATE provision SET demand = NULL, ended = good_until + 172799 WHERE demand IS NOT NULL" "before its time was long over"
books "a refused provision that was drawn from" "UPDATE voucher SET provision = (SELECT provision FROM provision WHERE session LIKE 'zzz%'); UPDATE provision SET drawn = coalesce((SELECT sum(amount) FROM voucher AS v WHERE v.provision = provision.provision), 0)" "was refused, and something was drawn"
books "a refusal that became a provision" "UPDATE provision SET code = '00', reason = '', ended = 1 WHERE session LIKE 'zzz%'" "something else"
books "a voucher that drew more" "UPDATE voucher SET amount = amount + 1, total = total + 1" "something else|records come to"
books "a voucher that is gone" "DELETE FROM voucher WHERE voucher = (SELECT min(voucher) FROM voucher)" "do not come to what was drawn"
books "a reserve that nobody signed" "UPDATE account SET reserved = 1 WHERE account = '$jean'" "are reserved, and its provisions hold"
books "what a card never paid" "UPDATE booking SET evidence = (SELECT acknowledgement FROM payment LIMIT 1) WHERE kind = 2" "is not trusted"
books "a payment in another contract's remise" "INSERT INTO contract SELECT '000000000000999', name, iban, currency, added, closed FROM contract LIMIT 1; INSERT INTO remise (contract, number) VALUES ('000000000000999', 1); UPDATE payment SET remise = (SELECT max(remise) FROM remise) WHERE remise IN (SELECT remise FROM remise WHERE closed IS NULL)" "hold another contract's"
books "a voucher in another contract's remise" "INSERT INTO contract SELECT '000000000000999', name, iban, currency, added, closed FROM contract LIMIT 1; INSERT INTO remise (contract, number) VALUES ('000000000000999', 1); UPDATE voucher SET remise = (SELECT max(remise) FROM remise); UPDATE remise SET payments = (SELECT count(*) FROM payment p WHERE p.remise = remise.remise), amount = (SELECT coalesce(sum(p.amount), 0) FROM payment p WHERE p.remise = remise.remise) - reversed WHERE closed IS NOT NULL" "hold another contract's"
books "a remise that lost one" "UPDATE remise SET amount = amount - 1 WHERE closed IS NOT NULL" "are not what their payments come to"
expect 0 "" telepay-purse audit
expect 2 "nowhere" telepay-purse audit --dir nowhere
serve_purse

# ---- its folder

expect 2 "another telepay-purse serves" timeout 20 telepay-purse serve --listen 127.0.0.1:0
kill -TERM "$purse"
wait "$purse" || fail "serve does not end cleanly: $(cat purse.log)"
expect 0 "" telepay-purse upgrade --yes
verdict
