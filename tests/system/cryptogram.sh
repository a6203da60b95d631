#!/bin/bash
# telepay-issuer cryptogram as a user types it, on the public vectors (tests/vectors/calculator.json and others) and on those of Python
# (tests/unit/check_cryptogram.py).
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
own_folder
c() { telepay-issuer cryptogram "$@" --keys keys >out 2>&1; }

# ---- every value of both files: cvn, keys, what, options, wanted ----
python3 - "$TESTS_SRCDIR/vectors" >cases <<'END'
import json, sys
v = json.load(open(sys.argv[1] + "/application-cryptograms.json"))
k = v["issuer_master_keys"]
keys = ";".join(f"imk-{n} = {k[n]}" for n in k)
t = v["transaction"]
who = "--pan 1234567890123456 --atc 001C"
def tlv(tag, value): return tag + f"{len(value) // 2:02X}" + value
def tags(iad): return "".join(tlv(n, t[n]) for n in t) + tlv("9F10", iad)
for cvn, name, iad in (("10", "cvn10", "06010A" + v["cvn10"]["cvr"]), ("18", "cvn18", v["cvn18"]["9F10"])):
    p = v[name]
    print(f"{cvn}|{keys}|ac|{who} --de55 {tags(iad)}|{p['arqc']}")
    print(f"{cvn}|{keys}|mac|{who} --ac {p['arqc']} --head 8418000008|{p['mac_of_8418000008']}")
    print(f"{cvn}|{keys};pin = 9999|command|{who} --ac {p['arqc']} --head 80240002 --encipher|{p['pin_change_9999']}")
print(f"10|{keys}|arpc1|{who} --ac {v['cvn10']['arqc']} --arc 3030|{v['cvn10']['arpc']}")
print(f"18|{keys}|arpc2|{who} --ac {v['cvn18']['arqc']} --csu 00000000|{v['cvn18']['arpc']}")
computed = json.load(open(sys.argv[1] + "/cryptograms-computed.json"))
for p in computed["cases"] + computed["long_keys"]:
    k = p["issuer_keys"]
    who = f"--pan {p['pan']} --psn {p['psn']} --atc {p['atc']}"
    for n in k:
        print(f"{p['kind']}|imk-{n} = {k[n]}|master|{who}|{p['master'][n]}")
    print(f"{p['kind']}|mk-ac = {p['master']['ac']}|ac|{who} --data {p['data']}|{p['ac']}")
    print(f"{p['kind']}|sk-ac = {p['session']}|arpc1|--ac {p['ac']} --arc {p['arc']}|{p['arpc_1']}")
    extra = f" --proprietary {p['proprietary']}" if p["proprietary"] else ""
    print(f"{p['kind']}|mk-ac = {p['master']['ac']}|arpc2|{who} --ac {p['ac']} --csu {p['csu']}{extra}|{p['arpc_2']}")
    for n in ("smi", "smc"):
        print(f"{p['kind']}|mk-{n} = {p['master'][n]}|session|{who} --ac {p['ac']}|{p['session_' + n]}")
    print(f"{p['kind']}|mk-ac = {p['master']['ac']};pin = 9999|pin-block||{p['pin_block']}")
    first = p["scripts"][0]
    print(f"{p['kind']}|mk-smi = {p['master']['smi']}|command|{who} --ac {p['ac']} --head {first['head']}|{first['command']}")
    second = p["scripts"][1]
    chain = f" --chain {first['full_mac']}" if p["kind"].startswith("ccd") else ""
    masters = f"mk-smi = {p['master']['smi']};mk-smc = {p['master']['smc']}" # all session keys are of the first AC: Book 2, A1.3.1
    print(f"{p['kind']}|{masters}|command|{who} --ac {p['ac']}{chain} --head {second['head']} --data {second['plain']} --encipher|{second['command']}")
    third, mac = p["scripts"][2], 4 if p["kind"].startswith("ccd") else 8
    if chain:
        chain = f" --chain {second['full_mac']}"
    sent = bytes.fromhex(third["command"])
    body = sent[5:-mac - (2 if chain else 0)].hex()
    print(f"{p['kind']}|{masters}|mac|{who} --ac {p['ac']}{chain} --head {sent[:5].hex()} --data {body}|{third['full_mac'][:16]}")
computed = computed["ccd"]
keys = f"mk-smi = {computed['mk-smi']};mk-smc = {computed['mk-smc']}"
for kind in ("ccd-3des", "ccd-aes"):
    p = computed[kind]
    print(f"{kind}|{keys}|mac|--ac {computed['ac']} --head 8C24000000|{p['pin_unblock'][:16]}")
    print(f"{kind}|{keys}|mac|--ac {computed['ac']} --head 8C24000019 --data {p['pin_change_1234_object']}|{p['pin_change_1234'][:16]}")
    print(f"{kind}|{keys}|mac|--ac {computed['ac']} --chain {p['pin_change_1234']} --head 8C18000006|{p['unblock_behind'][:16]}")
for p in json.load(open(sys.argv[1] + "/key-derivation.json"))["printed_session_keys"]:
    print(f"{p['cvn']}|mk-{p['use']} = {p['master']}|session|--atc {p['atc']}|{p['session']}")
END
# The same, as others worked them out from Book 2, 9.2.3 and D2.3.1.
cat >>cases <<'END'
ccd-3des|mk-smi = 11111111111111111111111111111111|mac|--ac AABBCCDDEEFF0011 --head 8C24000000|E99B14DE69EC0CA8
ccd-aes|mk-smi = 11111111111111111111111111111111;mk-smc = 22222222222222222222222222222222;pin = 1234|command|--ac AABBCCDDEEFF0011 --head 80240000 --encipher|8C2400001987110166BF3EAEE484A39148DCDB28D95E786D8E04346FDAC6
ccd-aes|mk-smi = 11111111111111111111111111111111|mac|--ac AABBCCDDEEFF0011 --head 8C24000019 --data 87110166BF3EAEE484A39148DCDB28D95E786D|346FDAC65189C7E9
ccd-aes|mk-smi = 11111111111111111111111111111111|mac|--ac AABBCCDDEEFF0011 --chain 346FDAC65189C7E927C8A9C9C4DAF827 --head 8C18000000|12090342118B5B0B
END
declare -A seen
while IFS='|' read -r cvn lines what options want; do
    tr ';' '\n' <<<"$lines" >keys
    # shellcheck disable=SC2086 # options are words
    c "$what" --cvn "$cvn" $options --check "$want" || { fail "$cvn $what is not $want:"; cat out; }
    grep -qx right out || fail "$cvn $what: not \"right\""
    [ -n "${seen[$what]-}" ] && continue # the rest once for each kind of outcome
    seen[$what]=1
    # shellcheck disable=SC2086
    c "$what" --cvn "$cvn" $options --check "00${want:2}" && fail "$cvn $what takes a wrong value for right"
    grep -qx wrong out || fail "$cvn $what: not \"wrong\""
    # shellcheck disable=SC2086
    telepay-issuer cryptogram "$what" --cvn "$cvn" $options --json --check "$want" <keys >out || fail "$cvn $what --json"
    [ "$(python3 -c 'import json; d=json.load(open("out")); print(d["result"], d["right"], d["steps"][-1]["value"])')" = "$want True $want" ] ||
        fail "$cvn $what --json"
done <cases
[ "$(wc -l <cases)" -ge 80 ] || fail "only $(wc -l <cases) cases"

# ---- what others published ----
python3 - "$TESTS_SRCDIR/vectors/calculator.json" <<'END' || fail "published values"
import json, subprocess, sys
bad = n = 0
for group in json.load(open(sys.argv[1]))["groups"]:
    for case in group["cases"]:
        what = "ac" if case["what"] == "data" else case["what"]
        words = [w for o, v in case["options"].items() for w in (["--" + o] if v is True else ["--" + o, v])]
        with open("keys", "w") as f:
            f.writelines(f"{k} = {v}\n" for k, v in case["keys"].items())
        command = ["telepay-issuer", "cryptogram", what, "--keys", "keys", "--json", *words]
        done = subprocess.run(command + (["--check", case["want"]] if what == case["what"] else []), capture_output=True, text=True)
        n += 1
        got = json.loads(done.stdout) if done.stdout else {}
        if what == case["what"]:
            right = done.returncode == 0 and got.get("right") is True
        else:
            right = [s["value"] for s in got.get("steps", []) if s["step"] == case["what"]] == [case["want"]]
        if not right:
            bad += 1
            print(group["source"], case, got.get("result"), done.stderr, sep="\n  ")
sys.exit(bad > 0 or n < 150)
END

# ---- keys of folders ----
telepay-perso init scheme >/dev/null && telepay-issuer init iss --scheme scheme --name Banque >/dev/null || fail "no folders"
hex() { od -An -tx1 -v -j "$2" -N 16 "$1" | tr -d ' \n'; }
same() { # WHAT --CVN KIND, as of the keys in the files
    local file=$1 what=$2 use
    shift 2
    printf 'imk-ac = %s\nimk-smi = %s\nimk-smc = %s\n' "$(hex "$file" 0)" "$(hex "$file" 16)" "$(hex "$file" 32)" >keys
    c "$what" --json "$@" || { fail "$what $*:"; cat out; }
    for use in "--scheme scheme" "--dir iss"; do
        # shellcheck disable=SC2086 # two words
        telepay-issuer cryptogram "$what" $use --json "$@" </dev/null >folder 2>&1 || { fail "$what $use:"; cat folder; }
        cmp out folder || fail "$what $use is not that of the keys"
    done
}
same scheme/issuer.secret master --pan 9990140000000015
same scheme/issuer.secret session --pan 9990140000000015 --cvn 16 --atc 0001 --un 01020304 --ac 0102030405060708
same scheme/issuer-aes.secret master --pan 9990140000000015 --cvn ccd-aes
telepay-issuer cryptogram session --dir iss --pan 9990140000000015 --cvn ccd-3des --atc 0001 >out 2>&1 || { fail "session key AC alone"; cat out; }
grep -q "session key AC" out && ! grep -q "session key SM" out || fail "session keys that are not asked for"
echo "pin = 1234" >keys
c pin-block --dir iss --pan 9990140000000015 --cvn 18 || { fail "a PIN of one file, keys of another folder"; cat out; }
c pin-block --cvn ccd-3des --check 241234FFFFFFFFFF || fail "PIN block of format 2"

# ---- words ----
wrong() { # PATTERN WORDS…
    local pattern=$1 got
    shift
    c "$@"
    got=$?
    [ $got -eq 2 ] || fail "$* gives $got, not 2"
    grep -qE -- "$pattern" out || { fail "$* does not say \"$pattern\":"; cat out; }
    grep -qi 0123456789ABCDEFFEDC out && fail "$* shows a key"
}
echo "imk-ac = 0123456789ABCDEFFEDCBA9876543210" >keys
wrong "give --pan" master
wrong "give imk-smi or mk-smi" mac --pan 1234567890123456 --head 8418000008 --ac 29CCA15AE665FA2E --atc 001C
wrong "give --de55 or --data" ac --pan 1234567890123456
wrong "takes 2 bytes, not 1" ac --pan 1234567890123456 --data 00 --atc 00
wrong "hexadecimal" ac --atc 0
wrong "not chained" mac --cvn 18 --head 8418000008 --ac 29CCA15AE665FA2E --atc 001C --chain 29CCA15AE665FA2E
wrong "takes 16 bytes, not 8" mac --cvn ccd-aes --head 8C18000006 --ac 29CCA15AE665FA2E --chain 29CCA15AE665FA2E
wrong "nothing to work out" arqc
wrong "not \"19\"" ac --cvn 19
wrong "no 9F02" ac --cvn 18 --de55 9F0306000000000000
wrong "give --cvn: --de55 holds no" ac --de55 9F0306000000000000
wrong "give --cvn: 9F10 is of no kind" ac --de55 9F1007060100030000009F360100
wrong "at its byte 3 from the end" ac --de55 950500000000009F3604
wrong "9F10 is of a card of kind 18, not 10" ac --cvn 10 --de55 "$(grep -o '"de55": "9F02[0-9A-F]*06011203000000' "$TESTS_SRCDIR/vectors/calculator.json" | head -1 | cut -d'"' -f4)"
echo "imk-ac = 0123456789ABCDEFFEDCBA98765432" >keys
wrong "line 1 of the keys: a key is 32" master
echo "imk-ac = 0123456789ABCDEF 0123456789ABCD" >keys
wrong "line 1 of the keys: a key is 32" master
echo "sk-cvc3 = 0123456789ABCDEF0123456789ABCDEF" >keys
wrong "line 1 of the keys has a name" master
echo "imk-ac = 0123456789ABCDEFFEDCBA98765432100123456789ABCDEF" >keys
wrong "imk-ac has 24 bytes, and keys of 18 have 16" master --pan 1234567890123456
wrong "option C is that of AES" master --pan 1234567890123456 --option c
wrong "option C is that of AES" master --pan 1234567890123456 --cvn ccd-aes --option a
wrong "triple DES, not of ccd-aes" ac --cvn ccd-aes --padding zeros
wrong "AES has no session keys of that way" session --cvn ccd-aes --session tree --atc 0001 --pan 1234567890123456
wrong "takes one of master, common, atc-un, tree, pboc" session --session other
wrong "from 4 to 8" mac --mac-size 3
echo "mk-smi = 0123456789ABCDEFFEDCBA9876543210" >keys
wrong "scripts of pboc cards get their keys is not public" mac --cvn pboc --head 8418000008 --atc 0001 --ac 0102030405060708
echo "mk-ac = 0123456789ABCDEFFEDCBA9876543210" >keys
wrong "give --un: the unpredictable number, 9F37" session --cvn 16 --atc 0001
wrong "give --atc: the application transaction counter" session --cvn pboc
wrong "give imk-cvc3 or mk-cvc3 among the keys" cvc3 --data 0000 --atc 0001 --un 01020304
wrong "give pin among the keys" pin-block --pin-format 0
wrong "give pin-block among the keys" pin --pin-format 0
echo "pin-block = 041261AAAAEDCBAA" >keys
wrong "give --pan of 13 digits or more" pin --pin-format 0
wrong "no block of format 0 and of that card" pin --pin-format 0 --pan 5555555551234567
echo "pin-block = 28B41FDDD29B743E93124BD8E32D921E" >keys
wrong "give pin-key" pin --pin-format 4 --pan 1234567890123456789
wrong "give --scheme or --dir, not both" master --scheme scheme --dir iss
wrong "nowhere" master --scheme nowhere
echo "mk-dcvv = 0123456789ABCDEFFEDCBA9876543210" >keys
wrong "give --expiry" dcvv --atc 0001
wrong "takes YYMM, --service three digits" dcvv --atc 0001 --expiry 1310 --service 22x --pan 123456789012
wrong "give --pan of 12 digits" dcvv --atc 0001 --expiry 1310 --service 226
printf '# a comment\n\nkey = 00\n' >keys
wrong "line 3 of the keys has a name" master
telepay-issuer cryptogram ac --keys nowhere >out 2>&1 && fail "keys out of nowhere"
verdict
