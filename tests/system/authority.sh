#!/bin/bash
# Which authority keys an acquirer trusts: those that were added, by name or by file, and no others; and its terminals trust the same.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
match=-E
[ "${1-}" = inside ] || own_folder
a() { telepay-acquirer "$@"; }
keys() { # the trusted keys as one line: RID/index RID/index …
    a authority list --json | python3 -c 'import json, sys; print(*(k["rid"] + "/" + k["index"] for k in json.load(sys.stdin)["authorities"]))'
}
holds() { # EXPECTED
    local got
    got=$(keys)
    [ "$got" = "$1" ] || fail "the keys are \"$got\", not \"$1\""
}

# ---- a server that runs takes what is added and removed, without a restart ----
inside() {
    telepay-perso card card --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >/dev/null || fail "perso card"
    expect 0 "" a init acq --authority scheme/authority.json
    expect 0 "" a contract add --id 000000000000123 --name Shop --mcc 5942 --currency EUR
    expect 0 "" a terminal add --contract 000000000000123 --id 00000001 --out term
    insert card
    launch serve.log "listening on" telepay-acquirer serve
    # shellcheck disable=SC2317 # by expect
    pays() { printf 1234 | telepay pay --config term/telepay.conf --pin-fd 0 --wait 5 --amount 1.00 --currency EUR; }
    expect 0 "APPROVED" pays
    expect 0 "1 key" a authority remove --rid F000000014
    pause 1.1
    expect 5 "REFUSED BY THE ACQUIRER" pays
    grep -q CA_KEY_UNKNOWN serve.log || fail "a key that was removed is still trusted: $(cat serve.log)"
    expect 0 "trusted: key 01" a authority add --file scheme/authority.json
    pause 1.1
    expect 0 "APPROVED" pays
    verdict
}
if [ $# = 2 ] && [ "$1" = inside ]; then
    cd "$2" || exit 1
    dir=$2
    inside
fi

telepay-perso init scheme >/dev/null || fail "perso init"
telepay-perso init small --authority-bits 1152 --issuer-bits 1024 >/dev/null || fail "perso init of a short key"

# ---- none but those that were added ----
expect 0 "trusts no authority key" a init acq
grep -q "next: telepay-acquirer authority add --scheme NAME" out || { fail "init does not say what to do next"; cat out; }
holds ""
launch serve.log "listening on" telepay-acquirer serve --listen 127.0.0.1:0
grep -q "no authority key of a card scheme is trusted here" serve.log || { fail "serve does not say that it trusts nobody"; cat serve.log; }
kill "$launched"
wait "$launched" 2>/dev/null

# ---- by name: the live keys of that scheme that are long enough ----
expect 2 "no scheme known here: CB, Visa" a authority add --scheme Vista
expect 2 "say --scheme NAME" a authority add
expect 2 "say --scheme NAME" a authority add --scheme Visa --file scheme/authority.json
expect 2 "test goes with" a authority add --test --file scheme/authority.json
expect 2 "no live key of CB \(A000000042\).*--file" a authority add --scheme CB
holds ""
expect 0 "trusted: key 08 of A000000003, 1408 bits, live, planned to end on 2022-12-31" a authority add --scheme visa
grep -q "key 01 of Visa (A000000003) has 1024 bits and is not taken" out || { fail "a short key is not told"; cat out; }
holds "A000000003/08 A000000003/09"
expect 2 "trusted already" a authority add --scheme Visa
expect 0 "key 94 of A000000003, 1984 bits, test" a authority add --scheme Visa --test
holds "A000000003/08 A000000003/09 A000000003/92 A000000003/94"
for scheme in Mastercard Amex JCB Discover UnionPay TPN; do
    expect 0 "^trusted: key .* live" a authority add --scheme $scheme
done
a authority list --json >out
python3 - out <<'END' || fail "authority list"
import json, sys
keys = json.load(open(sys.argv[1]))["authorities"]
assert {k["scheme"] for k in keys} == {"Visa", "Mastercard", "Amex", "JCB", "Discover", "UnionPay", "TPN"}, keys
assert all(k["bits"] >= 1408 for k in keys), keys
assert [k["rid"] for k in keys if k["environment"] == "test"] == ["A000000003"] * 2, keys
by = {(k["rid"], k["index"]): k for k in keys}
assert by["A000000003", "08"]["past_the_end"] is True and by["A000000003", "08"]["planned_end"] == "2022-12-31"
assert by["A000000677", "05"]["past_the_end"] is False and by["A000000677", "05"]["planned_end"] == "2035-12-31"
END

# ---- by file ----
expect 5 "small/authority.json: key 01 of F000000014 has 1152 bits: an acquirer takes none under 1408" a authority add --file small/authority.json
expect 5 "key 01 of A000000003 has 1024 bits" a authority add --file "$TELEPAY_DATADIR/capk.json"
expect 5 "has 1152 bits" a init other --authority small/authority.json
expect 2 "cannot read|No such file" a authority add --file nothing.json
expect 0 "trusted: key 01 of F000000014, 1984 bits, test" a authority add --file scheme/authority.json

# ---- a terminal has what its acquirer trusts ----
expect 0 "" a authority remove --scheme Mastercard
expect 0 "" a contract add --id 000000000000123 --name Shop --mcc 5942 --currency EUR
expect 0 "is in term" a terminal add --contract 000000000000123 --id 00000001 --out term --port 8583
files=$(sed -n 's/^files = //p' term/telepay.conf)
# shellcheck disable=SC2086 # a list of names
(cd term && python3 - $files) <<'END' || fail "the keys of the terminal: $files"
import json, sys
keys = {(k["rid"], k["index"]) for name in sys.argv[1:] for k in json.load(open(name))["keys"]}
assert ("F000000014", "01") in keys and ("A000000003", "08") in keys, keys
assert not any(rid == "A000000004" for rid, _ in keys), keys
END

# ---- removed ----
expect 2 "say --scheme NAME" a authority remove
expect 2 "no key 77 of A000000003 is trusted here" a authority remove --scheme Visa --index 77
expect 0 "1 key of A000000003 is trusted no more" a authority remove --rid A000000003 --index 92
for scheme in Amex JCB Discover UnionPay TPN; do
    expect 0 "trusted no more" a authority remove --scheme $scheme
done
holds "A000000003/08 A000000003/09 A000000003/94 F000000014/01"
expect 0 "3 keys of A000000003 are trusted no more" a authority remove --scheme Visa
expect 0 "1 key of f000000014" a authority remove --rid f000000014
holds ""
[ -z "$(ls acq/authorities)" ] || fail "empty files are left: $(ls acq/authorities)"

# ---- one that was put there by hand ----
cp small/authority.json acq/authorities/by-hand.json
holds "F000000014/01"
expect 5 "key 01 of F000000014 has 1152 bits.*authority remove" a serve --listen 127.0.0.1:0
expect 5 "has 1152 bits" a audit
expect 0 "1 key" a authority remove --rid F000000014
expect 0 "" a audit
mkdir running
cp -r scheme running
"$here/with-pcscd" "$here/authority.sh" inside "$dir/running" || fail "a server that runs"
verdict
