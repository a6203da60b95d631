#!/bin/bash
# Books of a file, with payments collected, in a closed remise, open, reversed and asked, are brought into PostgreSQL: all of them or none. What is listed,
# proved and audited is the same before and after, and the next payment gets the next reference.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
if [ $# = 0 ]; then
    exec "$here/with-postgres" "$here/postgres_move.sh" inside
fi
own_folder

query() { psql -qXAt -v ON_ERROR_STOP=1 "postgresql:///$1?host=$WITH_POSTGRES_DIR&user=postgres" -c "$2" || fail "$1: $2"; }
url() { printf 'postgresql:///%s?host=%s&user=postgres&password=hidden-word' "$1" "$WITH_POSTGRES_DIR"; }
move() { telepay-acquirer move --dir acq --to "$(url "$1")"; }
contents() { sqlite3 acq/ledger.db .dump | sort | sha256sum; }
is_empty() { [ "$(query "$1" "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")" = 0 ] || fail "$1 is not empty"; }
stays() { # words
    [ "$(contents)" = "$before" ] || fail "$1: the source has changed"
    [ ! -e acq/store.conf ] || fail "$1: the folder names the database"
    expect 0 "3 acknowledged" telepay-acquirer list --dir acq
}

what_is_told() {
    telepay-acquirer list --dir acq
    telepay-acquirer authorisations --dir acq
    telepay-acquirer refusals --dir acq
    telepay-acquirer remise list --dir acq
    telepay-acquirer contract list --dir acq
    telepay-acquirer terminal list --dir acq
    telepay-acquirer audit --dir acq
    local n
    for n in 1 2 3 4 5 6; do
        telepay-acquirer show --dir acq 63320000000$n
        telepay-acquirer prove --dir acq 63320000000$n
    done
}

cp -r "$TESTS_SRCDIR/data/old/demo/acq" . && chmod -R u+w,go-rwx acq || exit 1
sqlite3 acq/ledger.db <acq/ledger.sql >/dev/null || exit 1
chmod 600 acq/ledger.db
rm acq/ledger.sql
expect 0 "" telepay-acquirer init new --authority acq/authorities/01.json
cp -r new/pki acq/
query postgres "CREATE DATABASE target"
expect 2 "run telepay-acquirer upgrade" move target
is_empty target
expect 0 "" telepay-acquirer upgrade --yes --dir acq
what_is_told >told.before 2>&1
rows=0
for table in $(sqlite3 acq/ledger.db "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1"); do
    echo "$table $(sqlite3 acq/ledger.db "SELECT count(*) FROM $table")"
done >rows.before
before=$(contents)

# not while somebody serves from it
launch acquirer.log listening telepay-acquirer serve --dir acq --listen 127.0.0.1:0
expect 2 "" move target
kill "$launched"
wait "$launched"
before=$(contents)
is_empty target
stays "served"

# not over what is there
query postgres "CREATE DATABASE full_one"
expect 0 "" telepay-acquirer init other --store "$(url full_one)"
expect 2 "holds something already" move full_one
stays "over another's"
expect 0 "evidence agree" telepay-acquirer audit --dir other
expect 2 "" move no_such_one
said "createdb"
unsaid hidden-word
stays "nowhere"
expect 2 "" telepay-acquirer move --dir acq --to /tmp/file.db
stays "to a file"

# killed in the middle: a rule of the target makes it slow
query postgres "CREATE DATABASE slow"
query slow "CREATE FUNCTION wait() RETURNS event_trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM pg_sleep(1); END \$\$"
query slow "CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION wait()"
telepay-acquirer move --dir acq --to "$(url slow)" >killed.log 2>&1 &
moving=$!
for left in {100..0}; do
    [ "$(query postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = 'slow' AND query LIKE '%CREATE TRIGGER%' AND state = 'active'")" = 1 ] && break
    [ "$left" = 0 ] && fail "never in the middle: $(cat killed.log)"
    pause 0.05
done
kill -KILL "$moving"
{ wait "$moving"; } 2>/dev/null
for left in {100..0}; do
    [ "$(query postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = 'slow'")" = 0 ] && break
    pause 0.1
done
is_empty slow
stays "killed"

# one that the target refuses in the middle
query postgres "CREATE DATABASE refusing"

query refusing "CREATE FUNCTION no_room() RETURNS event_trigger LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'no room'; END \$\$"
query refusing "CREATE EVENT TRIGGER no_room ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION no_room()"
expect 74 "is full: make room" move refusing
is_empty refusing
stays "refused"

# the whole of it, beside a twin that stays a file
cp -r acq twin
expect 0 "rows are moved: 6 transactions in 3 remises, 0 differences" move target
unsaid hidden-word
said "The file of before is kept as"
[ ! -e acq/ledger.db ] || fail "the file is still there under its name"
[ "$(stat -c %a acq/store.conf)" = 600 ] || fail "store.conf is not private"
while read -r table n; do
    [ "$(query target "SELECT count(*) FROM $table")" = "$n" ] || fail "$table: not $n rows"
    rows=$((rows + n))
done <rows.before
said "$((rows - 1)) rows are moved" # whose the books are is said anew
what_is_told >told.after 2>&1
diff told.before told.after >out || fail "what is told has changed: $(cat out)"
expect 0 "books and evidence agree" telepay-acquirer audit --dir acq

# it goes on as the twin does: new rows have new keys, the next payment the next reference, the next remise the next number
for books in acq twin; do
    expect 0 "" ledger_fill $books 000000000000123 00000001 1 900 0
    telepay-acquirer list --dir $books | grep -oE '^[0-9]{12}' >$books.references
done
[ "$(sort -u acq.references | wc -l)" = 7 ] || fail "not seven references: $(cat acq.references)"
cmp acq.references twin.references >out || fail "the next reference is not the twin's: $(cat acq.references twin.references)"
expect 0 "" telepay-acquirer contract add --dir acq --id 000000000000999 --name "Autre" --mcc 5942 --currency EUR
match=-E expect 0 "remise 3 closed, .* 2 debits" telepay-acquirer close --dir acq
expect 2 "holds something already" move target # to where they are
echo "postgres_move.sh: moved, and refused where it must be"
