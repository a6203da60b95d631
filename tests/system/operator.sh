#!/bin/bash
# The operator's commands as a user types them, on one payment that a card really signed behind a private pcscd.
set -u
bin=${TESTS_BUILDDIR:?}
src=${TESTS_SRCDIR:?}

if [ "${1-}" != inside ]; then
    "$src/system/with-pcscd" "$0" inside
    exit
fi

work=$(mktemp -d)
card='' server=''
finish() {
    [ -n "$card" ] && kill "$card" 2>/dev/null
    [ -n "$server" ] && kill "$server" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 99
export TZ=Europe/Paris
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
a() { "$bin/telepay-acquirer" "$@"; }
json() { python3 -c "import json,sys; d=json.load(open('$work/out')); print($1)"; }
until_line() { # file pattern
    for _ in $(seq 100); do
        grep -q "$2" "$1" && return
        sleep 0.1
    done
    fail "no \"$2\" in $1"
    cat "$1"
}

# ---- init, contract, terminal ----
"$bin/telepay-perso" init scheme >out 2>&1 || { cat out; fail "perso init"; }
want 2 "name the folder" a init
want 2 "cannot read" a init acq --authority nothing.json
rm -rf acq
want 0 "made the acquirer" a init acq/ --authority scheme/authority.json --name "Test bank" --listen 127.0.0.1:0
[ "$(stat -c %a acq acq/seal.key acq/ledger.db acq/pki/ca.key | tr '\n' ' ')" = "700 600 600 600 " ] || fail "modes of acq: $(stat -c '%a %n' acq acq/*)"
want 2 "there already" a init acq
want 2 "there is no acquirer in nowhere" a list --dir nowhere
want 2 "needs --id" a contract add
want 2 "15 letters" a contract add --id 1 --name X --mcc 5942 --currency EUR
want 2 "no currency" a contract add --id 000000000000123 --name X --mcc 5942 --currency XXQ
want 2 "four digits" a contract add --id 000000000000123 --name X --mcc 59 --currency EUR
want 2 "too many decimals" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR --floor 1.234
want 2 "no hour" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR --close-hour 25:00
want 0 "is open" a contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR --floor 40 --close-hour 21:15
want 2 "already" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR
want 0 '"close_hour": ?"21:15"' a contract list --json
[ "$(json 'd["contracts"][0]["floor"]')" = 40.00 ] || fail "floor of contract list: $(cat out)"
want 2 "no contract" a terminal add --contract 000000000000999 --id 00000001 --out t9
want 2 "8 letters" a terminal add --contract 000000000000123 --id 1 --out t9
[ ! -e t9 ] || fail "a refused terminal left a folder"

# ---- the server, a terminal, a payment ----
"$bin/telepay-acquirer" serve >serve.log 2>&1 &
server=$!
until_line serve.log "listening on"
port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' serve.log | head -n 1)
want 2 "say with --port" a terminal add --contract 000000000000123 --id 00000001 --out terminal/
want 0 "is in terminal" a terminal add --contract 000000000000123 --id 00000001 --out terminal/ --port "$port"
want 2 "already" a terminal add --contract 000000000000123 --id 00000001 --out other
[ "$(stat -c %a terminal terminal/terminal.key | tr '\n' ' ')" = "700 600 " ] || fail "modes of terminal"
grep -q "^floor = 4000" terminal/telepay.conf || fail "the contract's floor is not in telepay.conf"
want 0 "00000001" a terminal list
exec 7>writing # a descriptor that the caller gives, but not for reading, and one that nobody gave
for fd in 9 7 x 99999; do
    "$bin/telepay-perso" card cards/none --scheme scheme --pan 9990140000000015 --expiry 2035-12 --pin-fd $fd 9<&- >out 2>&1 && fail "perso --pin-fd $fd"
    grep -q -- "--pin-fd" out || { fail "perso --pin-fd $fd says:"; cat out; }
done
exec 7>&-
"$bin/telepay-perso" card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2035-12 --pin 1234 >out 2>&1 || cat out
"$bin/telepay-simcard" cards/marie >card.log 2>&1 &
card=$!
sleep 1
pay() { # amount
    printf 1234 | "$bin/telepay" pay --amount "$1" --currency EUR --config terminal/telepay.conf --pin-fd 0 >pay.out 2>&1 ||
        { fail "telepay pay $1:"; cat pay.out serve.log; }
}
pay 12.50
pay 3.20
pay 7.00

want 0 "999014\*\*\*\*\*\*0015" a list
grep -q 9990140000000015 out && fail "list shows the card number"
want 0 '"rrn"' a list --json
[ "$(json 'len(d["transactions"])')" = 3 ] || fail "three payments: $(cat out)"
rrn=$(json 'd["transactions"][0]["rrn"]')
second=$(json 'd["transactions"][1]["rrn"]')
third=$(json 'd["transactions"][2]["rrn"]')
[ "${rrn:0:4}" = "$(date +%y%j | cut -c 2-)" ] || fail "$rrn is not of today"
want 0 "12.50" a show "$rrn"
want 0 '"amount_minor": 1250' a show "$rrn" --json
want 2 "no transaction" a show 000000000001
want 2 "12 digits" a show 12

# ---- proof, alone and from the file ----
want 0 "proved: the card 999014\*\*\*\*\*\*0015 signed this debit of 12.50 EUR" a prove "$rrn" --out evidence.json
grep -q FAILED out && fail "a step of a good proof failed: $(cat out)"
[ "$(stat -c %a evidence.json)" = 600 ] || fail "evidence.json is not its owner's alone"
want 0 '"proved": true' a prove "$rrn" --json
if a --help | grep -q "^  verify"; then
    want 0 . a verify evidence.json --capk scheme/authority.json --date "$(date +%F)"
fi
want 0 "books and evidence agree" a audit

# ---- an authority key that is past its date, unknown, or bad: three causes, three words (EMV 4.4 Book 2, 5.2, 6.3, 11.2.3) ----
cp acq/authorities/01.json kept.json
sed -i 's/"expiry": *"[0-9-]*"/"expiry": "2020-12-31"/' acq/authorities/01.json
want 0 "past its date of 2020-12-31" a prove "$rrn"
want 0 "books and evidence agree" a audit
mv acq/authorities/01.json terminal/authority.json
want 0 "Authority.*key 01 of F000000014.*past the date that its list has: 2020-12-31" "$bin/telepay" card --config terminal/telepay.conf
want 5 "CA_KEY_UNKNOWN: authority key: no authority key 01 of F000000014 is trusted here" a prove "$rrn"
sed 's/^files = .*/files =/' terminal/telepay.conf >terminal/none.conf
want 0 "not checked: key 01 of F000000014 is not known here" "$bin/telepay" card --config terminal/none.conf
"$bin/telepay-perso" init stranger >/dev/null || fail "perso init of a stranger"
cp stranger/authority.json terminal/stranger.json
sed 's/^files = .*/files = stranger.json/' terminal/telepay.conf >terminal/stranger.conf
want 0 "issuer certificate is not good under key 01 of F000000014: it was not signed with" "$bin/telepay" card --config terminal/stranger.conf
want 0 '"rid": ?"F000000014", ?"index": ?"01", ?"source": ?null' sh -c "'$bin/telepay' card --json --config terminal/stranger.conf | tr -d '\n' | sed 's/  */ /g'"
cp stranger/authority.json acq/authorities/01.json
want 5 "ISSUER_CERT_TRAILER: issuer certificate: under authority key 01 of F000000014" a prove "$rrn"
mv kept.json acq/authorities/01.json
cp acq/authorities/01.json terminal/authority.json

# ---- reversal, opposition ----
want 0 "is reversed" a reverse "$second"
want 0 "reversed" a list --state reversed
want 2 "no state" a list --state lost
want 2 "reason" a opposition add
want 2 "must not be an argument" a opposition add 9990140000000015 --reason lost
for wrong in 999014 99901400000000151234 9990A40000000018 4111111111111112 9990140000000018 ""; do # two have another check digit
    printf '%s\n' "$wrong" | a opposition add --reason lost >out 2>&1 && fail "\"$wrong\" is taken for a card number"
done
printf '9990140000000018\n' | a opposition add --reason lost --any-check-digit >out 2>&1 || { fail "an odd number, asked for"; cat out; }
printf '9990140000000018\n' | a opposition remove >out 2>&1 || { fail "opposition remove of an odd number"; cat out; }
printf '9990 1400 0000 0015\n' | a opposition add --reason stolen >out 2>&1 || { fail "opposition add"; cat out; }
want 0 "999014\*\*\*\*\*\*0015 +stolen" a opposition list
printf 1234 | "$bin/telepay" pay --amount 1.00 --currency EUR --config terminal/telepay.conf --pin-fd 0 >pay.out 2>&1 && fail "a stolen card pays"
printf '9990140000000015\n' | a opposition remove --pan-fd 0 >out 2>&1 || { fail "opposition remove"; cat out; }
printf '9990140000000015\n' | a opposition remove >out 2>&1 && fail "removed twice"

# ---- close ----
want 0 "remise 1 closed, day $(date +%F), 2 debits 19.50, 0 credits 0.00, net 19.50 EUR" a close
want 0 "nothing to collect" a close
want 2 "only a credit undoes it" a reverse "$rrn"
want 0 "closed" a remise list
want 0 '"net": "19.50"' a remise show --contract 000000000000123 --number 1 --json
want 0 "state +open" a remise show --contract 000000000000123
want 0 "in remise" a list --state in-remise
want 0 . a suspense list --json
[ "$(json 'len(d["suspense"])')" = 0 ] || fail "something is in suspense: $(cat out)"
want 2 "not in suspense" a suspense settle "$rrn" --note "paid"
want 0 "books and evidence agree" a audit
want 0 '"agrees": true' a audit --json

# ---- crooked books are found ----
kill "$server"
wait "$server" || fail "serve ends with $?"
server=''
tamper() { # SQL: an attacker with the file drops what stands in his way
    python3 - "$1" <<'PY'
import sqlite3, sys
d = sqlite3.connect("acq/ledger.db")
for (name,) in d.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
    d.execute("DROP TRIGGER " + name)
d.executescript(sys.argv[1])
d.commit()
PY
}
cp -r acq good
changed() { # what SQL: audit must find it
    rm -rf acq
    cp -r good acq
    tamper "$2"
    want 5 "DIFFERS $1" a audit
    want 5 '"agrees": false' a audit --json
}
changed amount "UPDATE tx SET amount = amount + 1 WHERE rrn = $((10#$rrn))"
want 5 "the card signed 12.50, the books say 12.51" a prove "$rrn"
want 5 '"proved": false' a prove "$rrn" --json
changed type "UPDATE tx SET kind = 1 WHERE rrn = $((10#$rrn))"
changed counter "UPDATE tx SET atc = atc + 1 WHERE rrn = $((10#$third))"
changed "card number" "UPDATE tx SET pan_masked = '999014******0026' WHERE rrn = $((10#$rrn))"
changed "card number" "UPDATE tx SET pan_sealed = zeroblob(44) WHERE rrn = $((10#$rrn))"
changed signature "UPDATE tx SET stream = CAST(substr(stream, 1, 400) || x'00' || substr(stream, 402) AS BLOB) WHERE rrn = $((10#$rrn))"
changed cryptogram "UPDATE tx SET ac = x'0000000000000000' WHERE rrn = $((10#$rrn))"
changed totals "UPDATE remise SET debit_amount = debit_amount + 100 WHERE number = 1"
changed totals "UPDATE remise SET debits = 3 WHERE number = 1"
changed totals "DELETE FROM tx WHERE rrn = $((10#$third))"
changed number "UPDATE remise SET number = 3 WHERE number = 2"
changed state "UPDATE remise SET state = 3, hash = zeroblob(32) WHERE number = 1"
changed totals "INSERT INTO reversal SELECT terminal, date, stan, rrn, 0 FROM tx WHERE rrn = $((10#$rrn))"

[ $failures -eq 0 ] && echo "operator: all as wanted"
exit $((failures > 0))
