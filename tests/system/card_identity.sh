#!/bin/bash
# Who asks, by bank card: the card signs the mediator's request, its acquirer alone learns the number and gives the mediator a name for it; with the programs as
# people type them. What was made for another request, mediator or acquirer, or changed, says nothing of anybody, and the card's number stays where it belongs.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"

number=9990140000000015

set_up() {
    set_up_acquirer
    expect 0 "" telepay-perso card cards/paul --scheme scheme/ --pan 9990140000000023 --name "MARTIN/PAUL" --expiry 2030-12 --pin 1234
    expect 0 "" telepay-perso card cards/simple --scheme scheme/ --pan 9990140000000031 --name "SIMPLE/CARD" --expiry 2030-12 --pin 1234 --method sda
    expect 0 "" telepay-perso init elsewhere/
    expect 0 "" telepay-perso card cards/foreign --scheme elsewhere/ --pan 9990140000000049 --name "FOREIGN/CARD" --expiry 2030-12 --pin 1234
    set_up_mediator
    printf 'of members' >journal/shop/club.txt
    cat >>journal/catalogue.ini <<'END2'

[club]
price    = free
file     = club.txt
identify = the club is for members

[vault]
price       = free
file        = club.txt
identify    = the vault opens to a card
identify_by = card
END2
    serve_shop
    insert cards/marie
}

identify() { telepay identify --cacert med/pki/ca.pem --home home --wait 5 --identify "$@"; }
new_request() { # of a page: its number is $request, where it is asked $at
    at=$(ask "$origin/s/journal/$1" | jq -r .identity)
    request=${at##*/}
}
posted() { # what is written; status and answer are in out
    ask -w '\n%{http_code}\n' --data-binary @- "$at" >out 2>&1
}
kept() { sqlite3 home/journal.db "SELECT jws FROM letter ORDER BY id DESC LIMIT 1"; } # what was sealed of the card last
judge() { "${TESTS_SRCDIR:?}/tools/card_identity.py" "$@"; }

# The name is another's word: worked out from what the card signed and the acquirer's key, by another implementation.
known() {
    local mine
    new_request club
    expect 0 "knows you as" identify --card "$at"
    mine=$(grep -o 'knows you as [^ ]*' out | cut -d' ' -f4)
    [ "${#mine}" = 43 ] || fail "the name is $mine"
    ask "$at" | jq -r .card.request >request.jws
    [ "$(judge judge "$(cat request.jws)" "$(kept)" acq scheme/authority.json port "$origin" 2>judge.log)" = "$mine" ] || fail "another implementation knows the card by another name: $(cat judge.log)"
    [ "$(telepay identify --home home --at "$origin")" != "$mine" ] || fail "card and key have one name"
    expect 0 '"answered":true' ask "$at"
    # again, by the same card: the same name, at every request; by another card another
    new_request club
    expect 0 "knows you as $mine until" identify --card "$at"
    new_request club
    expect 0 "knows you as $mine until" identify --card --home thief "$at" # whoever holds the card
    insert cards/paul
    new_request club
    expect 0 "knows you as" identify --card "$at"
    unsaid "$mine"
    insert cards/marie
    # what was answered is answered the same again, and nobody else's
    new_request club
    expect 0 "knows you as $mine until" identify --card "$at"
    printf '{"card":"%s"}' "$(kept)" | posted
    said "\"user\":\"$mine\""
    judge forge genuine "$(kept)" acq | posted
    said "another letter, or card, has answered that"
    said 409
}

# The service that wants a card takes no key, and says so wherever it asks.
demanded() {
    local session
    expect 0 'by="card"' ask -o /dev/null -D - "$origin/s/journal/vault"
    expect 0 '"identify_by":"card"' ask "$origin/s/journal/vault"
    expect 0 "by a bank card" ask -H 'Accept: text/html' "$origin/s/journal/vault"
    expect 0 "par une carte bancaire" ask -H 'Accept: text/html' -H 'Accept-Language: fr' "$origin/s/journal/vault"
    new_request vault
    "${TESTS_SRCDIR:?}/tools/write_letter.py" --identity "$origin" "$request" journal "the vault opens to a card" | posted
    said "its service wants to know it by a bank card"
    said 403
    expect 0 "of members" get --home other --identify "$origin/s/journal/club" # by key …
    remove
    expect 3 "" get --home other --identify --wait 0 "$origin/s/journal/vault" # … which is not enough here
    insert cards/marie
    expect 2 "Let your card sign who you are (no PIN, and nothing is paid)" get --home other "$origin/s/journal/vault" </dev/null
    expect 0 "of members" get --home other --identify "$origin/s/journal/vault"
    remove
    expect 0 "of members" get --home other "$origin/s/journal/vault" # the session lasts: no card is asked
    expect 0 "of members" get --home other "$origin/s/journal/club"
    insert cards/marie
    expect 0 "of members" get --home third --identify "$origin/s/journal/club"
    expect 0 "of members" get --home third --identify=card "$origin/s/journal/club" # a key's session is none of a card's
    [ "$(sqlite3 third/journal.db "SELECT by_card FROM known_at")" = 1 ] || fail "not known by card"
    expect 2 "--identify takes nothing, or card" get --identify=key "$origin/s/journal/club"
    # a session by key, said to be by card
    session=$(sqlite3 thief/journal.db "SELECT session FROM known_at")
    expect 0 "401" ask -o /dev/null -w '%{http_code}' -H "Authorization: Bearer ${session%?}x" "$origin/s/journal/vault"
    expect 0 "200" ask -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $session" "$origin/s/journal/vault"
}

# Nothing that was changed, or is of something else, says who anybody is.
refused() {
    local kind word was
    kill "$acquirer"
    wait "$acquirer"
    until_said "is not reached" mediator.log
    new_request club
    expect 4 "nothing is kept: ask the same again" identify --card "$at"
    expect 0 '"answered":false' ask "$at"
    was=$(kept)
    serve_acquirer
    reached
    for word in "signature 63 DDA_" "records 63 ICC_CERT_HASH" "request 63 REQUEST_DIFFERS" "key 63 SEALED" "plain 63 SEALED"; do
        kind=${word%% *}
        judge forge "$kind" "$was" acq | posted
        said "the card's acquirer does not take it: ${word#* }"
        said 403
        expect 0 '"answered":false' ask "$at"
    done
    printf '{"card":"no.jwe"}' | posted
    said "does not take it: 63 SEALED"
    printf '{"card":"%s"}' "$(head -c 13000 /dev/zero | tr '\0' x)" | posted
    said "too large"
    said 400
    # of another request
    new_request club
    printf '{"card":"%s"}' "$was" | posted
    said "does not take it: 63 REQUEST_DIFFERS"
    # a card that is reported lost, that has expired, that proves nothing, that is of nobody known here
    expect 0 "" telepay-acquirer opposition add --reason lost <<<"$number"
    new_request club
    expect 2 "does not take it: 41 OPPOSITION" identify --card "$at"
    expect 0 "" telepay-acquirer opposition remove <<<"$number"
    insert cards/simple
    new_request club
    expect 3 "signs nothing of its own that would prove it" identify --card "$at"
    insert cards/foreign
    expect 3 "nobody was told who you are" identify --card "$at"
    insert cards/marie --fault wrong-sdad
    expect 3 "the card's signature is not good" identify --card "$at"
    insert cards/marie
    expect 0 '"answered":false' ask "$at"
    # who signs for the acquirer, and is not it
    expect 0 "" telepay-acquirer init acq2/ --authority scheme/authority.json
    expect 0 "" telepay-acquirer contract add --dir acq2 --id 000000000000123 --name Elsewhere --mcc 5942 --currency EUR
    expect 0 "" telepay-acquirer mediator add --dir acq2 --name port --contract 000000000000123 --out elsewhere2
    kill "$acquirer"
    wait "$acquirer"
    mkdir own
    cp acq/pki/acknowledgement.* own/
    cp acq2/pki/acknowledgement.* acq/pki/
    serve_acquirer
    reached
    expect 4 "the answer of the card's acquirer cannot be used: nothing is kept" identify --card "$at"
    expect 0 '"answered":false' ask "$at"
    kill "$acquirer"
    wait "$acquirer"
    cp own/* acq/pki/
    serve_acquirer
    reached
    expect 0 "knows you as" identify --card "$at"
    new_request club
    # nobody whom the user trusts stands for the acquirer
    expect 5 "no acquirer's authority is trusted yet: telepay authority add FILE" identify --card --home stranger "$at"
}

inside() {
    cd "$dir" || exit 1
    set_up
    expect 0 "" telepay authority add --home thief acq/pki/ca.pem
    expect 0 "" telepay authority add --home other acq/pki/ca.pem
    expect 0 "" telepay authority add --home third acq/pki/ca.pem
    known
    demanded
    refused
    kill "$mediator" "$acquirer" "$service"
    wait "$mediator" || fail "telepay-mediator serve does not end cleanly: $(cat mediator.log)"
    ! grep -E "$number|999014000000002|999014000000003" ./*.log || fail "a card number in a log"
    # nor in anything that mediator and service keep, in digits or as a card has it
    ! grep -rlaE "$number" med journal home thief other third || fail "a card number in a book"
    ! grep -rlaP '\x99\x90\x14\x00\x00\x00\x00\x15' med journal home thief other third || fail "a card number in a book"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/card_identity.sh" inside "$dir" || exit 1
echo "card_identity.sh: known by card, at each mediator by another name; what is changed or of another is refused"
