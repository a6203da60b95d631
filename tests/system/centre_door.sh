#!/bin/bash
# The centre's door: crowds, drips, documents that never end or take long, contract numbers that another took, one service a folder, keys of others.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
C=000000000000123
failures=0
own_folder

want() { # CODE PATTERN WHAT COMMAND…
    local code=$1 pattern=$2 what=$3 got
    shift 3
    "$@" >out 2>&1
    got=$?
    if [ $got -eq "$code" ] && { [ -z "$pattern" ] || grep -q -- "$pattern" out; }; then echo "ok   $what"; else
        fail "$what: exit $got, not $code, or no \"$pattern\": $*"
        cat out
    fi
}
acquirer() { telepay-acquirer "$@" --dir "$acq"; }
centre() { telepay-centre "$@" --dir centre; }
crowd() { "$here/centre_crowd.py" "$port" centre acq/centre "$@"; }
put() { # FILE NUMBER CREDENTIALS
    curl -sS --max-time 60 --cacert centre/pki/ca.pem --cert "$3/client.pem" --key "$3/client.key" -T "$1" -o answer -w '%{http_code}' \
        "https://127.0.0.1:$port/remises/$C/$2"
}

want 0 "" "centre init" telepay-centre init centre
start_centre
for acq in acq other; do
    want 0 "" "acquirer init" telepay-acquirer init $acq
    want 0 "" "contract" acquirer contract add --id $C --name "Librairie du Port" --mcc 5942 --currency EUR
    want 0 "" "terminal" acquirer terminal add --contract $C --id 00000001 --out "term-$acq"
    want 0 "" "acquirer add" centre acquirer add --id "$acq" --out "$acq/centre" --url "https://127.0.0.1:$port"
done
acq=acq
want 2 "no control characters" "a name that no XML can hold" acquirer contract add --id 000000000000124 --name $'a\x01b' --mcc 5942 --currency EUR
want 2 "UTF-8" "a name that is no UTF-8" acquirer contract add --id 000000000000124 --name $'caf\xe9' --mcc 5942 --currency EUR
want 2 "no control characters" "an acquirer's id likewise" centre acquirer add --id $'A\x1b' --out nowhere

# ---- one service a folder
want 2 "another telepay-centre serves centre already" "a second centre" timeout 20 telepay-centre serve --dir centre --listen 127.0.0.1:0

# ---- sums that are not paid, by a centre that refuses one of five
want 0 "" "books filled" ledger_fill acq $C 00000001 5 1
printf '%s\n' "$C 1 3 OPPOSITION" >refuse
kill -TERM "$centre_pid" && wait "$centre_pid"
start_centre --refuse refuse
# 1.01 + 1.02 + 1.03 + 1.04 + 1.05 = 5.15, the third refused: 4.12
want 1 "net, paid  *4.12 EUR" "collect says 1 when an item was refused" acquirer collect --now
cp out ticket
want 0 "refused  *1  *1.03 EUR" "the ticket has the refused sum" cat ticket
want 0 "paid  *debits 4, 4.12, credits 0, 0.00, net 4.12 EUR" "remise show" acquirer remise show --contract $C --remise 1
want 0 '"paid_net": "4.12"' "remise show --json" acquirer remise show --contract $C --remise 1 --json
acquirer remise list --json >list.json
want 0 "" "remise list: sent, refused, paid, and their types" python3 -c "
import json
rows = json.load(open('list.json'))['remises']
assert [(r['net'], r['refused'], r['refused_net'], r['paid_net']) for r in rows] == [('5.15', 1, '1.03', '4.12'), ('0.00', None, None, None)], rows
assert all(type(r[k]) is int for r in rows for k in ('remise', 'debits', 'credits', 'reversals'))"
want 1 '"paid_net": "4.12"' "submit --json" acquirer submit --contract $C --remise 1 --json
want 0 "" "nothing more to collect" acquirer collect --now

# ---- the same card's signature at another acquirer
want 0 "" "the same payments at another acquirer" ledger_fill other 000000000000123 00000001 5 1
acq=other
want 5 "is of another acquirer" "a contract number that another sent for first" acquirer collect --now --attempts 1
want 0 "HOLDS" "whose it is" centre contract list
want 0 '"holds": true' "as JSON" centre contract list --json
want 2 "not known" "an acquirer that is not known" centre contract assign --contract $C --acquirer NOBODY
want 0 "is acquirer other's now" "the operator corrects it" centre contract assign --contract $C --acquirer other
want 1 "refused  *5  *5.15 EUR" "what the card signed is known over all acquirers" sh -c "telepay-acquirer submit --dir other; telepay-acquirer submit --dir other --contract $C --remise 1"
want 0 "DUPLICATE" "by that name" acquirer suspense list
if [ "$(acquirer suspense list --json | grep -c DUPLICATE)" -eq 4 ]; then echo "ok   four were accepted before, not the fifth"; else
    fail "four duplicates" && acquirer suspense list
fi
want 0 "acquirer   acq$" "what the first sent stays its own" centre show $C 1 --acquirer acq
want 0 "acquirer   other$" "and the new holder's are its own" centre show $C 1
want 0 "4.12" "both are in the list" centre list
acq=acq

# ---- documents that cost
python3 - <<PY
names = "".join(' a%d=""' % i for i in range(60000))
open("attributes.xml", "w").write('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:caaa.011.001.14"%s/>' % names)
PY
start=$(date +%s)
want 0 "400" "0.6 MB of attributes" put attributes.xml 2 other/centre
took=$(($(date +%s) - start))
if [ $took -lt 15 ]; then echo "ok   at once"; else fail "it took $took s"; fi
# Two of one acquirer that take seconds each, cut at their end; the other acquirer's is looked at beside them.
python3 - "$TESTS_SRCDIR/data/caaa/example-caaa.011.xml" <<'PY'
import re
import sys

text = open(sys.argv[1]).read()
one = re.search(r"<Tx>\s*<Cmpltn>.*?</Cmpltn>\s*</Tx>", text, re.S)
with open("long.xml", "w") as f:
    f.write(text[: one.start()])
    for _ in range(40000):
        f.write(one.group(0))
PY
put long.xml 3 other/centre >long1 &
first=$!
put long.xml 4 other/centre >long2 &
second=$!
pause 2
C=000000000000999
want 0 "400" "another's document is not held up" put attributes.xml 3 acq/centre
C=000000000000123
if kill -0 $first $second; then echo "ok   by those that take long"; else fail "those that take long do not"; fi
wait $first $second
want 0 "^400$" "which are refused too" cat long1
want 0 "413" "a document of 3 GB" crowd length 3000000000
want 0 "413" "one of more bytes than a number has" crowd length 99999999999999999999
want 0 "411\|closed" "a document whose size nobody says" crowd chunked 100000000
want 0 "100" "one of 2,000 bytes may come" crowd length 2000
if [ "$(du -s centre/spool | cut -f1)" -lt 1000 ]; then echo "ok   the spool is empty"; else
    fail "the spool holds $(du -sh centre/spool)"
fi

# ---- crowds and drips
seconds=$(crowd drip)
if [ "$seconds" -le 25 ]; then echo "ok   a head that drips is ended after $seconds s"; else
    fail "a head may drip for $seconds s"
fi
mkfifo hold
crowd crowd 600 <hold >crowd.out &
crowd_pid=$!
exec 9>hold
until_said crowd crowd.out
want 0 "" "books filled" ledger_fill acq $C 00000001 1 50
want 0 "acq's now" "given back" centre contract assign --contract $C --acquirer acq
start=$(date +%s)
want 0 "collected" "600 that say nothing do not shut the door" acquirer collect --now --attempts 1
took=$(($(date +%s) - start))
if [ $took -lt 14 ]; then echo "ok   it does not wait for them"; else fail "it took $took s"; fi
exec 9>&-
wait "$crowd_pid"

# ---- fewer descriptors than connections
kill -TERM "$centre_pid" && wait "$centre_pid"
: >centre.out # which says "listening" from before
(
    ulimit -n 128 # soft and hard
    exec telepay-centre serve --dir centre --listen "127.0.0.1:$port" >centre.out 2>fewer.err
) &
centre_pid=$!
until_said listening centre.out
want 0 "room for 48 connections in place of 512" "a limit of descriptors that is low is told" cat fewer.err
rm -f crowd.out
crowd crowd 300 <hold >crowd.out &
crowd_pid=$!
exec 9>hold
until_said crowd crowd.out
want 0 "" "books filled" ledger_fill acq $C 00000001 1 60
want 0 "collected" "300 that say nothing do not shut it" acquirer collect --now --attempts 1
exec 9>&-
wait "$crowd_pid"

# ---- keys that others can read
kill -TERM "$centre_pid" && wait "$centre_pid"
for key in centre/pki/server.key centre/seal.key; do
    chmod 644 $key
    want 5 "chmod 600" "$key of mode 0644" timeout 20 telepay-centre serve --dir centre --listen 127.0.0.1:0
    chmod 600 $key
done
chmod 644 centre/pki/ca.key
want 5 "chmod 600" "the authority's key" centre acquirer add --id third --out third
chmod 600 centre/pki/ca.key
chmod 640 acq/centre/client.key
want 5 "chmod 600" "an acquirer's key" acquirer submit
chmod 600 acq/centre/client.key
chmod 644 acq/pki/server.key
want 5 "chmod 600" "an acquirer's server key" timeout 20 telepay-acquirer serve --dir acq --listen 127.0.0.1:0
verdict
