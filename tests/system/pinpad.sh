#!/bin/bash
# `telepay pay` with a reader that has a keypad: the handler of tests/ifd in a real pcscd, whose person is played through its folder. The PIN goes from there
# to the card; pinpad-memory.py looks for it in telepay's memory while the card's answer is held back.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

seen() { grep -qxF -- "$1" "$pad/log" || fail "the reader did not see \"$1\": $(cat "$pad/log")"; }

insert() { # folder
    [ -z "$card" ] || { kill "$card" && wait "$card"; } 2>/dev/null
    launch "$dir/simcard.log" "in the reader" telepay-simcard "$1" --vpcd 127.0.0.1:35965
    card=$launched
}

reader_is() { # words of tests/ifd's mode
    : >"$pad/log"
    rm -f "$pad/go"
    echo "$*" >"$pad/mode"
}
types() { printf '%s\n' "$@" >"$pad/keys"; }
# shellcheck disable=SC2120 # expect calls it with options
pay() { setsid telepay pay --config terminal/telepay.conf --amount 12.50 --wait 5 "$@" </dev/null; }

structure() { # most and fewest digits, number of messages: PC/SC part 10, 2.5.2, with the VERIFY of EMV 4.4 Book 3, 6.5.12
    echo "verify 3C3C894704${1}02${2}0904000000000D000000002000800820FFFFFFFFFFFFFF"
}

entries() {
    reader_is
    types 1234
    expect 0 "APPROVED" pay --trace "$dir/trace"
    said "12.50 EUR to Librairie du Port: enter the PIN on the reader (3 tries left)"
    seen "$(structure 0C04 01)"
    seen "display Enter PIN"
    ! grep -rqE '(^|[^0-9A-F])(24)?1234(FF|[^0-9A-F]|$)' "$pad/log" "$dir/trace" || fail "a PIN is written down"
    # such a terminal has no enciphered PIN: 9F33 says so, and the payment runs again from its transcript
    grep -q '^# *9F33: 2088C8' "$dir/trace" || grep -q '9F33.*2088C8' "$dir/trace" || fail "9F33: $(grep 9F33 "$dir/trace")"
    expect 0 "" telepay pay --replay "$dir/trace" --dry-run
    types 9999 1234
    expect 0 "APPROVED" pay
    said "wrong PIN; enter the PIN on the reader (2 tries left)"
    types 12 1234567890123 1234
    expect 0 "APPROVED" pay
    [ "$(grep -c "that was no PIN: it has 4 to 12 digits" "$dir/out")" = 2 ] || fail "too short, too long: $(cat "$dir/out")"
    types 12 12 12 12 1234 # asked for four times
    expect 1 "DECLINED" pay
    types cancel
    expect 1 "cancelled on the reader: nothing was paid" pay
    types timeout
    expect 1 "no PIN was entered on the reader in time: nothing was paid" pay
    types 9999 cancel
    expect 1 "cancelled on the reader: nothing was paid" pay
    types 1234
    expect 0 "APPROVED" pay
    said "(2 tries left)"
}

kinds() {
    local kind
    for kind in steps blind "steps plain" properties; do
        # shellcheck disable=SC2086 # words
        reader_is $kind
        types 9999 1234
        expect 0 "APPROVED" pay
        said "wrong PIN; enter the PIN on the reader (2 tries left)"
        types cancel
        expect 1 "cancelled on the reader" pay
        types timeout
        expect 1 "in time" pay
    done
    reader_is plain
    types 1234
    expect 0 "APPROVED" pay
    seen "$(structure 0C04 00)"
    reader_is max8
    types 1234
    expect 0 "APPROVED" pay
    seen "$(structure 0804 01)"
    reader_is refuse
    types 1234
    expect 3 "--no-pinpad asks for it here" pay
    reader_is broken
    expect 3 "reader \"telepay Pinpad" pay
    reader_is none
    expect 2 "give it with --pin-fd" pay
}

here_then() { # asked on the computer: the keypad is left alone
    reader_is
    types 1234
    expect 2 "give it with --pin-fd" pay --no-pinpad
    printf '1234\n' | setsid telepay pay --config terminal/telepay.conf --amount 1 --wait 5 --pin-fd 0 >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
    ! grep -q verify "$pad/log" || fail "the keypad was used: $(cat "$pad/log")"
}

blocked() {
    reader_is
    types 9999 9998 9997 1234
    expect 1 "DECLINED" pay
    said "wrong PIN; enter the PIN on the reader (last try)"
    said "the PIN was wrong too often"
    : >"$pad/log"
    types 1234
    expect 1 "DECLINED" pay
    ! grep -q verify "$pad/log" || fail "a blocked PIN is asked for"
}

enciphered() { # a card that takes its PIN enciphered only
    insert enciphered
    reader_is
    types 1234
    expect 1 "--no-pinpad asks for it here" pay
    printf '1234\n' | setsid telepay pay --config terminal/telepay.conf --amount 1 --wait 5 --pin-fd 0 >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
    ! grep -q verify "$pad/log" || fail "the keypad was used: $(cat "$pad/log")"
}

torn_out() { # while the keypad has the person's PIN
    insert long
    reader_is hold
    types 93715824
    # shellcheck disable=SC2119
    pay >"$dir/out" 2>&1 &
    local paying=$!
    await_held
    kill -KILL "$card" 2>/dev/null
    wait "$card" 2>/dev/null
    card=
    : >"$pad/go"
    wait "$paying"
    [ $? = 3 ] || fail "torn out: $(cat "$dir/out")"
}

await_held() {
    for _ in $(seq 600); do
        grep -qx held "$pad/log" && return
        pause 0.05
    done
    fail "the reader has no PIN: $(cat "$pad/log" "$dir/out")"
}

memory() { # a PIN that is nowhere else: 93715824
    insert long
    reader_is hold
    types 93715824
    telepay pay --config terminal/telepay.conf --amount 12.50 --wait 5 >"$dir/out" 2>&1 </dev/null &
    local paying=$!
    await_held
    python3 "$here/pinpad-memory.py" "$paying" 93715824 12.50 || fail "see above"
    : >"$pad/go"
    wait "$paying" || fail "$(cat "$dir/out")"
}

inside() {
    pad=$WITH_PCSCD_DIR/pinpad
    cd "$dir" || exit 1
    launch "$dir/acquirer.log" listening fake_acquirer serve terminal 00
    insert pin
    entries
    kinds
    here_then
    blocked
    enciphered
    memory
    torn_out
}

if [ "${1:-}" = inside ]; then
    dir=$2
    inside
    exit
fi
own_folder
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
make_card() { # folder, PIN, rule
    telepay-perso card "$1" --scheme scheme --pan 9990140000000015 --name DUPONT/PAUL --expiry 2030-12 --pin "$2" --cvm "$3" >/dev/null 2>&1 ||
        fail "telepay-perso card $1"
}
make_card pin 1234 pin
make_card long 93715824 pin
make_card enciphered 1234 enciphered-pin
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
WITH_PCSCD_PINPAD=$TESTS_BUILDDIR/tests/ifd/pinpad_ifd.so "$here/with-pcscd" "$here/pinpad.sh" inside "$dir" || exit 1
echo "pinpad.sh: all as it should be"
