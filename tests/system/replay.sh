#!/bin/bash
# Traces as a user meets them: recorded with the virtual card through a real pcscd, run again by `telepay pay --replay` without any of that, and played by
# `telepay-simcard --replay` to a terminal. Then a trace by hand of a faulty card, changed ones, and files that are none.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

replay() { telepay pay --dry-run --replay "$@"; }

# ---- with pcscd: recording, and playing to a terminal ----

record() { # file, exit code, pins, options of pay…
    local file=$1 code=$2 pins=$3 got
    shift 3
    printf '%b' "$pins" | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --trace "$file" "$@" >"$dir/$file.out" 2>&1
    got=$?
    [ "$got" = "$code" ] || fail "recording $file: exit $got: $(cat "$dir/$file.out")"
}

inside() {
    cd "$dir" || exit 1
    launch acquirer.log listening fake_acquirer serve terminal 00
    insert marie
    record good 0 '9999\n1234\n' --amount 12.50
    record open 0 1234 --amount 12.50 --trace-unmasked
    record online 1 1234 --amount 60.00 # over the floor; the acquirer reaches no issuer
    insert t0
    record left 1 '9999\n' --amount 12.50
    insert marie --fault torn-out=5 --once
    record torn 3 1234 --amount 12.50
    insert marie --fault wrong-sdad
    record wrong 5 1234 --amount 12.50
    # the card from its trace: read by a terminal, and not believed where it signed another number
    insert --replay open
    expect 0 "good: issuer 1408 bits" telepay card --config terminal/telepay.conf
    expect 0 "999014******0015" telepay card
    printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --amount 12.50 >"$dir/out" 2>&1
    [ $? = 5 ] || fail "a recorded card paid again: $(cat "$dir/out")"
    said "DECLINED"
    grep -q '80AE.*-> \.\.\.9000 (line [0-9]*, the data differ)' simcard.log || fail "what was played is not told: $(cat simcard.log)"
    grep -q '00B2010C00 -> \.\.\.9000 (line [0-9]*, as recorded)' simcard.log || fail "what was played is not told: $(cat simcard.log)"
    insert --replay by-hand
    printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --amount 12.50 >"$dir/out" 2>&1
    [ $? = 1 ] || fail "a card by hand: $(cat "$dir/out")"
    said "PAN"
    remove
}

# ---- without: running again ----

no_secrets() { # files
    ! grep -lE '9990140000000015|4455504F4E54|DUPONT|241234FF|249999FF' "$@" || fail "a secret is in a trace"
}

run_again() {
    local file
    expect 0 "Result as then: 95=" replay good
    said "REPLAY: nothing is paid"
    said "All commands to the card are as then."
    said "cannot be judged again"
    expect 0 "Authentication as then: method=CDA ok=yes" replay open
    unsaid "cannot be judged again"
    expect 1 "DECLINED" replay online
    said "Outcome as then: declined"
    expect 1 "the person left at the PIN, as recorded in line" replay left
    expect 3 "the card left, or did not answer, as recorded in line" replay torn
    said "Outcome as then: error"
    expect 5 "Authentication as then: method=CDA ok=no" replay wrong
    for file in good open online left torn wrong; do
        replay "$file" --json 2>/dev/null | python3 -c 'import json,sys; r = json.load(sys.stdin)["replay"]; sys.exit(not (r["same"] and r["differences"] == 0))' ||
            fail "$file does not run again as it was: $(replay "$file" 2>&1)"
    done
    rm -f terminal/journal.db*
    expect 0 "APPROVED" replay good
    [ ! -e terminal/journal.db ] || fail "a replay wrote a journal"
    grep -q '^protocol: T=0$' left || fail "the protocol is not recorded"
    grep -q '^online: not reached$' online || fail "the acquirer's answer is not recorded: $(grep ^online online)"
    [ "$(grep -c '^pin: entered$' good)" = 2 ] || fail "the PIN events are not recorded"
    grep -q '^# Masked' good && grep -q '^# NOT MASKED' open || fail "a trace does not say what it is"
    no_secrets good online left torn wrong
    ! grep -qE '241234FF|249999FF' open || fail "a PIN is in the open trace"
    grep -q 9990140000000015 open || fail "the open trace is masked"
}

differences() {
    # the card number's last digits in the open trace: the hash of the certificate is then another one
    sed 's/9990140000000015/9990140000000023/g' open >changed
    expect 3 "the card cannot be played further" replay changed # GENERATE AC asks for an ARQC now
    said "Authentication DIFFERS"
    said "then: method=CDA ok=yes"
    # a terminal that knows another version: TVR, and with it the data of GENERATE AC, are others
    sed 's/version=0001/version=0002/' good >changed
    # which the signature of then (CDA) does not cover
    expect 5 "80AE500059" replay changed
    said "the command was"
    said "answered as then"
    said "Result DIFFERS"
    said "1 command is not as then"
    # a terminal without the application
    sed 's/^application: F0000000141010/application: A0000000041010/' good >changed
    expect 1 "is not sent now" replay changed
    said "Outcome DIFFERS"
    # a log of commands from which one was lost
    lost=$(sed -n 's/^> \(00B2......\).*/\1/p' good | head -n 1)
    sed "/^> $lost/,+1d" good >changed
    expect 3 "$lost of now was not sent then" replay changed
    # a person was told how many tries are left, before the PIN
    sed '0,/^> 0020/{s/^> 0020/> 80CA9F1700\n< 9F1701039000\n&/}' good >changed
    expect 0 "All commands to the card are as then." replay changed
    # a PIN that is asked for once more than then
    sed '0,/^pin: entered/{/^pin: entered/d}' good >changed
    expect 3 "asked for a PIN now, and was not then" replay changed
}

by_hand() {
    expect 1 "the card lacks Application Primary Account Number (PAN)" replay by-hand
    said "All commands to the card are as then."
    said "Outcome as then: terminated"
}

wrong_words() {
    local n
    expect 2 "go together" telepay pay --replay good
    expect 2 "go together" telepay pay --dry-run --amount 1 --config terminal/telepay.conf
    expect 2 "no --amount" replay good --amount 1
    expect 2 "goes with --trace" telepay pay --amount 1 --config terminal/telepay.conf --trace-unmasked
    expect 2 "for cards of the test scheme" telepay pay --amount 1 --config terminal/telepay.conf --trace x --trace-unmasked --allow-live-card
    expect 2 "no-such-file" replay no-such-file
    expect 2 "line 4: neither a command" replay "$TESTS_SRCDIR/system/replay.sh"
    head -c 2000 "$TESTS_BUILDDIR/telepay" >garbage
    expect 2 "garbage, line 1: this is no text" replay garbage
    expect 2 "line 1: this is no text" telepay-simcard --replay garbage
    : >garbage
    expect 2 "there is no transcript in it" replay garbage
    for n in 10 40 60; do
        head -n $n good >short
        expect 2 "line $n: " replay short
    done
    n=$(grep -n '^> ' good | sed -n '4s/:.*//p')
    head -n "$n" good >short
    expect 2 "short, line $n: the file ends after a command whose answer is missing" telepay-simcard --replay short
    sed "${n}s/.\$/Z/" good >short
    expect 2 "short, line $n: bytes are written in hexadecimal digits" replay short
    expect 2 "no DIR and no --fault" telepay-simcard --replay good marie
    expect 2 "no-such-file" telepay-simcard --replay no-such-file
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
telepay-perso card marie --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >/dev/null 2>&1 || fail "telepay-perso card"
telepay-perso card t0 --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 --cvm pin --t0 >/dev/null 2>&1 ||
    fail "telepay-perso card"
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
# A faulty card by hand: its only record has no card number, which ends the payment (EMV 4.4 Book 3, 10.2: mandatory data missing).
cat >by-hand <<'HAND'
# a card that a user met: its PSE is empty, its record has no number
format: 1
atr: 3B800181
protocol: T=1
9F02: 000000001250
5F2A: 0978
5F36: 02
9C: 00
9A: 261124
9F21: 120000
9F41: 00000001
9F37: 01020304
9F35: 35
9F33: 2098C8
9F40: 6000F0A001
9F1A: 0250
9F15: 5942
application: F0000000141010 partial=yes version=0001 tac_denial=0000000000 tac_online=FC78F8F800 tac_default=FC78F8F800 floor=5000 threshold=0 target=0 target_max=0 ddol=
> 00A404000E315041592E5359532E444446303100
< 6A82
> 00A4040007F000000014101000
< 6F108407F0000000141010A50550034142439000
> 00A4040007F000000014101000
< 6F108407F0000000141010A50550034142439000
> 80A8000002830000
< 80061800080101009000
> 00B2010C00
< 70065F24033012319000
reason: the card's record has no number
outcome: terminated
HAND
"$here/with-pcscd" "$here/replay.sh" inside "$dir" || exit 1
run_again
differences
by_hand
wrong_words
echo "replay.sh: all as it should be"
