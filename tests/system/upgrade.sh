#!/bin/bash
# telepay-acquirer upgrade: books of before are refused by every command, brought up by order alone, with a copy beside them.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
own_folder
failures=0

a() { telepay-acquirer "$@"; }
# Only a terminal is asked: one that types the word.
typed() { # word, exit code, text
    python3 - "$1" >out 2>&1 <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("telepay-acquirer", ["telepay-acquirer", "upgrade"])
text = b""
while b"[y/N]" not in text:
    text += os.read(fd, 4096)
os.write(fd, sys.argv[1].encode() + b"\n")
try:
    while more := os.read(fd, 4096):
        text += more
except OSError:
    pass
print(text.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
    local got=$?
    [ $got -eq "$2" ] || fail "upgrade, answered $1, gives $got, not $2: $(cat out)"
    said "$3"
}
copies() { find acq -name 'ledger.db.version-*' | wc -l; }

expect 0 "made the acquirer" a init acq --listen 127.0.0.1:0
expect 0 "contract" a contract add --id 000000000000123 --name Librairie --mcc 5942 --currency EUR
expect 0 "there is nothing to do" a upgrade
before() { # as version 5 left them: no places of contracts, no mediators, no refunds, whose they are stood nowhere, the version in the file's head
    python3 - <<'PY'
import sqlite3
d = sqlite3.connect("acq/ledger.db")
for (name,) in d.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%mediat%'").fetchall():
    d.execute("DROP TRIGGER " + name)
for (name,) in d.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'refund%'").fetchall():
    d.execute("DROP TRIGGER " + name)
for column in ("siret", "town", "postcode", "refund_alone"):
    d.execute("ALTER TABLE contract DROP COLUMN " + column)
d.executescript("DROP TABLE refund; DROP TABLE mediated; ALTER TABLE terminal DROP COLUMN mediator; DROP TABLE mediator; DROP TABLE store; PRAGMA user_version = 5;")
PY
}
before
expect 2 "telepay-acquirer upgrade" a contract list
expect 2 "telepay-acquirer upgrade" a serve
expect 2 "--yes" a upgrade
said "version 5 to 6: "
said "version 6 to 7: adds mediators"
said "version 7 to 8: adds which payment a credit gives back"
said "version 8 to 9: adds SIRET, town and postcode"
typed n 1 "stays as it is"
[ "$(copies)" = 0 ] || fail "a copy though nothing was done"
expect 2 "telepay-acquirer upgrade" a contract list
typed y 0 "now of version 9"
[ "$(copies)" = 1 ] || fail "no copy of the books"
expect 0 '"siret": null' a contract list --json
before
rm acq/ledger.db.version-*
expect 0 "now of version 9" a upgrade --yes --dir acq
expect 0 "books and evidence agree" a audit

# not under a server
launch served listen telepay-acquirer serve --dir acq
expect 2 "telepay-acquirer" a upgrade --yes
verdict
