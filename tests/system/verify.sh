#!/bin/sh
# telepay-acquirer verify: a real card's evidence, each way it can be spoilt, and files that are none.
set -eu
acquirer=$TESTS_BUILDDIR/telepay-acquirer
vector=$TESTS_SRCDIR/vectors/offline-data-authentication.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failures=0
# expect CODE WORDS COMMAND…: the exit code, and words that stdout or stderr must hold
expect() {
    code=$1 words=$2
    shift 2
    got=0
    "$@" >"$work/out" 2>&1 || got=$?
    if [ "$got" != "$code" ] || ! grep -q -- "$words" "$work/out"; then
        echo "exit $got instead of $code, or no \"$words\": $*"
        cat "$work/out"
        failures=$((failures + 1))
    fi
}

# spoil TAG PATTERN REPLACEMENT: the vector with one object changed, as a lone evidence (an object with "tags")
spoil() {
    sed -n '/"environment_date"/p; /"tags"/,/}/p' "$vector" | sed "/\"$1\": /s/$2/$3/" >"$work/body"
    { echo '{'; cat "$work/body"; echo '}'; } >"$work/$1.json"
    echo "$work/$1.json"
}

expect 0 "TC, approved, cryptogram 16AFBA13C52FB173" "$acquirer" verify "$vector"
expect 0 '"outcome": "ok"' "$acquirer" verify --json "$vector"
expect 5 "ICC_CERT_EXPIRED" "$acquirer" verify --date 2020-01-01 "$vector"
expect 0 "card's signature" "$acquirer" verify "$(spoil 84 A0000000041010 A0000000041010)"
expect 5 "CA_KEY_UNKNOWN" "$acquirer" verify "$(spoil 84 A0000000041010 A0000000991010)"
expect 5 "ISSUER_CERT_TRAILER" "$acquirer" verify "$(spoil 90 1714284F 1714284E)"
expect 5 "ISSUER_CERT_HASH" "$acquirer" verify "$(spoil 92 6E63B7BC 6E63B7BD)"
expect 5 "ICC_CERT_TRAILER" "$acquirer" verify "$(spoil 9F46 A42FBEB1 A42FBEB0)"
expect 5 "ICC_CERT_HASH" "$acquirer" verify "$(spoil DF01 5F25031405015F24 5F25031405025F24)"
expect 5 "SDAD_HASH" "$acquirer" verify "$(spoil 9F37 12345779 12345778)"
expect 5 "SDAD_DATA_HASH" "$acquirer" verify "$(spoil DF03 000000000643 000000000644)"
expect 5 "SDAD_CID" "$acquirer" verify "$(spoil DF05 9F270140 9F270180)"
expect 5 "SDAD_MISSING" "$acquirer" verify "$(spoil DF05 '"77[0-9A-F]*"' '"77099F2701409F36020010"')"
expect 5 "STATIC_DATA_MISSING" "$acquirer" verify "$(spoil DF01 '"DF01"' '"DF99"')"
expect 5 "SIGNED_PAN" "$acquirer" verify "$(spoil 5A 5285881254345653 5285881254345654)"
expect 2 "no text of hex digits" "$acquirer" verify "$(spoil DF03 0000 000X)"
expect 2 "No such file" "$acquirer" verify "$work/absent.json"
expect 2 "Is a directory" "$acquirer" verify "$work"
expect 2 'no object "tags"' "$acquirer" verify "$TESTS_SRCDIR/vectors/application-cryptograms.json"
printf '{"vectors":{}}' >"$work/none.json"
expect 2 "hold no evidence" "$acquirer" verify "$work/none.json"
printf '{"tags":{"84":"A0","84":"A1"}}' >"$work/twice.json"
expect 2 "no JSON: duplicate" "$acquirer" verify "$work/twice.json"
head -c 100 "$vector" >"$work/cut.json"
expect 2 "no JSON" "$acquirer" verify "$work/cut.json"
expect 2 "which evidence file" "$acquirer" verify
expect 2 "is no date" "$acquirer" verify --date 2014-06 "$vector"
expect 2 "no JSON" "$acquirer" verify --capk "$work/cut.json" "$vector"
sed 's/"sha1": "D34A/"sha1": "D34B/' "$TELEPAY_DATADIR/capk.json" >"$work/capk.json"
expect 5 "not the one its SHA-1 was made from" "$acquirer" verify --capk "$work/capk.json" "$vector"

# A key past the date that its list has is told and used (EMV 4.4 Book 2, 11.2.3).
mkdir "$work/data"
cp "$TELEPAY_DATADIR"/* "$work/data" 2>/dev/null || true
python3 - "$work/data/capk.json" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
for k in d["keys"]:
    if k["rid"] == "A000000004" and k["index"] == "05":
        k["expiry"] = "2010-12-31"
json.dump(d, open(sys.argv[1], "w"))
END
expect 0 "index 05, past its date of 2010-12-31" env TELEPAY_DATADIR="$work/data" "$acquirer" verify "$vector"
expect 5 "under authority key 05 of A000000004: it was not signed" "$acquirer" verify "$(spoil 90 1714284F 1714284E)"
expect 5 "no authority key 05 of A000000099 is trusted here" "$acquirer" verify "$(spoil 84 A0000000041010 A0000000991010)"
exit "$((failures > 0))"
