#!/bin/bash
# The operator's commands as a user types them, on one payment that a card really signed behind a private pcscd.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
match=-E

if [ "${1-}" != inside ]; then
    "$here/with-pcscd" "$0" inside
    exit
fi

own_folder
export TZ=Europe/Paris
a() { telepay-acquirer "$@"; }
json() { python3 -c "import json,sys; d=json.load(open('$dir/out')); print($1)"; }

# ---- init, contract, terminal ----
telepay-perso init scheme >out 2>&1 || { cat out; fail "perso init"; }
expect 2 "name the folder" a init
expect 2 "cannot read" a init acq --authority nothing.json
rm -rf acq
expect 0 "made the acquirer" a init acq/ --authority scheme/authority.json --name "Test bank" --listen 127.0.0.1:0
[ "$(stat -c %a acq acq/seal.key acq/ledger.db acq/pki/ca.key | tr '\n' ' ')" = "700 600 600 600 " ] || fail "modes of acq: $(stat -c '%a %n' acq acq/*)"
expect 2 "there already" a init acq
expect 2 "there is no acquirer in nowhere" a list --dir nowhere
expect 2 "needs --id" a contract add
expect 2 "15 letters" a contract add --id 1 --name X --mcc 5942 --currency EUR
expect 2 "no currency" a contract add --id 000000000000123 --name X --mcc 5942 --currency XXQ
expect 2 "four digits" a contract add --id 000000000000123 --name X --mcc 59 --currency EUR
expect 2 "too many decimals" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR --floor 1.234
expect 2 "no hour" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR --close-hour 25:00
expect 2 "14 digits" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR --siret 43033271800022
expect 2 "14 digits" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR --siret 4303327180002
expect 2 "--town must be" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR --town "A;B"
expect 2 "--postcode must be 1 to 10" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR --postcode 56100-56100
expect 0 "is open" a contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR --floor 40 --close-hour 21:15 \
    --siret 43033271800021 --town "L'Île-d'Yeu" --postcode 85350
expect 2 "already" a contract add --id 000000000000123 --name X --mcc 5942 --currency EUR
expect 0 '"close_hour": ?"21:15"' a contract list --json
[ "$(json '[d["contracts"][0][k] for k in ("siret", "town", "postcode")]')" = "['43033271800021', \"L'Île-d'Yeu\", '85350']" ] || fail "the place of contract list: $(cat out)"
[ "$(json 'd["contracts"][0]["floor"]')" = 40.00 ] || fail "floor of contract list: $(cat out)"
expect 2 "no contract" a terminal add --contract 000000000000999 --id 00000001 --out t9
expect 2 "8 letters" a terminal add --contract 000000000000123 --id 1 --out t9
[ ! -e t9 ] || fail "a refused terminal left a folder"

# ---- the server, a terminal, a payment ----
launch serve.log "listening on" telepay-acquirer serve
server=$launched
port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' serve.log | head -n 1)
expect 2 "say with --port" a terminal add --contract 000000000000123 --id 00000001 --out terminal/
expect 0 "is in terminal" a terminal add --contract 000000000000123 --id 00000001 --out terminal/ --port "$port"
expect 2 "already" a terminal add --contract 000000000000123 --id 00000001 --out other
[ "$(stat -c %a terminal terminal/terminal.key | tr '\n' ' ')" = "700 600 " ] || fail "modes of terminal"
grep -q "^floor = 4000" terminal/telepay.conf || fail "the contract's floor is not in telepay.conf"
[ "$(grep -E "^(siret|town|postcode) = " terminal/telepay.conf)" = "siret = 43033271800021
town = L'Île-d'Yeu
postcode = 85350" ] || fail "the contract's place is not in telepay.conf: $(cat terminal/telepay.conf)"
expect 0 "00000001" a terminal list
exec 7>writing # a descriptor that the caller gives, but not for reading, and one that nobody gave
for fd in 9 7 x 99999; do
    telepay-perso card cards/none --scheme scheme --pan 9990140000000015 --expiry 2035-12 --pin-fd $fd 9<&- >out 2>&1 && fail "perso --pin-fd $fd"
    grep -q -- "--pin-fd" out || { fail "perso --pin-fd $fd says:"; cat out; }
done
exec 7>&-
telepay-perso card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2035-12 --pin 1234 >out 2>&1 || cat out
insert cards/marie
pay() { # amount
    printf 1234 | telepay pay --amount "$1" --currency EUR --config terminal/telepay.conf --pin-fd 0 >pay.out 2>&1 ||
        { fail "telepay pay $1:"; cat pay.out serve.log; }
}
pay 12.50
pay 3.20
pay 7.00

expect 0 "999014\*\*\*\*\*\*0015" a list
grep -q 9990140000000015 out && fail "list shows the card number"
expect 0 '"rrn"' a list --json
[ "$(json 'len(d["transactions"])')" = 3 ] || fail "three payments: $(cat out)"
rrn=$(json 'd["transactions"][0]["rrn"]')
second=$(json 'd["transactions"][1]["rrn"]')
third=$(json 'd["transactions"][2]["rrn"]')
[ "${rrn:0:4}" = "$(date +%y%j | cut -c 2-)" ] || fail "$rrn is not of today"
expect 0 "12.50" a show "$rrn"
expect 0 '"amount": "12.50"' a show "$rrn" --json
expect 2 "no transaction" a show 000000000001
expect 2 "12 digits" a show 12

# ---- proof, alone and from the file ----
expect 0 "proved: the card 999014\*\*\*\*\*\*0015 signed this debit of 12.50 EUR" a prove "$rrn" --out evidence.json
grep -q FAILED out && fail "a step of a good proof failed: $(cat out)"
[ "$(stat -c %a evidence.json)" = 600 ] || fail "evidence.json is not its owner's alone"
expect 0 '"proved": true' a prove "$rrn" --json
if a --help | grep -q "^  verify"; then
    expect 0 . a verify evidence.json --capk scheme/authority.json --date "$(date +%F)"
fi
expect 0 "books and evidence agree" a audit

# ---- an authority key that is past its date, unknown, or bad: three causes, three words (EMV 4.4 Book 2, 5.2, 6.3, 11.2.3) ----
cp acq/authorities/01.json kept.json
sed -i 's/"expiry": *"[0-9-]*"/"expiry": "2020-12-31"/' acq/authorities/01.json
expect 0 "past its date of 2020-12-31" a prove "$rrn"
expect 0 "books and evidence agree" a audit
mv acq/authorities/01.json terminal/authority.json
expect 0 "Authority.*key 01 of F000000014.*past the date that its list has: 2020-12-31" telepay card --config terminal/telepay.conf
expect 5 "CA_KEY_UNKNOWN: authority key: no authority key 01 of F000000014 is trusted here" a prove "$rrn"
sed 's/^files = .*/files =/' terminal/telepay.conf >terminal/none.conf
expect 0 "not checked: key 01 of F000000014 is not known here" telepay card --config terminal/none.conf
telepay-perso init stranger >/dev/null || fail "perso init of a stranger"
cp stranger/authority.json terminal/stranger.json
sed 's/^files = .*/files = stranger.json/' terminal/telepay.conf >terminal/stranger.conf
# (what a key that is another's recovers ends in BC once in 256, and then its header is wrong)
match=-E expect 0 "issuer certificate is not good under key 01 of F000000014: (it was not signed with|its header is not)" telepay card --config terminal/stranger.conf
expect 0 '"rid": ?"F000000014", ?"index": ?"01", ?"source": ?null' sh -c "telepay card --json --config terminal/stranger.conf | tr -d '\n' | sed 's/  */ /g'"
cp stranger/authority.json acq/authorities/01.json
match=-E expect 5 "ISSUER_CERT_(TRAILER|HEADER): issuer certificate: under authority key 01 of F000000014" a prove "$rrn"
mv kept.json acq/authorities/01.json
cp acq/authorities/01.json terminal/authority.json

# ---- reversal, opposition ----
expect 0 "is reversed" a reverse "$second"
expect 0 "reversed" a list --state reversed
expect 0 "^reversed: it was given back" a prove "$second" # a proof of what was acknowledged is one still, and does not pass for a payment
grep -q "^proved: the card" out || fail "what was reversed is proved no more: $(cat out)"
expect 0 '"state": "reversed"' a prove "$second" --json
expect 0 '"state": "acknowledged"' a prove "$third" --json
expect 0 "^proved: the card" a prove "$third"
grep -q "^reversed" out && fail "what was not reversed is said to be: $(cat out)"
expect 2 "no state" a list --state lost
expect 2 "reason" a opposition add
expect 2 "must not be an argument" a opposition add 9990140000000015 --reason lost
for wrong in 999014 99901400000000151234 9990A40000000018 4111111111111112 9990140000000018 ""; do # two have another check digit
    printf '%s\n' "$wrong" | a opposition add --reason lost >out 2>&1 && fail "\"$wrong\" is taken for a card number"
done
printf '9990140000000018\n' | a opposition add --reason lost --any-check-digit >out 2>&1 || { fail "an odd number, asked for"; cat out; }
printf '9990140000000018\n' | a opposition remove >out 2>&1 || { fail "opposition remove of an odd number"; cat out; }
printf '9990 1400 0000 0015\n' | a opposition add --reason stolen >out 2>&1 || { fail "opposition add"; cat out; }
expect 0 "999014\*\*\*\*\*\*0015 +stolen" a opposition list
printf 1234 | telepay pay --amount 1.00 --currency EUR --config terminal/telepay.conf --pin-fd 0 >pay.out 2>&1 && fail "a stolen card pays"
printf '9990140000000015\n' | a opposition remove --pan-fd 0 >out 2>&1 || { fail "opposition remove"; cat out; }
printf '9990140000000015\n' | a opposition remove >out 2>&1 && fail "removed twice"

# ---- close ----
expect 0 "remise 1 closed, day $(date +%F), 2 debits 19.50, 0 credits 0.00, net 19.50 EUR" a close
expect 0 "nothing to collect" a close
expect 2 "only a credit undoes it" a reverse "$rrn"
expect 0 "closed" a remise list
expect 0 '"net": "19.50"' a remise show --contract 000000000000123 --remise 1 --json
expect 0 "state +open" a remise show --contract 000000000000123
expect 0 '"net": "19.50"' a remise show 1 --contract 000000000000123 --json
expect 2 "remise show --contract ID 2" a remise show 2
expect 2 "Too many arguments" a remise show 1 2 --contract 000000000000123
expect 0 "in remise" a list --state in-remise
expect 0 . a suspense list --json
[ "$(json 'len(d["suspense"])')" = 0 ] || fail "something is in suspense: $(cat out)"
expect 2 "not in suspense" a suspense settle "$rrn" --note "paid"
expect 0 "books and evidence agree" a audit
expect 0 '"agrees": true' a audit --json

# ---- crooked books are found ----
kill "$server"
wait "$server" || fail "serve ends with $?"
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
    expect 5 "DIFFERS $1" a audit
    expect 5 '"agrees": false' a audit --json
}
changed amount "UPDATE tx SET amount = amount + 1 WHERE rrn = $((10#$rrn))"
expect 5 "the card signed 12.50, the books say 12.51" a prove "$rrn"
expect 5 '"proved": false' a prove "$rrn" --json
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
verdict
