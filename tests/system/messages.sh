#!/bin/bash
# What who pays, a mediator and its services write each other beside payments, with the programs as people type them: disputes from their opening to what is
# given back or refused; who asks. Nothing is given back without a signature, nothing twice.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"

set_up() {
    set_up_acquirer
    set_up_mediator
    serve_shop
    insert cards/marie
}

dispute() { local verb=$1; shift; telepay dispute "$verb" --cacert med/pki/ca.pem --home home "$@"; }
merchant() { local verb=$1; shift; telepay-mediator dispute "$verb" "$@"; }
buy_one() { # its order is $bought
    get -s "$origin/s/journal/article-1" >content 2>get.log || fail "not bought: $(cat get.log)"
    bought=$(telepay order list --home home --json | jq -r '.orders[0].order') # the mediator's list knows no order within a second
}
stands() { # dispute's state, order's state
    local left is
    for left in {300..0}; do
        is=$(ask "$origin/orders/$bought/dispute" | jq -r '.state + " " + .payment')
        [ "$is" = "$1 $2" ] && return
        pause 0.05
    done
    fail "the dispute is \"$is\", not \"$1 $2\": $(cat mediator.log)"
}
letters() { ask "$origin/orders/$bought/dispute" | jq -r '[.letters[].act] | join(" ")'; }

# Each letter verifies by another implementation, with the authority's certificate, and answers the one that it says it answers.
verified() {
    ask "$origin/orders/$bought/dispute" >dispute.json
    "${TESTS_SRCDIR:?}/tools/check_letters.py" dispute.json acq/pki/ca.pem >out 2>&1 || fail "a letter does not verify: $(cat out)"
}

settled() {
    buy_one
    expect 0 "Is something wrong with it?" ask -H 'Accept: text/html' "$origin/orders/$bought"
    expect 0 "telepay dispute open $bought" ask -H 'Accept: text/html' "$origin/orders/$bought/dispute"
    expect 0 "peut la contester" ask -H 'Accept: text/html' -H 'Accept-Language: fr' "$origin/orders/$bought/dispute"
    expect 0 "the order is not disputed" ask "$origin/orders/$bought/dispute"
    expect 2 "say why: --reason" dispute open "$bought"
    expect 2 "say why: --reason" dispute open "$bought" --reason because
    kill -KILL "$mediator"
    wait "$mediator"
    expect 4 "what you wrote is signed and kept" dispute open "$bought" --reason not-as-described --words "The chart is of 1912 & <torn>"
    expect 0 "to be sent" dispute list
    serve_mediator
    reached
    expect 0 "State         open" dispute open "$bought" --reason not-mine # what is kept is sent, and nothing else is signed
    said "not-as-described"
    said "The chart is of 1912"
    expect 0 "State         open" dispute open "$bought" --reason paid-twice
    [ "$(letters)" = "dispute opened" ] || fail "opened twice: $(letters)"
    expect 0 "disputes under way: 1, overdue: 0" telepay-mediator status
    expect 0 "not-as-described" merchant list
    expect 0 '1912 &amp; &lt;torn&gt;' ask -H 'Accept: text/html' "$origin/orders/$bought/dispute"
    expect 2 "say it in words" merchant answer "$bought"
    expect 0 "is answered, due" merchant answer "$bought" --words "It is the newest that there is."
    expect 2 "is answered: that cannot be done now" merchant answer "$bought" --words "Again."
    expect 2 "no evidence is asked for" dispute evidence "$bought" --words "early"
    expect 0 "is asked, due" merchant ask-evidence "$bought" --words "A picture, please."
    expect 0 "the merchant asks for evidence" dispute show "$bought"
    said "A picture, please."
    expect 0 "State         open" dispute evidence "$bought" --words "https://pictures.example/1912"
    expect 2 "no evidence is asked for" dispute evidence "$bought" --words "more"
    stands open delivered
    expect 0 "is settled" merchant settle "$bought" --words "You are right."
    stands settled reversed
    verified
    expect 2 "is settled: that cannot be done now" merchant refuse "$bought" --words "no"
    expect 0 "You are right." dispute show "$bought"
    said "Payment       reversed"
    [ "$(telepay order list --home home --json | jq -r --arg o "$bought" '.orders[] | select(.order == $o) | .state')" = reversed ] || fail "the journal: $(telepay order list --home home)"
    expect 0 "it was disputed: what was paid is given back" telepay-mediator order show "$bought"
    [ "$(paid)" = 0 ] || fail "not given back: $(telepay-acquirer list)"
    expect 0 "<h1>Settled</h1>" ask -H 'Accept: text/html' "$origin/orders/$bought/dispute"
    expect 0 "<h1>Réglé</h1>" ask -H 'Accept: text/html' -H 'Accept-Language: fr' "$origin/orders/$bought/dispute"
}

refused() {
    buy_one
    # that it was given back is so far the mediator's word alone, which takes no dispute away
    sqlite3 home/journal.db "UPDATE orders SET state = 5 WHERE order_id = '$bought'" || fail "the journal is not changed"
    [ "$(telepay order list --home home --json | jq -r '.orders[0].state')" = reversed ] || fail "the journal: $(telepay order list --home home)"
    expect 0 "State         open" dispute open "$bought" --reason not-delivered
    sqlite3 home/journal.db "UPDATE orders SET state = 3 WHERE order_id = '$bought'"
    # the clock goes on: overdue is told on both sides
    python3 -c "import sqlite3, sys; d = sqlite3.connect('med/mediator.db'); d.execute('UPDATE dispute SET due = 1 WHERE order_id = ?', (sys.argv[1],)); d.commit()" "$bought"
    expect 0 "overdue: 1" telepay-mediator status
    telepay-mediator status --metrics >metrics && telepay-mediator status --json >status.json 2>/dev/null || fail "status --metrics"
    expect 0 "disputes overdue 1" "${TESTS_SRCDIR:?}/tools/check_metrics.py" metrics status.json
    said "disputes under_way 1"
    [ "$(merchant list --json | jq -r '.disputes[-1].overdue')" = true ] || fail "not overdue: $(merchant list)"
    expect 0 "(overdue)" ask -H 'Accept: text/html' "$origin/orders/$bought/dispute"
    expect 0 "is refused" merchant refuse "$bought" --words "It was delivered, and read."
    stands refused delivered
    verified
    expect 2 "is refused: that cannot be done now" merchant settle "$bought"
    expect 0 "It was delivered, and read." dispute show "$bought"
    [ "$(paid)" = 1 ] || fail "given back: $(telepay-acquirer list)"
    dispute list --json >out || fail "dispute list"
    [ "$(jq -r '[.disputes[].state] | join(" ")' out)" = "refused settled" ] || fail "the list: $(cat out)"
}

# Who did not pay, what is not paid, and what is given back already.
not_theirs() {
    local other
    buy_one
    expect 0 "" telepay authority add --home thief acq/pki/ca.pem
    "${TESTS_SRCDIR:?}/tools/write_letter.py" "$bought" "$(printf 'x%.0s' {1..31})" >letter.json || fail "no letter is written"
    expect 0 'neither the credential that it shows nor its key' ask --data-binary @letter.json "$origin/orders/$bought/dispute"
    expect 0 '400' ask -o /dev/null -w '%{http_code}' --data-binary '{"letter":"a.b.c"}' "$origin/orders/$bought/dispute"
    expect 0 '404' ask -o /dev/null -w '%{http_code}' "$origin/orders/aaaaaaaaaaaaaaaaaaaaaaaaaa/dispute"
    expect 2 "has no order" telepay dispute open --cacert med/pki/ca.pem --home thief "$bought" --reason not-mine
    # the letter of one order is none of another
    other=$(telepay-mediator order list --state delivered --json | jq -r --arg o "$bought" '[.orders[].order | select(. != $o)][0]')
    expect 0 'a dispute is opened by who paid' ask --data-binary @letter.json "$origin/orders/$other/dispute"
    # settled while the mediator is down: given back when it is there again
    expect 0 "State         open" dispute open "$bought" --reason not-delivered
    kill "$mediator"
    wait "$mediator"
    expect 0 "it is signed; telepay-mediator serve has the acquirer give it back" merchant settle "$bought"
    serve_mediator
    reached
    stands settled reversed
    expect 0 "" telepay-acquirer audit
}

# What was given back, since it was not delivered, is not disputed: the order's own words say so.
given_back() {
    cat >>journal/catalogue.ini <<'END2'

[book]
designation = A book
price       = 12.00 EUR
delivery    = shipped
stock       = 1
END2
    bought=$(challenge "$origin/s/journal/book" | credential 2>credential.log) || fail "no credential: $(cat credential.log)"
    expect 0 "" get -s --home thief "$origin/s/journal/book" # of another device: what was signed here stays here
    expect 0 '410' pay "$origin/s/journal/book"
    bought=$(telepay-mediator order list --json | jq -r '.orders[] | select((.reason // "") | startswith("the service will not deliver")) | .order')
    "${TESTS_SRCDIR:?}/tools/write_letter.py" "$bought" >letter.json
    expect 0 'is given back, or a credit is due already: the service will not deliver' ask --data-binary @letter.json "$origin/orders/$bought/dispute"
}

# A service that wants to know who asks: by device, by browser with a device beside it, by a program with the session.
identified() {
    local at=$origin/s/journal/club user request session
    printf 'of members' >journal/shop/club.txt
    cat >>journal/catalogue.ini <<'END2'

[club]
price    = free
file     = club.txt
identify = the club is for members

[club/paper]
price    = 2.00 EUR
file     = club.txt
identify = the club is for members
END2
    expect 0 "401" ask -o /dev/null -D - "$at"
    said 'WWW-Authenticate: Telepay-Identity realm="localhost:18843", request="'
    expect 0 '"detail":"the club is for members"' ask "$at"
    expect 2 "wants to know who asks" get "$at" </dev/null
    said "the club is for members"
    expect 0 "of members" get --identify "$at"
    user=$(telepay identify --home home --at "$origin") || fail "no name"
    [ "${#user}" = 43 ] || fail "the name is $user"
    expect 0 "of members" get "$at" # the session lasts: nobody is asked
    expect 0 "paid 2.00 EUR" get "$at/paper"
    [ "$(telepay-mediator order list --json | jq -r '.orders[] | select(.amount == "2.00") | .state')" = delivered ] || fail "not delivered: $(telepay-mediator order list)"
    # another one is called otherwise
    expect 0 "of members" get --home thief --identify "$at"
    [ "$(telepay identify --home thief --at "$origin")" != "$user" ] || fail "two keys have one name"
    [ "$(telepay identify --home home --at https://elsewhere.example)" != "$user" ] || fail "one name at two mediators"
    # by a browser: the page says what to type, and goes on once that is done
    expect 0 "Who are you?" ask -c jar -H 'Accept: text/html' "$at"
    request=$(grep -o "$origin/identity/[a-z2-7]*" out | head -1)
    said "telepay identify $request"
    expect 0 "200" ask -b jar -o /dev/null -w '%{http_code}' -H 'Accept: text/html' "$request"
    expect 0 "Qui êtes-vous" ask -b jar -H 'Accept: text/html' -H 'Accept-Language: fr' "$request"
    expect 2 "is no request to say who you are" telepay identify --cacert med/pki/ca.pem --home home --identify "$request/../x"
    expect 0 "knows you as $user until" telepay identify --cacert med/pki/ca.pem --home home --identify "$request"
    expect 0 "409" ask -o /dev/null -w '%{http_code}' --data-binary "$("${TESTS_SRCDIR:?}/tools/write_letter.py" --identity "$origin" "${request##*/}" journal "the club is for members")" "$request"
    expect 0 '"answered":true' ask "$request" # another browser learns nothing, and goes nowhere
    expect 0 "303" ask -b jar -c jar -o /dev/null -w '%{http_code}' -H 'Accept: text/html' "$request"
    expect 0 "of members" ask -b jar -H 'Accept: text/html' "$at"
    # by a program, with the session that its letter was answered with
    request=$(ask "$at" | jq -r .identity)
    session=$("${TESTS_SRCDIR:?}/tools/write_letter.py" --identity "$origin" "${request##*/}" journal "the club is for members" | ask --data-binary @- "$request" | jq -r .session)
    expect 0 "of members" ask -H "Authorization: Bearer $session" "$at"
    expect 0 'header="Payment-Authorization"' ask -o /dev/null -D - -H "Authorization: Bearer $session" "$at/paper"
    expect 0 "401" ask -o /dev/null -w '%{http_code}' -H "Authorization: Bearer ${session%?}x" "$at"
    expect 0 "401" ask -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(tr 1-9 2-91 <<<"${session%.*}").${session##*.}" "$at"
    # what was signed for another reason, another mediator, another request
    request=$(ask "$at" | jq -r .identity)
    expect 0 "403" ask -o /dev/null -w '%{http_code}' --data-binary "$("${TESTS_SRCDIR:?}/tools/write_letter.py" --identity "$origin" "${request##*/}" journal "to send you a gift")" "$request"
    expect 0 "403" ask -o /dev/null -w '%{http_code}' --data-binary "$("${TESTS_SRCDIR:?}/tools/write_letter.py" --identity https://evil.example "${request##*/}" journal "the club is for members")" "$request"
    expect 0 "404" ask -o /dev/null -w '%{http_code}' "$origin/identity/aaaaaaaaaaaaaaaaaaaaaaaaaa"
    expect 0 "400" ask -o /dev/null -w '%{http_code}' -d '{}' "$request"
}

bill() { # verb, …
    local verb=$1 words=()
    [ "$verb" = list ] || words=(--pin-fd 0 --wait 5 --up-to "1000 EUR")
    shift
    printf 1234 | telepay bill "$verb" --cacert med/pki/ca.pem --home home --identify "${words[@]}" --at "$origin/bills/journal" "$@"
}
cookie() { sqlite3 home/journal.db "SELECT '__Host-telepay-id-journal=' || session FROM known_at WHERE service = 'journal'"; }

# What one owes: told to who owes it alone, paid once; and an account that is reloaded, once for each order.
billed() {
    local at=$origin/bills/journal user late
    user=$(telepay identify --home home --at "$origin")
    printf '[2026-11-0042]\nprice = 42.00 EUR\n' >journal/bills.ini
    expect 2 "bills.ini: article /2026-11-0042: there is no file to deliver" telepay-service check --dir journal
    cat >journal/bills.ini <<END2
[2026-11-0042]
user        = $user
designation = Electricity, November
price       = 42.00 EUR
until       = 2036-12-31

[2026-12-0007]
user  = $user
price = 7.50 EUR

[2026-12-0008]
user  = $(telepay identify --home thief --at "$origin")
price = 99.00 EUR
END2
    expect 0 '"detail":"to show what you owe"' ask "$at"
    expect 0 "401" ask -o /dev/null -w '%{http_code}' "$origin/s/journal/bills/2026-11-0042"
    bill list --json >out 2>&1 || fail "bill list: $(cat out)"
    [ "$(jq -r '[.bills[] | .bill + " " + .amount + " " + (.paid | tostring)] | join(", ")' out)" = "2026-11-0042 42.00 false, 2026-12-0007 7.50 false" ] || fail "the bills: $(cat out)"
    expect 2 'there is no bill "2026-12-0008" of yours' bill pay 2026-12-0008
    expect 22 "the service does not sell that" get -f "$origin/s/journal/bills/2026-12-0008"
    late=$(challenge -b "$(cookie)" "$origin/s/journal/bills/2026-11-0042")
    expect 0 'Bill 2026-11-0042: Electricity, November: it is paid' bill pay 2026-11-0042
    said "paid 42.00 EUR"
    expect 0 "Bill 2026-11-0042: Electricity, November" telepay order list --home home
    expect 2 "the bill 2026-11-0042 is paid already" bill pay 2026-11-0042
    expect 22 "it is paid already, and nothing is to be paid" get -f "$origin/s/journal/bills/2026-11-0042"
    # asked for before it was paid, and paid after: given back
    bought=$(telepay credential --header --cacert med/pki/ca.pem --home thief --pin-fd 3 --wait 5 --up-to "1000 EUR" 3< <(printf 1234) <<<"$late" 2>credential.log) || fail "no credential: $(cat credential.log)"
    expect 0 "410" pay -b "$(cookie)" "$origin/s/journal/bills/2026-11-0042"
    said "given back"
    # the mediator's page, in both languages
    expect 0 "Your bills" ask -b "$(cookie)" -H 'Accept: text/html' "$at"
    said "42.00 EUR is paid"
    said "href=\"$origin/s/journal/bills/2026-12-0007\""
    expect 0 "Vos factures" ask -b "$(cookie)" -H 'Accept: text/html' -H 'Accept-Language: fr' "$at"
    said "7,50 EUR est à payer"
    expect 0 "there is no such service" ask "$origin/bills/nobody"
    # a telephone account
    cat >>journal/catalogue.ini <<'END2'

[phone/10]
designation = Telephone credit
price       = 10.00 EUR
delivery    = shipped
note        = it is credited
parameter   = telephone number
END2
    expect 0 "404" ask -o /dev/null -w '%{http_code}' "$origin/s/journal/phone/10/twelve"
    expect 0 "404" ask -o /dev/null -w '%{http_code}' "$origin/s/journal/phone/10" # nobody's
    expect 0 '"shipped":"it is credited"' get "$origin/s/journal/phone/10/+33612345678"
    expect 0 "Telephone credit: +33612345678" telepay order list --home home
    expect 0 "paid 10.00 EUR" get "$origin/s/journal/phone/10/+33612345678"
    expect 0 "paid 10.00 EUR" get "$origin/s/journal/phone/10/0123456"
    expect 0 '"shipped":"it is paid"' bill pay 2026-12-0007 --json
    # as many bills of one user as are told at once (doc/service.md: 500), and one more
    many() { for i in $(seq "$1"); do printf '[many-%d]\nuser = %s\nprice = 1.00 EUR\n\n' "$i" "$user"; done >journal/bills.ini; }
    many 500
    [ "$(bill list --json | jq '.bills | length')" = 500 ] || fail "not 500 bills"
    many 501
    bill list >out 2>&1 && fail "501 bills are told"
    grep -qF "bills.ini has more than 500 bills of one user: take out old ones" ./*.log || fail "no word of too many bills: $(cat out)"
    [ "$(telepay-service account list --dir journal --json | jq -r '[.accounts[] | .account + " " + .credit] | join(", ")')" = "/phone/10/+33612345678 20.00, /phone/10/0123456 10.00" ] || fail "accounts: $(telepay-service account list --dir journal)"
}

inside() {
    cd "$dir" || exit 1
    set_up
    settled
    refused
    not_theirs
    given_back
    identified
    billed
    kill "$mediator" "$acquirer" "$service"
    wait "$mediator" || fail "telepay-mediator serve does not end cleanly: $(cat mediator.log)"
    ! grep -E '9990140000000015' ./*.log || fail "a card number in a log"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/messages.sh" inside "$dir" || exit 1
echo "messages.sh: disputed, answered, settled and refused; who asks is known; bills paid once"
