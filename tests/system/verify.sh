#!/bin/bash
# telepay-acquirer verify: a real card's evidence, each way it can be spoilt, and files that are none.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0 match=-G
vector=$TESTS_SRCDIR/vectors/offline-data-authentication.json
own_folder

# spoil TAG PATTERN REPLACEMENT: the vector with one object changed, as a lone evidence (an object with "tags")
spoil() {
    sed -n '/"environment_date"/p; /"tags"/,/}/p' "$vector" | sed "/\"$1\": /s/$2/$3/" >"$dir/body"
    { echo '{'; cat "$dir/body"; echo '}'; } >"$dir/$1.json"
    echo "$dir/$1.json"
}

expect 0 "TC, approved, cryptogram 16AFBA13C52FB173" telepay-acquirer verify "$vector"
expect 0 '"outcome": "ok"' telepay-acquirer verify --json "$vector"
expect 5 "ICC_CERT_EXPIRED" telepay-acquirer verify --date 2020-01-01 "$vector"
expect 0 "card's signature" telepay-acquirer verify "$(spoil 84 A0000000041010 A0000000041010)"
expect 5 "CA_KEY_UNKNOWN" telepay-acquirer verify "$(spoil 84 A0000000041010 A0000000991010)"
expect 5 "ISSUER_CERT_TRAILER" telepay-acquirer verify "$(spoil 90 1714284F 1714284E)"
expect 5 "ISSUER_CERT_HASH" telepay-acquirer verify "$(spoil 92 6E63B7BC 6E63B7BD)"
expect 5 "ICC_CERT_TRAILER" telepay-acquirer verify "$(spoil 9F46 A42FBEB1 A42FBEB0)"
expect 5 "ICC_CERT_HASH" telepay-acquirer verify "$(spoil DF01 5F25031405015F24 5F25031405025F24)"
expect 5 "SDAD_HASH" telepay-acquirer verify "$(spoil 9F37 12345779 12345778)"
expect 5 "SDAD_DATA_HASH" telepay-acquirer verify "$(spoil DF03 000000000643 000000000644)"
expect 5 "SDAD_CID" telepay-acquirer verify "$(spoil DF05 9F270140 9F270180)"
expect 5 "SDAD_MISSING" telepay-acquirer verify "$(spoil DF05 '"77[0-9A-F]*"' '"77099F2701409F36020010"')"
expect 5 "STATIC_DATA_MISSING" telepay-acquirer verify "$(spoil DF01 '"DF01"' '"DF99"')"
expect 5 "SIGNED_PAN" telepay-acquirer verify "$(spoil 5A 5285881254345653 5285881254345654)"
expect 2 "no text of hex digits" telepay-acquirer verify "$(spoil DF03 0000 000X)"
expect 2 "No such file" telepay-acquirer verify "$dir/absent.json"
expect 2 "Is a directory" telepay-acquirer verify "$dir"
expect 2 'no object "tags"' telepay-acquirer verify "$TESTS_SRCDIR/vectors/application-cryptograms.json"
printf '{"vectors":{}}' >"$dir/none.json"
expect 2 "hold no evidence" telepay-acquirer verify "$dir/none.json"
printf '{"tags":{"84":"A0","84":"A1"}}' >"$dir/twice.json"
expect 2 "no JSON: duplicate" telepay-acquirer verify "$dir/twice.json"
head -c 100 "$vector" >"$dir/cut.json"
expect 2 "no JSON" telepay-acquirer verify "$dir/cut.json"
expect 2 "which evidence file" telepay-acquirer verify
expect 2 "is no date" telepay-acquirer verify --date 2014-06 "$vector"
expect 2 "no JSON" telepay-acquirer verify --capk "$dir/cut.json" "$vector"
sed 's/"sha1": "D34A/"sha1": "D34B/' "$TELEPAY_DATADIR/capk.json" >"$dir/capk.json"
expect 5 "not the one its SHA-1 was made from" telepay-acquirer verify --capk "$dir/capk.json" "$vector"

# Cards of others, of each kind (binaryfoo/emv-bertlv): a whole payment by CDA; the card alone by DDA (9F4B over the number) and SDA (93).
cards=$TESTS_SRCDIR/vectors/evidence
of_card() { telepay-acquirer verify --capk "$cards/capk-bertlv.json" "$@"; }
spoil_card() { # name, pattern, replacement
    sed "s/$2/$3/" "$cards/$1.json" >"$dir/$1.json"
    echo "$dir/$1.json"
}
expect 0 "ARQC, the issuer is asked, cryptogram 51F4F65DDE43732D" of_card "$cards/amex-cda.json"
expect 0 "TC, approved, cryptogram D58B731AF5885C06" of_card "$cards/mc-cda.json"
expect 0 "SDA: the issuer's, over the card's records" of_card "$cards/mc-sda.json"
expect 0 "DDA: the card's, over the unpredictable number" of_card "$cards/upi-dda.json"
expect 0 "of the card alone: no payment" of_card "$cards/upi-dda.json"
! of_card "$cards/upi-dda.json" | grep "signed values" || fail "a card alone has no values of a payment"
expect 5 "SSAD_HASH" of_card "$(spoil_card mc-sda 5F24031412315F25 5F24031512315F25)"
expect 5 "SSAD_TRAILER" of_card "$(spoil_card mc-sda '"93": "21' '"93": "22')"
expect 5 "ISSUER_CERT_EXPIRED" of_card --date 2026-11-29 "$cards/mc-sda.json"
expect 5 "DDA_HASH" of_card "$(spoil_card upi-dda 7863AFC6 7863AFC7)"
expect 5 "DDA_UN" of_card "$(spoil_card upi-dda '"9F4B"' '"DF08": "7863AFC6AA", "9F4B"')"
expect 5 "UN_MISSING" of_card "$(spoil_card upi-dda '"9F37": "7863AFC6",' '')"
expect 5 "ICC_CERT_HASH" of_card "$(spoil_card upi-dda 5F24033010315A08 5F24033011305A08)"
expect 5 "RESPONSE_MISSING" of_card "$(spoil_card upi-dda '"9F4B"' '"DF03": "00", "9F4B"')"

# A key past the date that its list has is told and used (EMV 4.4 Book 2, 11.2.3).
mkdir "$dir/data"
cp "$TELEPAY_DATADIR"/* "$dir/data" 2>/dev/null || true
python3 - "$dir/data/capk.json" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
for k in d["keys"]:
    if k["rid"] == "A000000004" and k["index"] == "05":
        k["expiry"] = "2010-12-31"
json.dump(d, open(sys.argv[1], "w"))
END
expect 0 "index 05, past its date of 2010-12-31" env TELEPAY_DATADIR="$dir/data" telepay-acquirer verify "$vector"
expect 5 "under authority key 05 of A000000004: it was not signed" telepay-acquirer verify "$(spoil 90 1714284F 1714284E)"
expect 5 "no authority key 05 of A000000099 is trusted here" telepay-acquirer verify "$(spoil 84 A0000000041010 A0000000991010)"
verdict
