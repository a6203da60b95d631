#!/bin/bash
# telepay-emv decode as people use it: every way in, JSON, masking, certificates, faults.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
own_folder

# every way in says the same
expect 0 "ARQC" telepay-emv decode 9F270180
cp out first
for word in '9f 27 01 80' '9F:27:01:80' '0x9F 0x27 0x01 0x80' nycBgA==; do
    expect 0 "ARQC" telepay-emv decode "$word"
    cmp -s out first || fail "\"$word\" is read as something else: $(cat out)"
done
expect 0 "ARQC" telepay-emv decode 9F 27 01 80
printf '\x9f\x27\x01\x80' >binary
printf '9F27\n  0180\n' >text
for file in binary text; do
    expect 0 "ARQC" telepay-emv decode --file $file
    cmp -s out first || fail "$file is read as something else: $(cat out)"
    expect 0 "ARQC" telepay-emv decode <$file
    expect 0 "ARQC" telepay-emv decode - <$file
done

# words that are none, and data that break off: what is wrong, where, and what came before it
expect 2 "7 hex digits" telepay-emv decode 9F27018
expect 2 "character 7, 'G'" telepay-emv decode 9F2701G0
expect 2 "offset 4: tag 9F36 has no length" telepay-emv decode 9F2701809F36
said "ARQC"
expect 2 "no data" telepay-emv decode ''
expect 2 "of one kind only" telepay-emv decode --atr --sw 9000
expect 2 "goes with --dol" telepay-emv decode --values 00 9000
expect 2 "no country" telepay-emv decode --country XX
expect 2 "cannot" telepay-emv decode --file nowhere

# JSON: an object at the top, with the same
expect 0 objects telepay-emv decode --json 9F270180
python3 - out <<'P' || fail "the JSON is another"
import json, sys
o = json.load(open(sys.argv[1]))["objects"]
assert o == [{"tag": "9F27", "name": "Cryptogram Information Data", "length": 1, "value": "80",
              "meaning": ["ARQC: ask the issuer", "no advice required", "reason: no information given"],
              "clause": "EMV 4.4 Book 3, 6.5.5.4, table 15"}], o
P
telepay-emv decode --json 9F2701809F36 >out 2>err
[ $? = 2 ] || fail "a fault with --json does not exit with 2"
python3 - out <<'P' || fail "the JSON of a fault is another"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["fault"].startswith("offset 4: tag 9F36"), d
assert d["objects"][0]["tag"] == "9F27" and d["objects"][1]["offset"] == 4, d
P

# masked, unless that is not wanted
expect 0 "476173******0010" telepay-emv decode 5A084761739001010010
unsaid 4761739001010010
expect 0 4761739001010010 telepay-emv decode --unmasked 5A084761739001010010

# each kind once, beside what the unit test has
expect 0 "T=0" telepay-emv decode --atr 3B6500002063CB6800
expect 0 "no further cryptogram" telepay-emv decode --sw --ins AE 6985
expect 0 "ARQC" telepay-emv decode --tag 9F27 80
expect 0 "12.50 EUR" telepay-emv decode --dol --values '000000001250 0978' 9F02065F2A02
expect 0 "GENERATE AC" telepay-emv decode --apdu 80AE800000 9000
expect 0 "French" telepay-emv decode --language fr
expect 0 "Euro" telepay-emv decode --currency eur
expect 0 "Book shops" telepay-emv decode --mcc 5942
expect 0 "αβ" telepay-emv decode --text 7 E1E2
expect 0 "mobile telephone" telepay-emv decode --scheme visa --tag 9F6E 238C0000
expect 0 "Application Interchange Profile" telepay-emv decode --tag-list 829F36
# packed by tests/tools/iso8583_vectors.py, from the layout that doc/protocol.md has
message=$(sed -n 's/ | 810 21=364$//p' "$TESTS_SRCDIR/vectors/iso8583.txt")
expect 0 "network management request response" telepay-emv decode --iso8583 "$message"
said "DE 21  forwarding institution country code  [3]  364"

# A real card's chain, long expired, with key 05 of A000000004 (lumag/emv-tools, test/cda-test.c; tests/vectors): the fields of its certificates
# are those that OpenSSL finds in them.
python3 - "$TESTS_SRCDIR/vectors/offline-data-authentication.json" >chain <<'P'
import json, sys
tags = json.load(open(sys.argv[1]))["vectors"]["mastercard-live05-cda"]["tags"]
for tag, value in tags.items():
    if tag.startswith("DF"):
        continue
    v = bytes.fromhex(value)
    n = bytes([len(v)]) if len(v) < 128 else bytes([0x81, len(v)])
    print((bytes.fromhex(tag) + n + v).hex())
P
expect 0 "opened with key 05 of A000000004" telepay-emv decode --file chain
said "issuer identifier 528588"
said "card number 528588******5653"
expect 0 "opened with the issuer's key" telepay-emv decode --file chain --unmasked
said "card number 5285881254345653"
verdict
