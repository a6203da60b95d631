#!/bin/bash
# telepay-emv apdu with a card behind a real pcscd: arguments, standard input and scripts; 61xx and 6Cxx; a trace; what is masked.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
if [ "${1:-}" != inside ]; then
    exec "$here/with-pcscd" "$0" inside
fi
failures=0
own_folder
select=00A4040007F0000000141010
options=80A800000883062098C8025034 # GET PROCESSING OPTIONS with the values of the card's PDOL: 9F33, 9F1A, 9F35

telepay-perso init scheme >out 2>&1 || fail "perso init: $(heard)"
telepay-perso card card --scheme scheme --pan 9990140000000015 --expiry 2030-12 --t0 --pin 1234 >out 2>&1 || { fail "perso card: $(heard)"; verdict; }
expect 3 "card" telepay-emv apdu $select
insert card

# a command of the command line, decoded: what the answer holds is in the tree
expect 0 "SELECT" telepay-emv apdu ${select}00
said "9000: done"
said "84  Dedicated File (DF) Name"
said "telepay's test scheme"
expect 1 "6A82: the card has no such application" telepay-emv apdu 00A4040007A000000003101000
expect 2 "4 bytes at least" telepay-emv apdu 00A4
expect 2 "lengths that do not agree" telepay-emv apdu 00A4040009F000

# T=0: 61xx is followed, or shown
expect 0 "61" telepay-emv apdu --raw $select
unsaid "84  Dedicated"
grep -Eq '^ *- 61[0-9A-F]{2}: done, more response bytes' out || fail "61xx is not shown: $(cat out)"
# of READ RECORD with a wrong Le, the right one
expect 1 "the card says the right one" telepay-emv apdu --raw $select $options 00B2010C01
expect 0 "70  READ RECORD" telepay-emv apdu $select $options 00B2010C01

# a script, standard input, and a trace as a script; the first line with a fault is named
cat >script <<S
# the application, its counter, the PIN tries

${select}00
80 CA 9F 36 00
80CA9F1700
reset
S
expect 0 "9F36  Application Transaction Counter" telepay-emv apdu --file script --trace trace
said "9F17  Personal Identification Number (PIN) Try Counter"
cp out by_file
telepay-emv apdu <script >out 2>&1 || fail "standard input: $(cat out)"
cmp -s out by_file || fail "standard input is another than the file"
expect 0 "9F36  Application Transaction Counter" telepay-emv apdu --file trace
printf '> 0020008008********FFFFFFFF\n' >masked
expect 2 "line 1: this command is masked" telepay-emv apdu --file masked
grep -q '^> 80CA9F3600$' trace && grep -q '^atr: 3B' trace || fail "the trace is another: $(cat trace)"
printf '%s00\n00A4040X00\n' $select >bad
expect 2 "line 2: character 8, 'X'" telepay-emv apdu --file bad
said "9000: done"

# no PIN in any form, not even --unmasked; of other data of a test card all, when that is wanted
printf '%s\n%s\n0020008008241234FFFFFFFFFF\n' $select $options >pin
expect 0 "PIN, plain" telepay-emv apdu --file pin --unmasked --trace unmasked
unsaid 241234
! grep -q 241234 unmasked || fail "the trace has the PIN"
expect 0 "999014******0015" telepay-emv apdu $select $options 00B2010C00
unsaid 9990140000000015
expect 0 9990140000000015 telepay-emv apdu --unmasked $select $options 00B2010C00

telepay-emv apdu --json $select >out 2>err || fail "--json: $(cat err)"
python3 - out <<'P' || fail "the JSON is another: $(cat out)"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["atr"].startswith("3B") and d["objects"][0]["tag"] == "C-APDU" and d["objects"][0]["name"] == "SELECT", d
assert d["objects"][1]["meaning"] == ["9000: done"] and d["objects"][1]["objects"][0]["tag"] == "6F", d
P

# telepay card -v: a cryptogram first, so that the log holds something; the values are those that the card's CDOL1 asks for
telepay-emv apdu --json --unmasked $select $options 00B2010C00 00B2020C00 00B2030C00 00B2011400 00B2021400 00B2031400 >records 2>/dev/null
generate=$(python3 - records <<'P'
import json, sys
values = {"9F02": "000000001250", "5F2A": "0978", "9F1A": "0250", "9A": "261129", "9C": "00", "9F37": "01020304", "9F35": "34"}
def find(o, tag):
    for x in o:
        if x.get("tag") == tag:
            return x
        y = find(x.get("objects", []), tag)
        if y:
            return y
data = "".join(values.get(x["tag"], "00" * x["length"]).ljust(2 * x["length"], "0") for x in find(json.load(open(sys.argv[1]))["objects"], "8C")["objects"])
print("80AE8000%02X%s00" % (len(data) // 2, data))
P
)
expect 0 "9F27  Cryptogram Information Data" telepay-emv apdu $select $options "$generate"
expect 0 "9F02  Amount, Authorised (Numeric)" telepay-emv apdu $select $options 00B2011400 00B2021400 00B2031400 "$generate"

telepay-acquirer init acq --authority scheme/authority.json >out 2>&1 || fail "acquirer init: $(heard)"
telepay-acquirer contract add --id 000000000000123 --name Shop --mcc 5942 --currency EUR >out 2>&1 || fail "contract add: $(heard)"
telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out terminal >out 2>&1 || fail "terminal add: $(heard)"
expect 0 "Certificates     good" telepay card -v --config terminal/telepay.conf
said "log  Transaction Log Record"
said "12.50 EUR"
said "opened with key 01 of F000000014"
said "modulus "
said "8E  Cardholder Verification Method (CVM) List"
said "1. Plaintext PIN verification performed by ICC; If terminal supports the CVM"
said "9F36  Application Transaction Counter"
said "999014******0015"
unsaid 9990140000000015
expect 0 9990140000000015 telepay card -v --unmasked --config terminal/telepay.conf
expect 2 "goes with -v" telepay card --unmasked
telepay card -v --json --config terminal/telepay.conf >out 2>err || fail "card -v --json: $(cat err)"
python3 - out <<'P' || fail "the JSON of card -v is another"
import json, sys
d = json.load(open(sys.argv[1]))
tags = [o["tag"] for o in d["objects"]]
assert d["applications"] and "log" in tags and tags.count("C-APDU") == tags.count("R-APDU"), tags
P
remove

# one that is not of the test scheme is shown whole only when its owner says yes; here nobody can be asked
telepay-perso card other --scheme scheme --pan 9990140000000023 --expiry 2030-12 --pin 1234 --aid A0000000031010 --live-identifiers >out 2>&1 || fail "perso card: $(heard)"
insert other
expect 1 "not of the test scheme" telepay card -v --unmasked </dev/null
unsaid 9990140000000023
expect 0 "999014******0023" telepay card -v </dev/null
remove
verdict
