#!/bin/bash
# The remises of a purse at the collection centre: payments that Python signs, a real centre, and everything that can go wrong between the two. What the centre
# makes of each forged signature is asked of it by curl.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
failures=0 port=0
own_folder

pays() { # COUNTER AMOUNT [NAME=VALUE…]: by marie, accepted; its body is in the file body
    payer payment marie.pem med "$marie" "$@" >body
    [ "$(post /payments answer --data-binary @body)" = 200 ] || fail "payment $1: $(cat answer)"
}
remise() { # NUMBER MEMBER: of the list
    telepay-purse remise list --json | jq -r ".remises[] | select(.remise == $1) | .$2"
}
is_state() { [ "$(remise "$1" state)" = "$2" ] || fail "remise $1 is $(remise "$1" state), not $2"; }
sums() { telepay-purse status --json | jq -r ".sums[0] | [$1] | join(\" \")"; }
are_sums() { # MEMBERS WANTED
    [ "$(sums "$1")" = "$2" ] || fail "$1 are $(sums "$1"), not $2"
    expect 0 "" telepay-purse audit
}
centre_has() { # NUMBER RESULT DEBITS AMOUNT REFUSED
    local got
    got=$(telepay-centre list --dir centre --json | jq -r ".remises[] | select(.remise == $1) | [.result, .debits, .debit_amount, .refused] | join(\" \")")
    [ "$got" = "${*:2}" ] || fail "the centre has of remise $1: $got, not ${*:2}"
}
stop_centre() {
    kill "$centre_pid"
    wait "$centre_pid" 2>/dev/null
}

make_purse
serve_purse
[ "$(post /purse about)" = 200 ] || fail "no word about it"
acquirer=$(jq -r .acquirer about)
open_account marie
marie=$number
expect 0 "came into" telepay-purse account fill --account "$marie" --amount 200.00 --reference T1
expect 2 "telepay-centre acquirer add" telepay-purse collect
telepay-centre init centre >/dev/null || fail "centre init"
printf '%s\n' "$contract 2 2 OPPOSITION" >refuse
start_centre --refuse refuse
telepay-centre acquirer add --dir centre --id PURSE-1 --out purse/centre --url "https://127.0.0.1:$port" >/dev/null || fail "acquirer add"

# ---- an empty day, and one whose payments were all given back: nothing is to be collected

expect 0 "" telepay-purse collect
pays 1 500
payer reversal body med >demand
[ "$(post /reversals answer --data-binary @demand)" = 200 ] || fail "given back: $(cat answer)"
expect 0 "" telepay-purse collect
is_state 1 open

# ---- the straight way: two payments, one given back, and what a session came to

pays 2 1250
cp body paid
pays 3 1
payer statement marie.pem provision acquirer="$acquirer" account="$marie" mediator=med session=zyxwvutsrqponmlkjihgfedcba amount=1000 currency=eur until=3600 counter=4 >provision.jws
pays 5 100 provision=provision.jws
[ "$(jq 'has("provision")' answer)" = true ] || fail "no session: $(cat answer)"
presents() { # SUM NUMBER
    payer statement marie.pem voucher account="$marie" session=zyxwvutsrqponmlkjihgfedcba contract=$contract sum="$1" number="$2" currency=eur r=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU order=aaaaaaaaaaaaaaaaaaaaaaaaaa >voucher.jws
    payer demand med presentation session=zyxwvutsrqponmlkjihgfedcba contract=$contract currency=eur sum="$1" voucher=voucher.jws >demand.jws
    [ "$(post /vouchers answer --data-binary @demand.jws)" = 200 ] || fail "voucher of $1: $(cat answer)"
}
presents 150 1
presents 400 3
expect 0 "remise 1 closed" telepay-purse close
expect 0 "EUR: nothing to pay out" telepay-purse payout --out bank # not before the centre has it
are_sums ".owed, .collected, .refused_amount" "17.51 0.00 0.00"
expect 0 "collected: accepted" telepay-purse collect
grep -q 'annulled *1 *5.00 EUR' out && grep -q 'net, paid *17.51 EUR' out || fail "the ticket: $(cat out)"
is_state 1 collected
centre_has 1 accepted 5 17.51 0 # 12.50 + 0.01 + 1.00 + 1.50 + 2.50
are_sums ".owed, .collected, .refused_amount" "17.51 17.51 0.00"
expect 0 "17.51 EUR" telepay-centre show --dir centre $contract 1
grep -q "${marie:0:35}" out || fail "no account: $(cat out)"
expect 0 "nothing was paid, and nothing waits" telepay-purse collect
expect 0 "1 remises, 0 emptyings, 17.51 EUR" telepay-purse payout --out bank
are_sums ".owed, .paid_out, .collected" "0.00 17.51 17.51"

# ---- one item refused: said, kept, and not paid out; the cent of the rest is

pays 6 200
pays 7 300
presents 600 5
expect 1 "accepted but for 1 refused" telepay-purse collect
is_state 2 collected
[ "$(remise 2 refused_amount)" = 3.00 ] || fail "refused: $(remise 2 refused_amount)"
centre_has 2 "accepted in part" 2 4.00 1
expect 0 "OPPOSITION" telepay-purse suspense list
reference=$(telepay-purse suspense list --json | jq -r '.suspense[0].reference')
expect 0 "1 remises, 0 emptyings, 4.00 EUR" telepay-purse payout --out bank
are_sums ".owed, .paid_out, .collected, .refused_amount" "3.00 21.51 21.51 3.00"
expect 2 "note" telepay-purse suspense settle --reference "$reference"
expect 0 "is settled" telepay-purse suspense settle --reference "$reference" --note "paid by hand"
expect 2 "is not in suspense" telepay-purse suspense settle --reference "$reference" --note "again"
[ "$(telepay-purse suspense list --json | jq '.suspense | length')" = 0 ] || fail "still in suspense: $(telepay-purse suspense list)"
are_sums ".owed, .refused_amount" "3.00 3.00"

# ---- the centre cannot be reached, then misbehaves: the remise waits, and is sent again byte for byte

stop_centre
pays 8 700
presents 700 6
expect 4 "not collected yet" telepay-purse collect --attempts 2 --pause 0
is_state 3 submitted
expect 0 "EUR: nothing to pay out" telepay-purse payout --out bank
python3 "$here/../tools/fake_centre.py" centre mode saved.xml >fake.out 2>fake.err &
fake_pid=$!
until_said . fake.out
sed -i "s|^url = .*|url = https://127.0.0.1:$(cat fake.out)|" purse/centre/centre.conf
for m in garbage busy cut cut-answer totals other; do
    echo $m >mode
    expect 4 "" telepay-purse collect --attempts 1
    is_state 3 submitted
done
echo totals >mode
expect 4 "ALARM" telepay-purse collect --attempts 1
cp saved.xml first.xml
echo busy >mode
expect 4 "" telepay-purse collect --attempts 1
cmp -s first.xml saved.xml || fail "other bytes the second time"
xmllint --nonet --noout --schema "$TELEPAY_DATADIR/caaa.011.001.14.xsd" saved.xml 2>err || fail "not valid: $(cat err)"
kill "$fake_pid"
wait "$fake_pid" 2>/dev/null
grep -q '<AcctTp>ELMY</AcctTp>' saved.xml && ! grep -q '<Card>' saved.xml || fail "no payment by account: $(cat saved.xml)"
[ "$(xmllint --xpath 'string(//*[local-name()="AddtlInf"][*[local-name()="Id"]="telepay-purse-payment"]/*[local-name()="Val"])' saved.xml | base64 -d)" = "$(jq -r .payment body)" ] ||
    fail "not what was signed: $(cat saved.xml)"
start_centre --refuse refuse
sed -i "s|^url = .*|url = https://127.0.0.1:$port|" purse/centre/centre.conf
expect 0 "collected: accepted" telepay-purse collect
is_state 3 collected
centre_has 3 accepted 2 8.00 0
[ "$(remise 3 payout)" = null ] || fail "paid out too early"

# ---- what was not signed so is not taken: each forgery is valid by the schema, and refused by name

put() { # NUMBER FILE: what the centre says of each, "RESULT REASON…"
    curl -sS --max-time 20 --cacert purse/centre/ca.pem --cert purse/centre/client.pem --key purse/centre/client.key -T "$2" -o answer -w '%{http_code}' \
        "https://127.0.0.1:$port/remises/${3:-$contract}/$1" >status 2>curl.err
    echo "$(cat status) $(grep -o '<Rspn>[A-Z]*</Rspn>\|<RspnRsn>[^<]*' answer | sed 's/<[^>]*>//g' | tr '\n' ' ')"
}
forged() { # WHAT THE CENTRE SAYS
    number=$((number + 1))
    python3 "$here/../tools/forge_remise.py" first.xml forged.xml $number "$1" || fail "forge_remise.py $1"
    xmllint --nonet --noout --schema "$TELEPAY_DATADIR/caaa.011.001.14.xsd" forged.xml 2>err || fail "forged, $1: not valid: $(cat err)"
    got=$(put $number forged.xml "${3:-$contract}")
    if [[ $got == "200 "*" $2 "* ]]; then echo "ok   forged: $1"; else fail "forged, $1: $got, not $2"; fi
}
number=100
forged nothing "DUPLICATE DECL DECL DUPLICATE"
forged again "DUPLICATE DECL DECL DUPLICATE" # under other numbers: by what was signed
forged amount SIGNED_AMOUNT
forged signature SIGNATURE
forged challenge SIGNED_CHALLENGE
forged account SIGNED_ACCOUNT
forged voucher-amount SIGNED_AMOUNT
forged credit SIGNED_TYPE
forged voucher SIGNATURE # what is signed says what it is
jq -j .payment paid >statement
forged statement=statement SIGNED_AMOUNT
forged contract=000000000000888 "SIGNED_CONTRACT DECL DECL SIGNED_CONTRACT" 000000000000888
[ "$(telepay-centre list --dir centre --json | jq '[.remises[] | select(.remise > 100) | .debits] | add')" = 0 ] || fail "something forged was taken: $(telepay-centre list --dir centre)"

# ---- backed up with what the centre gave: a copy pays out nothing that it has not taken

expect 0 "a copy of" telepay-purse backup --out copy
[ -f copy/centre/centre.conf ] && [ "$(stat -c %a copy/centre/client.key)" = 600 ] || fail "a copy without its credentials: $(ls -R copy)"
expect 0 "1 remises, 0 emptyings, 8.00 EUR" telepay-purse payout --dir copy --out bank-of-copy

stop_centre
verdict
