#!/bin/bash
# telepay-issuer as a user runs it, asked over TLS by an acquirer and a card that are Python alone (issuer-client.py).
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
match=-E
own_folder
i() { telepay-issuer "$@"; }
json() { python3 -c "import json; d=json.load(open('out')); print($1)"; }
pan=9990140000000015

# ---- init, accounts, acquirers ----
telepay-perso init scheme >out 2>&1 || { cat out; fail "perso init"; }
expect 2 "name the folder" i init
expect 2 "no scheme there" i init iss --scheme nowhere
rm -rf iss
expect 2 "beginnings of card numbers" i init iss --scheme scheme --iin 99x
expect 0 'made the issuer "Test-bank" of 999014 in iss' i init iss --scheme scheme --name Test-bank --listen 127.0.0.1:0
[ "$(stat -c %a iss iss/seal.key iss/issuer.db iss/issuer.keys iss/pki/ca.key | tr '\n' ' ')" = "700 600 600 600 600 " ] || fail "modes of iss: $(stat -c '%a %n' iss iss/*)"
expect 2 "there already" i init iss --scheme scheme
expect 2 "there is no issuer in nowhere" i list --dir nowhere
expect 2 "needs --balance" i account add
expect 2 "no currency" i account add --balance 1 --currency XXQ --expiry 2030-12
expect 2 "no date" i account add --balance 1 --currency EUR --expiry 12/30
expect 2 "ccd-3des" i account add --balance 1 --currency EUR --expiry 2030-12 --cvn 17
expect 2 "another issuer's: this one's begin with 999014" i account add --balance 1 --currency EUR --expiry 2030-12 --pan 4111111111111111
expect 2 "no card number" i account add --balance 1 --currency EUR --expiry 2030-12 --pan 123
echo "9990 1400 0000 0015" | i account add --balance 50.00 --currency EUR --expiry 2030-12 --psn 1 --ceiling 30 >out 2>&1 || { fail "account add"; cat out; }
grep -q "card 999014\*\*\*\*\*\*0015 has an account" out || fail "account add says $(cat out)"
odd=9990140000000018 # ISO/IEC 7812-1, Annex B: 5 would be right, by hand
expect 2 "check digit of that card number is wrong" i account add --pan $odd --balance 1 --currency EUR --expiry 2030-12
expect 2 "has no account here" i account block --pan $odd
expect 0 "card 999014\*\*\*\*\*\*0018 has an account" i account add --pan $odd --any-check-digit --balance 1 --currency EUR --expiry 2030-12
expect 2 "has an account already" i account add --pan $pan --balance 1 --currency EUR --expiry 2030-12 --psn 1
expect 2 "has no account here" i account block --pan $pan --psn 2
grep -q "$pan" iss/issuer.db && fail "the card number stands in the books"
cp -r scheme old && rm -f old/issuer-aes.secret # a scheme of telepay 0.1 has none
expect 0 "made the issuer" i init bare --scheme old
expect 2 "no AES keys" i account add --dir bare --pan $pan --balance 1 --currency EUR --expiry 2030-12 --cvn ccd-aes
expect 0 "has an account" i account add --dir bare --pan $pan --balance 1 --currency EUR --expiry 2030-12 --cvn ccd-3des
expect 0 "has an account" i account add --dir iss --pan 9990140000000023 --balance 1 --currency EUR --expiry 2030-12 --cvn ccd-aes
core() { telepay-perso card core --scheme scheme --pan "$pan" --expiry 2030-12 --pin 1234 --cvn ccd-aes "$@"; }
expect 2 "no EXTERNAL AUTHENTICATE.*Book 3, 6.5.4" core --issuer-authentication external
expect 2 "template 77.*Book 3, 6.2" core --format 1
expect 2 "does not block itself.*Book 3, 9.2.3.3" core --block-on-tries
expect 2 "DDOL of 9F3704.*Book 2, 6.5.1" core --ddol 9F37049A03
[ -e core ] && fail "a card that the Common Core forbids has a folder"
expect 0 "card core" core
expect 2 "1 to 11 digits" i acquirer add --id bank --out a1
expect 2 "say with --port" i acquirer add --id 00000000001 --out a1
launch serve.log "listening on" telepay-issuer serve
server=$launched
port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' serve.log | head -n 1)
expect 2 "another telepay-issuer serves .*iss already: end that one" timeout 20 telepay-issuer serve --listen 127.0.0.1:0
for key in iss/pki/server.key iss/issuer.keys iss/seal.key; do # in a copy: the one that serves has read its own
    cp -rp iss open && chmod 644 "open/${key#iss/}"
    expect 5 "chmod 600" timeout 20 telepay-issuer serve --dir open --listen 127.0.0.1:0
    rm -rf open
done
for key in scheme/issuer.secret scheme/issuer.key; do
    chmod 640 "$key"
    expect 5 "chmod 600" telepay-perso card --scheme scheme --pan $pan --expiry 2028-12 --pin 1234 open
    chmod 600 "$key"
done
expect 0 "" telepay-perso card --scheme scheme --pan $pan --expiry 2028-12 --pin 1234 open
for key in open/*.key open/card.secret; do
    chmod 644 "$key"
    expect 5 "chmod 600" timeout 20 telepay-simcard open
    chmod 600 "$key"
done
rm -rf open
expect 2 "no control characters" telepay-perso card --scheme scheme --pan $pan --expiry 2028-12 --pin 1234 --name $'A/\x1B' open
expect 0 "has its folder in a1" i acquirer add --id 00000000001 --out a1 --port "$port"
[ "$(stat -c %a a1 a1/acquirer.key | tr '\n' ' ')" = "700 600 " ] || fail "modes of a1"
for line in "name = Test-bank" "host = 127.0.0.1" "port = $port" "acquirer = 00000000001" "iins = 999014" "ca = ca.pem" "certificate = acquirer.pem" "key = acquirer.key"; do
    grep -qx "$line" a1/issuer.conf || fail "issuer.conf has no \"$line\""
done
expect 0 '"acquirer": ?"00000000001"' i acquirer list --json

# ---- asked from outside ----
# ask ATC AMOUNT RRN WANTED…: every line that the client prints.
ask() {
    local atc=$1 amount=$2 rrn=$3
    shift 3
    python3 "$here/issuer-client.py" a1 "$port" scheme $pan 01 "$atc" "$amount" "$rrn" ${reverse:+reverse} >client 2>&1 || { fail "the client:"; cat client; }
    printf '%s\n' "$@" >wanted
    diff wanted client >difference || { fail "ask $atc $amount $rrn:"; cat difference; }
}
ask 1 1250 632800000001 "00 000001 right"
ask 2 3001 632800000002 "61 - right"
ask 3 3000 632800000003 "00 000003 right"
ask 4 1000 632800000004 "51 - right"
reverse=1 ask 3 3000 632800000003 "00 - none"
ask 5 1000 632800000005 "00 000005 right"
ask 5 1000 632800000006 "63 - none"
expect 0 "is stolen" i account block --pan $pan --psn 1 --stolen
ask 6 1000 632800000007 "43 - right"
expect 0 "is open" i account unblock --pan $pan --psn 1
expect 2 "name the script" i script queue --pan $pan --psn 1
expect 2 "no script" i script queue format-card --pan $pan --psn 1
expect 2 "needs --tag" i script queue put-data --pan $pan --psn 1
expect 2 "both be read from standard input" i script queue change-pin --psn 1
expect 2 "no PIN" i script queue change-pin --pan $pan --psn 1
echo 4711 | i script queue change-pin --pan $pan --psn 1 >out 2>&1 || { fail "script queue"; cat out; }
grep -q "script 1 (change-pin) waits" out || fail "script queue says $(cat out)"
grep -q 4711 out && fail "the PIN is shown"
expect 0 "waits" i script queue put-data --pan $pan --psn 1 --tag 9F58 --data 05 --before
ask 7 100 632800000008 "00 000008 right" "71 04DA9F58 05" "72 84240002 044711FFFFFFFFFF"
expect 0 '"state": ?"delivered"' i script list --json
expect 0 "is changed" i account set --pan $pan --psn 1 --balance 100 --atc 5000
expect 2 "only grows" i account set --pan $pan --psn 1 --atc 4
expect 2 "less than what is reserved" i account set --pan $pan --psn 1 --balance 0
# The client's card knows of no script: they are delivered again.
ask 5001 100 632800000009 "00 000009 right" "71 04DA9F58 05" "72 84240002 044711FFFFFFFFFF"
expect 0 '"deliveries": ?2' i script list --json
[ "$(json '{(s["state"], s["deliveries"]) for s in d["scripts"]}')" = "{('delivered', 2)}" ] || fail "scripts after the second delivery: $(cat out)"
expect 0 '"rrn": ?"632800000003"' i list --json
[ "$(json '[(a["answer"], a["reserved"], a["reversed"]) for a in d["authorisations"]][2]')" = "('00', '0.00', True)" ] || fail "the reversed one: $(cat out)"
[ "$(json '[a["reversed"] for a in d["authorisations"]].count(True)')" = 1 ] || fail "more than that one is called reversed: $(cat out)"
[ "$(json '{str(type(a["reversed"])) for a in d["authorisations"]}')" = "{\"<class 'bool'>\"}" ] || fail "reversed is no boolean: $(cat out)"
expect 0 '"balance": ?"100.00"' i account list --json
[ "$(json 'd["accounts"][0]["reserved"]')" = 24.50 ] || fail "reserved: $(cat out)"
expect 0 "is closed" i acquirer close --id 00000000001
ask 5002 100 632800000010 "58 - none"
kill -TERM "$server"
wait "$server" || fail "serve ends with $?"
grep -q "alarm: card 999014\*\*\*\*\*\*0015, counter 5 after 5: sent again" serve.log || fail "no alarm in the log"
grep -qE "$pan|4711" serve.log && fail "the log shows a card number or a PIN"
[ "$failures" -eq 0 ] || cat serve.log
verdict
