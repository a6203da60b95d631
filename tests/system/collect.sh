#!/bin/bash
# The télécollecte as its users meet it: a real centre, an acquirer's books, and everything that can go wrong between them.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
C=000000000000123
failures=0
own_folder

ok() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@" >out 2>err; then echo "ok   $what"; else
        fail "$what: $*"
        cat out err
    fi
}
gives() { # CODE WHAT COMMAND…
    local want=$1 what=$2 got
    shift 2
    "$@" >out 2>err
    got=$?
    if [ $got -eq "$want" ]; then echo "ok   $what"; else
        fail "$what: exit $got, not $want: $*"
        cat out err
    fi
}
says() { # WHAT PATTERN FILE
    if grep -q -- "$2" "$3"; then echo "ok   $1"; else
        fail "$1: no \"$2\" in $3:"
        cat "$3"
    fi
}
acquirer() { telepay-acquirer "$@" --dir acq; }
centre() { telepay-centre "$@" --dir centre; }
fill() { ok "books filled" ledger_fill acq $C 00000001 "$@"; }
state_of() { acquirer remise list --json 2>/dev/null | python3 -c "
import json,sys
d=json.load(sys.stdin); rows=list(d.values())[0] if isinstance(d,dict) else d
print([r['state'] for r in rows if int(r['remise'])==$1 and r['contract']=='$C'][0])"; }
is_state() { # NUMBER STATE
    local s
    s=$(state_of "$1")
    if [ "$s" = "$2" ]; then echo "ok   remise $1 is $2"; else
        fail "remise $1 is $s, not $2"
    fi
}
stop_centre() {
    kill "${1:--TERM}" "$centre_pid"
    wait "$centre_pid" 2>/dev/null
}
url() { sed -i "s|^url = .*|url = https://127.0.0.1:$1|" acq/centre/centre.conf; }

# ---- set-up
ok "acquirer init" telepay-acquirer init acq
ok "contract" acquirer contract add --id $C --name "Librairie du Port" --mcc 5942 --currency EUR --close-hour 22:30
ok "terminal" acquirer terminal add --contract $C --id 00000001 --out term
ok "centre init" telepay-centre init centre
gives 2 "centre init again is refused" telepay-centre init centre
gives 2 "collect without credentials" acquirer collect --now
printf '%s\n' "# by order" "$C 3 2 OPPOSITION" "999014******9999 LOST" >refuse
start_centre --refuse refuse
ok "acquirer add" centre acquirer add --id ACQ-1 --out acq/centre --url "https://127.0.0.1:$port"
gives 2 "acquirer add again is refused" centre acquirer add --id ACQ-1 --out other

# ---- an empty day
gives 0 "empty day" acquirer collect --now
is_state 1 open

# ---- the straight way, with a negative net; nothing is due before its hour
fill 3 1 1
gives 0 "nothing is due yet" acquirer collect
is_state 1 open
fill 1 4 0
gives 0 "collect --now" acquirer collect --now
says "ticket: outcome" 'outcome *collected: accepted' out
says "ticket: net is negative" 'net, as sent *-2\.02 EUR' out # 1.04 - (1.01 + 1.02 + 1.03)
is_state 1 collected
stop_centre -KILL
start_centre --refuse refuse
ok "the centre kept it over a kill" centre show $C 1
says "four items" '4  .*00000001' out
ok "audit of the collected" test "$(state_of 1)" = collected
gives 0 "collecting again changes nothing" acquirer collect --now --json
says "no ticket" '"remises": \[\]' out

# ---- the hour has come: transactions of two days ago
fill 2 10 0 172800
gives 0 "collect at its hour" acquirer collect
is_state 2 collected

# ---- an item refused
fill 3 20 0
gives 1 "collect with a refused item" acquirer collect --now
says "ticket names it" 'accepted but for 1 refused' out
is_state 3 collected
ok "suspense" acquirer suspense list
says "refused item in suspense" OPPOSITION out
ok "centre show" centre show $C 3
says "refused at the centre" OPPOSITION out
if [ "$(acquirer list --json | grep -c rejected)" -eq 1 ]; then echo "ok   one transaction is rejected"; else
    fail "one transaction is rejected"
fi

# ---- centre down
stop_centre
fill 2 30 0
gives 4 "centre down" acquirer collect --now --attempts 2 --pause 0
says "not collected yet" 'not collected yet' out
is_state 4 submitted

# ---- a centre that misbehaves
python3 "$TESTS_SRCDIR/tools/fake_centre.py" centre mode saved.xml >fake.out 2>fake.err &
fake_pid=$!
until_said . fake.out
url "$(cat fake.out)"
for m in garbage busy cut cut-answer long totals other; do
    echo $m >mode
    gives 4 "centre: $m" acquirer submit
    is_state 4 submitted
done
echo totals >mode
acquirer submit >out 2>err
says "wrong totals raise an alarm" ALARM err
echo hang >mode
gives 4 "centre hangs" acquirer submit --timeout 2
is_state 4 submitted
cp saved.xml first.xml
echo busy >mode
acquirer submit >/dev/null 2>&1
ok "sent again, byte for byte" cmp first.xml saved.xml
ok "the document is valid" xmllint --nonet --noout --schema "$TELEPAY_DATADIR/caaa.011.001.14.xsd" saved.xml
kill "$fake_pid"
wait "$fake_pid" 2>/dev/null

# ---- the real one is back: a new key would not do, the same bytes do
start_centre --refuse refuse
url "$port"
gives 0 "collected at last" acquirer submit
is_state 4 collected

# ---- by hand: the same again, other content, rubbish
put() { # FILE NUMBER [CURL OPTIONS]
    local f=$1 n=$2
    shift 2
    curl -sS --max-time 20 --cacert acq/centre/ca.pem -T "$f" -o answer -w '%{http_code}' "$@" "https://127.0.0.1:$port/remises/$C/$n" >status 2>curl.err
    cat status
}
cred="--cert acq/centre/client.pem --key acq/centre/client.key"
is_status() { # WANT WHAT FILE NUMBER OPTIONS
    local want=$1 what=$2 got
    shift 2
    got=$(put "$@")
    if [ "$got" = "$want" ]; then echo "ok   $what"; else
        fail "$what: $got, not $want" && cat answer curl.err
    fi
}
# shellcheck disable=SC2086
{
    is_status 200 "the same again" first.xml 4 $cred
    cp answer answer1
    is_status 200 "and again" first.xml 4 $cred
    ok "the same answer" cmp answer answer1
    ok "the answer is valid" xmllint --nonet --noout --schema "$TELEPAY_DATADIR/caaa.012.001.13.xsd" answer
    sed 's/Librairie/Boulangerie/' first.xml >changed.xml
    is_status 409 "same number, other content" changed.xml 4 $cred
    ok "alarms" centre alarms
    says "alarm kept" 'other content' out
    is_status 400 "sent as another number" first.xml 5 $cred
    head -c 700 first.xml >half.xml
    is_status 400 "cut document" half.xml 5 $cred
    echo '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>' >doctype.xml
    is_status 400 "document type" doctype.xml 5 $cred
    sed 's/<AmtQlfr>ACTL/<AmtQlfr>NONE/' first.xml >invalid.xml
    is_status 400 "against the schema" invalid.xml 5 $cred
    is_status 400 "another digest" first.xml 4 $cred -H 'Content-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:'
    sed 's/000004/000005/g; s/<XchgId>4</<XchgId>5</; s|<TtlNb>2</TtlNb>|<TtlNb>3</TtlNb>|g' first.xml >totals.xml
    is_status 200 "wrong totals are answered" totals.xml 5 $cred
    says "with a refusal of the whole" '<Rspn>DECL</Rspn><RspnRsn>TOTALS</RspnRsn>' answer
    ok "valid too" xmllint --nonet --noout --schema "$TELEPAY_DATADIR/caaa.012.001.13.xsd" answer
    sed 's/000005/000009/g; s/<XchgId>5</<XchgId>9</' totals.xml >gap.xml
    is_status 200 "one that leaves a gap, refused as a whole" gap.xml 9 $cred
    ok "alarms" centre alarms
    says "the gap is kept with the refusal" 'remise 9 comes after 5' out
    sed 's/000004/000006/g; s/<XchgId>4</<XchgId>6</' first.xml >twice.xml
    is_status 200 "the same transactions under another number" twice.xml 6 $cred
    says "are duplicates" 'DUPLICATE' answer
    is_status 404 "another address" first.xml 0 $cred
    is_status 403 "no certificate" first.xml 4
    # A certificate of another authority, and one of ours for a server.
    telepay-centre init centre2 >/dev/null && telepay-centre acquirer add --dir centre2 --id ACQ-1 --out acq2 >/dev/null
    is_status 403 "certificate of another authority" first.xml 4 --cert acq2/client.pem --key acq2/client.key
    is_status 403 "certificate of a server" first.xml 4 --cert centre/pki/server.pem --key centre/pki/server.key
}
ok "another acquirer" centre acquirer add --id ACQ-2 --out acq3
sed 's/000004/000007/g; s/<XchgId>4</<XchgId>7</; s/ACQ-1/ACQ-2/g' first.xml >foreign.xml
is_status 403 "the contract of another acquirer" foreign.xml 7 --cert acq3/client.pem --key acq3/client.key

# ---- the acquirer's side of trust
fill 1 40 0
cp acq/centre/ca.pem ca.bak
cp acq2/ca.pem acq/centre/ca.pem
gives 5 "a centre of another authority is not trusted" acquirer collect --now --attempts 1
cp ca.bak acq/centre/ca.pem
cp acq/centre/client.pem client.pem.bak
cp acq/centre/client.key client.key.bak
cp acq2/client.pem acq2/client.key acq/centre/
gives 5 "a wrong client certificate" acquirer submit
rm acq/centre/client.pem
gives 5 "a missing client certificate" acquirer submit
cp client.pem.bak acq/centre/client.pem
cp client.key.bak acq/centre/client.key
# Remise 5 was taken by hand above, with other content: it is refused, loudly, and stays.
gives 5 "the number was used with other content" acquirer submit
says "alarm" ALARM err
is_state 5 submitted

# ---- no card number in plain, anywhere at rest
if "$here/no-plain-pan.py" centre acq; then echo "ok   no card number in plain"; else fail "card numbers in plain (above)"; fi
stop_centre
verdict
