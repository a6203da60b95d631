#!/bin/bash
# telepay-acquirer upgrade: books of before are refused by every command, brought up by order alone, with a copy beside them.
set -u
a=${TESTS_BUILDDIR:?}/telepay-acquirer
work=$(mktemp -d)
server=''
finish() {
    [ -n "$server" ] && kill "$server" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 99
failures=0
fail() {
    echo "FAIL: $*"
    failures=$((failures + 1))
}
# want CODE PATTERN COMMAND…: exit code, and a line of output (both streams) that matches.
want() {
    local code=$1 pattern=$2 got
    shift 2
    "$@" >out 2>&1 </dev/null
    got=$?
    [ $got -eq "$code" ] || { fail "$* gives $got, not $code:"; cat out; }
    grep -qE -- "$pattern" out || { fail "$* does not say \"$pattern\":"; cat out; }
}
# Only a terminal is asked: one that types the word.
typed() { # WORD CODE PATTERN
    python3 - "$a" "$1" >out 2>&1 <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "upgrade"])
text = b""
while b"[y/N]" not in text:
    text += os.read(fd, 4096)
os.write(fd, sys.argv[2].encode() + b"\n")
try:
    while more := os.read(fd, 4096):
        text += more
except OSError:
    pass
print(text.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
    local got=$?
    [ $got -eq "$2" ] || { fail "upgrade, answered $1, gives $got, not $2:"; cat out; }
    grep -qE -- "$3" out || { fail "upgrade, answered $1, does not say \"$3\":"; cat out; }
}
copies() { find acq -name 'ledger.db.version-*' | wc -l; }

want 0 "made the acquirer" "$a" init acq --listen 127.0.0.1:0
want 0 "contract" "$a" contract add --id 000000000000123 --name Librairie --mcc 5942 --currency EUR
want 0 "there is nothing to do" "$a" upgrade
before() { # as version 5 left them: whose they are stood nowhere, the version in the file's head
    python3 - <<'PY'
import sqlite3
d = sqlite3.connect("acq/ledger.db")
d.executescript("DROP TABLE store; PRAGMA user_version = 5;")
PY
}
before
want 2 "telepay-acquirer upgrade" "$a" contract list
want 2 "telepay-acquirer upgrade" "$a" serve
want 2 "--yes" "$a" upgrade
grep -q "version 5 to 6: " out || fail "upgrade does not say what it would do"
typed n 1 "stays as it is"
[ "$(copies)" = 0 ] || fail "a copy though nothing was done"
want 2 "telepay-acquirer upgrade" "$a" contract list
typed y 0 "now of version 6"
[ "$(copies)" = 1 ] || fail "no copy of the books"
want 0 "000000000000123" "$a" contract list
before
rm acq/ledger.db.version-*
want 0 "now of version 6" "$a" upgrade --yes --dir acq
want 0 "books and evidence agree" "$a" audit

# not under a server
"$a" serve --dir acq >served 2>&1 &
server=$!
for _ in $(seq 100); do
    grep -q "listen" served && break
    sleep 0.1
done
want 2 "telepay-acquirer" "$a" upgrade --yes
kill "$server"
wait "$server"
server=''
exit $((failures > 0))
