#!/bin/bash
# Lessons as a teacher meets them: a payment that is explained as it ends (telepay pay --explain), and one that is explained from its trace, as text and as a page.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

pay() { # file for what it prints, options of pay…
    local out=$1
    shift
    printf '1234\n' | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 "$@" >"$out" 2>"$out.err" || fail "pay $*: $(cat "$out" "$out.err")"
}

inside() {
    cd "$dir" || exit 1
    launch acquirer.log listening fake_acquirer serve terminal 00
    insert marie
    pay plain --amount 12.50 --trace trace
    pay told --amount 12.50 --explain
    pay kept --amount 12.50 --explain=lesson --json --trace open --trace-unmasked
    remove
    # a bank's identifier (5F54) that would clear the screen
    cp -r marie rude
    python3 - <<'EOF' || fail "no rude card"
import json
with open("rude/card.json") as file:
    card = json.load(file)
record = next(r for r in card["records"] if (r["sfi"], r["record"]) == (1, 1))
data = bytes.fromhex(record["data"])
body = data[2 if data[1] < 128 else 3:] + b"\x5f\x54\x0b\x1b[2J\x1b[HHACK"
record["data"] = (b"\x70" + (b"" if len(body) < 128 else b"\x81") + bytes([len(body)]) + body).hex().upper()
with open("rude/card.json", "w") as file:
    json.dump(card, file)
EOF
    insert rude
    expect 0 "bank ?[2J?[HHACK" telepay card
    ! LC_ALL=C grep -q $'\x1b' out || fail "a card's control characters: $(cat -v out)"
    remove
}

no_secrets() { # files
    ! grep -lE '9990140000000015|DUPONT|241234FF' "$@" || fail "a secret is in a lesson"
}

# At the payment: on standard error beside the receipt, or in a file.
at_once() {
    grep -q APPROVED told || fail "the receipt is not there: $(cat told)"
    grep -q '^A lesson of a payment' told.err || fail "no lesson: $(cat told.err)"
    grep -q 'The card was asked for a TC and answers with a TC' told.err || fail "not explained: $(cat told.err)"
    ! grep -q 'A lesson' plain plain.err kept kept.err || fail "explained, though nobody asked"
    python3 -m json.tool kept >/dev/null || fail "no JSON: $(cat kept)"
    grep -q '^It ended: approved' lesson || fail "no lesson in the file: $(cat lesson)"
    grep -q "The card's certificate (9F46) is right" lesson || fail "an open trace is not judged again: $(cat lesson)"
    no_secrets told.err
}

from_a_trace() {
    expect 0 "Rule 1 of the CVM list" telepay explain trace
    said "The TSI is now E800."
    cp out text
    no_secrets text
    expect 0 "The card's certificate (9F46) is right" telepay explain open
    telepay explain --html page.html trace >out 2>&1 && [ ! -s out ] || fail "a page was asked for: $(cat out)"
    no_secrets page.html
    python3 - page.html <<'PY' || fail "the page"
import sys, xml.etree.ElementTree as tree
text = open(sys.argv[1], encoding="utf-8").read()
root = tree.fromstring(text)  # well-formed
assert text.startswith("<!DOCTYPE html>") and root.tag == "html" and root.get("lang") == "en"
ids = [e.get("id") for e in root.iter() if e.get("id")]
assert len(ids) == len(set(ids)), "an id stands twice"
for e in root.iter():
    assert e.tag not in ("script", "img", "link", "iframe", "object"), e.tag
    assert not e.get("src") and not any(k.startswith("on") for k in e.keys()), e.attrib
    if e.get("href"):
        assert e.get("href")[0] == "#" and e.get("href")[1:] in ids, e.get("href")
    for name in (e.get("aria-labelledby") or "").split():
        assert name in ids, name
assert len(root.findall(".//h1")) == 1 and len(root.findall(".//section")) >= 10
said = " ".join(t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text"))
for who in ("cardholder", "card", "terminal", "acquirer", "issuer", "GENERATE AC TC", "enters a PIN"):
    assert who in said, who
PY
    expect 0 "<!DOCTYPE html>" telepay explain --html - trace
}

cut_off() {
    local n
    for n in 1 4 7 10 12; do # answers that are there
        head -n "$(grep -n '^< ' trace | sed -n "${n}s/:.*//p")" trace >short
        expect 0 "The trace ends with line" telepay explain short
        unsaid "What it came to"
    done
    head -c $(($(wc -c <trace) * 2 / 3)) trace >short
    expect 0 "Where the trace ends" telepay explain short
    expect 2 "there is nothing to explain" telepay explain <(head -n 20 trace)
}

wrong_words() {
    expect 2 "TRACE is missing" telepay explain
    expect 2 "one trace at a time" telepay explain trace trace
    expect 2 "no-such-file" telepay explain no-such-file
    expect 2 "cannot write no-such-folder/page" telepay explain --html no-such-folder/page trace
    expect 2 "telepay explain trace does that" telepay pay --replay trace --dry-run --explain
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
telepay-perso card marie --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >/dev/null 2>&1 || fail "telepay-perso card"
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
"$here/with-pcscd" "$here/explain.sh" inside "$dir" || exit 1
at_once
from_a_trace
cut_off
wrong_words
echo "explain.sh: all as it should be"
