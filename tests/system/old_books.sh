#!/bin/bash
# Books that older programs made (ledger 5, issuer 4, centre 2, journal 2, purse 1, mediator 1: payments collected, in a closed remise, open, reversed, not
# delivered): they are refused until they are brought up by order, after a copy, and hold afterwards what they held.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
own_folder

cp -r "$TESTS_SRCDIR/data/old/demo/." . && chmod -R u+w,go-rwx . || exit 1
for books in acq/ledger iss/issuer centre/centre terminal/journal purse/purse med/mediator; do
    sqlite3 "$books.db" <"$books.sql" >/dev/null || exit 1
    chmod 600 "$books.db"
done

brought_up() { # file, version, a command that reads it, the command that brings it up
    local file=$1 version=$2 read=$3 up=$4 before copies
    before=$(sqlite3 "$file" .dump | sort | sha256sum)
    $read >out 2>&1 && fail "$read: an old file was read: $(cat out)"
    grep -q "run telepay.* upgrade, which keeps a copy" out || fail "$read: $(cat out)"
    $up </dev/null >out 2>&1 && fail "$up: nobody was asked: $(cat out)"
    grep -q "say --yes" out || fail "$up: $(cat out)"
    [ "$(sqlite3 "$file" .dump | sort | sha256sum)" = "$before" ] || fail "$file was changed before anybody said yes"
    $up --yes >out 2>&1 || fail "$up: $(cat out)"
    grep -q "^version $version to .* as it was: $file.version-$version-" <(tr "\n" " " <out) || fail "$up: $(cat out)"
    copies=("$file".version-"$version"-*)
    [ "$(stat -c %a "${copies[0]}")" = 600 ] || fail "the copy ${copies[0]} is not private"
    [ "$(sqlite3 "${copies[0]}" .dump | sort | sha256sum)" = "$before" ] || fail "the copy ${copies[0]} is another"
    $up --yes >out 2>&1 && grep -q "there is nothing to do" out || fail "$up again: $(cat out)"
    $read >out 2>&1 || fail "$read: $(cat out)"
}

holds() { # words of what was read last…
    local words
    for words; do
        grep -qE "$words" out || fail "no \"$words\": $(cat out)"
    done
}

brought_up acq/ledger.db 5 "telepay-acquirer list --dir acq" "telepay-acquirer upgrade --dir acq"
holds '^633200000001 .* 12.50 EUR .* 1 collected$' '^633200000002 .* 60.00 EUR .* 1 collected$' '^633200000003 .* 7.25 EUR .* 1 reversed$' \
    '^633200000004 .* 3.20 EUR .* 2 in remise$' '^633200000005 .* 70.00 EUR .* 2 in remise$' '^633200000006 .* 4.10 EUR .* 3 acknowledged$'
[ "$(wc -l <out)" = 7 ] || fail "more or fewer than six payments: $(cat out)"
telepay-acquirer audit --dir acq >out 2>&1 || fail "audit: $(cat out)"
holds '^6 transactions in 3 remises of 1 contracts: books and evidence agree$' 'remise 1 .collected.: cards signed 2 debits 72.50' 'remise 2 .closed.: cards signed 2 debits 73.20'
telepay-acquirer prove --dir acq 633200000002 >out 2>&1 || fail "prove: $(cat out)"
telepay-acquirer close --dir acq >out 2>&1 || fail "close: $(cat out)"
holds 'remise 3 closed, .* 1 debits 4.10'

brought_up iss/issuer.db 4 "telepay-issuer list --dir iss" "telepay-issuer upgrade --dir iss"
holds '633200000002 .* 60.00 EUR .* 60.00 no$' '633200000003 .* 0.00 yes$' '633200000005 .* 70.00 no$' '633200000006 .* 4.10 no$'
telepay-issuer account list --dir iss >out 2>&1 || fail "account list: $(cat out)"
holds '134.10' # reserved: 60.00 + 70.00 + 4.10

brought_up centre/centre.db 2 "telepay-centre show --dir centre 000000000000123 1" "telepay-centre upgrade --dir centre"
holds '633200000001 .*12.50' '633200000002 .*60.00'

brought_up terminal/journal.db 2 "telepay journal list --config terminal/telepay.conf" "telepay journal upgrade --config terminal/telepay.conf"
holds '808313 .* 2.00 EUR .* signed' '808311 633200000006 .* 4.10 EUR .* acknowledged' '808303 633200000001 .* 12.50 EUR .* acknowledged'

brought_up purse/purse.db 1 "telepay-purse list --dir purse" "telepay-purse upgrade --dir purse"
holds '^000000000001 .* 12.50 EUR .* 00 ' '^000000000002 .* 20.01 EUR .* 51 ' '^000000000003 .* 7.50 EUR .* 1 *$' '^000000000004 .* 5.00 EUR .* 2 *$'
telepay-purse audit --dir purse >out 2>&1 || fail "purse audit: $(cat out)"
holds '^EUR +2 +3 +120.00 +90.00 +0.00 +5.00 +20.00 +5.00 +0.00 +0.00$'
telepay-purse close --dir purse >out 2>&1 || fail "purse close: $(cat out)"
holds 'remise 2 closed, .* 1 payments, 5.00 EUR'

# one order delivered, one given back, one that nobody paid: each by a card, under the one contract that its service had
brought_up med/mediator.db 1 "telepay-mediator order list --dir med" "telepay-mediator upgrade --dir med"
holds '^2cudr6ud3m5oep4dg2dtogma5e .* delivered emv' '^ut7u64daamxqlcsvlzb3b7mrpm .* reversed *emv' '^rqksva45yhrvjh5d37jnnzyscm .* requested'
telepay-mediator order show --dir med 2cudr6ud3m5oep4dg2dtogma5e >out 2>&1 || fail "order show: $(cat out)"
holds '"contract": "000000000000123"' '"acquirer": "3C1EF3BFFFC60D36"' '"means": "emv"' '"stan": "00000[0-9]"' '"outcome": "acknowledged"'
telepay-mediator order prove --dir med 2cudr6ud3m5oep4dg2dtogma5e >out 2>&1 || fail "order prove: $(cat out)"
holds 'was acknowledged by acquirer 3C1EF3BFFFC60D36'
telepay-mediator service list --dir med >out 2>&1 || fail "service list: $(cat out)"
holds 'journal *000000000000123 '

columns_and_rules() { # file
    sqlite3 "$1" "SELECT m.name || '.' || p.name || ' ' || p.type || p.pk FROM sqlite_schema m JOIN pragma_table_info(m.name) p
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1; SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY 1;
        SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite%' ORDER BY 1; SELECT * FROM store"
}

# a new file and one brought up have the same
telepay-perso init scheme >/dev/null 2>&1 && telepay-acquirer init new-acq --authority scheme/authority.json >/dev/null 2>&1 &&
    telepay-issuer init new-iss --scheme scheme >/dev/null 2>&1 && telepay-centre init new-centre >/dev/null 2>&1 &&
    telepay-purse init new-purse >/dev/null 2>&1 && telepay-mediator init new-med >/dev/null 2>&1 || fail "init"
for kind in acq/ledger iss/issuer centre/centre purse/purse med/mediator; do
    columns_and_rules "$kind.db" >old
    columns_and_rules "new-$kind.db" >new
    [ -s new ] && diff old new >out || fail "$kind: an upgraded file is not as a new one: $(cat out)"
done
