#!/bin/bash
# A payment where no pcscd runs: telepay itself drives a USB CCID reader (of paper: tests/tools/ccid_desk.c), at every exchange level, on T=0 and T=1, with the
# reader's keypad and without, and when the card or the reader leaves in the middle.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
self=$(realpath "$0") # run again from other folders

desk() { umockdev-wrapper ccid_desk "$@"; }
by_hand() { printf '1234\n' >"$dir/pin"; bash -c 'exec 3<"$0" "$@"' "$dir/pin" "$@"; }
pay=(telepay pay --amount 12.50 --currency EUR --config terminal/telepay.conf --wait 2)
paid() { telepay journal list --config terminal/telepay.conf --json | grep -c '"acknowledged"'; }

readers() {
    expect 0 "ACME PinReader 9 (USB 1-1)" desk card telepay readers
    expect 0 '"ACME PinReader 9 (USB 1-1)"' desk --keypad=1234 --display card telepay readers --json
    expect 0 "999014" desk card telepay card
    expect 0 "not checked: key 01 of F000000014 is not known here" desk card telepay card # without --config nobody named its authority
    expect 3 "insert it" desk --out card telepay card --wait 0
    expect 3 "no reader has a name with" desk card telepay card --wait 0 --reader Nobody
    expect 3 "character level" desk --level=character card telepay card --wait 0
    expect 0 "card       good" desk card telepay readers --doctor
    expect 3 "character level" desk --level=character card telepay readers --doctor # not "install pcscd"
    grep -q "^Advice: .*pcscd" "$dir/out" && fail "advice for another trouble: $(cat "$dir/out")"
}

by_number() { # and by the whole name: "slot 1" is not "slot 10"
    expect 3 'reader "ACME PinReader 9 (USB 1-1)": no card' desk --slots=12 card telepay card --reader 2 --wait 0
    expect 3 'reader "ACME PinReader 9 (USB 1-1)": no card' desk --slots=12 card telepay card --reader "ACME PinReader 9 (USB 1-1) slot 1" --wait 0
    expect 0 "Reader ACME PinReader 9 (USB 1-1) slot 11," desk --slots=12 card telepay card --reader 12
    expect 0 "Reader ACME PinReader 9 (USB 1-1) slot 11," desk --slots=12 card telepay card --reader "slot 1" # a part of the name: the one with a card
    expect 0 "ACME PinReader 9 (USB 1-1) slot 11 CCID   present" desk --slots=12 card telepay readers
}

payments() {
    local how before
    for how in --level=tpdu "--level=tpdu --t0" --level=short --level=extended; do
        before=$(paid)
        # shellcheck disable=SC2086 # words
        expect 0 APPROVED by_hand umockdev-wrapper ccid_desk $how card "${pay[@]}" --pin-fd 3
        # shellcheck disable=SC2086 # words
        expect 0 APPROVED desk $how --keypad=1234 card "${pay[@]}" # no PIN is given to the computer
        [ "$(paid)" = $((before + 2)) ] || fail "$how: $(telepay journal list --config terminal/telepay.conf)"
    done
    expect 0 APPROVED by_hand umockdev-wrapper ccid_desk --keypad=nothing card "${pay[@]}" --no-pinpad --pin-fd 3
}

at_the_keypad() { # every end of an entry has its own words and exit code, at every level
    local how
    for how in --level=tpdu "--level=tpdu --t0" --level=short --level=extended; do
        # shellcheck disable=SC2086 # words
        expect 1 "cancelled on the reader: nothing was paid" desk $how --keypad=cancel card "${pay[@]}"
        # shellcheck disable=SC2086 # words
        expect 1 "no PIN was entered on the reader in time: nothing was paid" desk $how --keypad=nothing card "${pay[@]}"
        # shellcheck disable=SC2086 # words
        expect 3 "the reader's keypad does not take the PIN of this card: --no-pinpad asks for it here" desk $how --keypad=refuse card "${pay[@]}"
        # shellcheck disable=SC2086 # words
        expect 0 APPROVED desk $how --keypad=12,mismatch,1234567890123,9999,1234 card "${pay[@]}"
        said "enter the PIN on the reader (3 tries left)"
        [ "$(grep -c "that was no PIN: it has 4 to 12 digits" "$dir/out")" = 2 ] || fail "$how: too short, too long: $(cat "$dir/out")"
        said "the PIN was not the same both times"
        said "wrong PIN; enter the PIN on the reader (2 tries left)"
        # shellcheck disable=SC2086 # words
        expect 1 DECLINED desk $how --keypad=12,12,12,12 card "${pay[@]}"
        # shellcheck disable=SC2086 # words
        expect 1 "cancelled on the reader: nothing was paid" desk $how --keypad=9999,cancel card "${pay[@]}"
        said "wrong PIN; enter the PIN on the reader (2 tries left)"
        # shellcheck disable=SC2086 # words
        expect 0 APPROVED desk $how --keypad=1234 card "${pay[@]}"
        said "(2 tries left)"
    done
}

blocked() { # last, as the card is of no more use
    expect 1 DECLINED desk --keypad=9999,9998,9997,1234 card "${pay[@]}"
    said "wrong PIN; enter the PIN on the reader (last try)"
    said "the PIN was wrong too often"
}

in_the_middle() {
    local before n
    before=$(paid)
    for ((n = 1; n <= 13; n++)); do # each of the thirteen commands of a payment whose PIN comes by --pin-fd
        expect 3 "taken out" by_hand umockdev-wrapper ccid_desk --fault=card-out --at=$n card "${pay[@]}" --pin-fd 3
    done
    for n in 1 4 7 13; do
        expect 3 "unplugged" by_hand umockdev-wrapper ccid_desk --fault=unplugged --at=$n card "${pay[@]}" --pin-fd 3
        expect 3 "the reader refused a message" by_hand umockdev-wrapper ccid_desk --fault=stall --at=$n card "${pay[@]}" --pin-fd 3
        expect 3 "cut short" by_hand umockdev-wrapper ccid_desk --fault=short --at=$n card "${pay[@]}" --pin-fd 3
    done
    expect 0 APPROVED by_hand umockdev-wrapper ccid_desk --fault=card-out --at=14 card "${pay[@]}" --pin-fd 3 # there is no fourteenth
    expect 0 APPROVED by_hand umockdev-wrapper ccid_desk --fault=time --at=5 card "${pay[@]}" --pin-fd 3
    expect 0 APPROVED by_hand umockdev-wrapper ccid_desk --fault=sequence --at=5 card "${pay[@]}" --pin-fd 3
    [ "$(paid)" = $((before + 3)) ] || fail "something was paid by a card that left"
}

replug() { # inside ccid_desk, where the reader comes and goes: at the prompt, and while one waits for it
    at_prompt "${pay[@]}"
    kill -USR1 $PPID
    until_unlisted "USB 1-1"
    echo 1234 1<>held # a payment that has ended reads no more: nobody waits for it
    wait "$paying"
    [ $? = 3 ] || fail "unplugged at the prompt: $(cat paying)"
    grep -q unplugged paying || fail "unplugged at the prompt: $(cat paying)"
    printf '1234\n' >pin
    telepay pay --amount 12.50 --currency EUR --config terminal/telepay.conf --wait 20 --pin-fd 3 3<pin >paying 2>&1 </dev/null &
    paying=$!
    pause 1
    kill -USR2 $PPID
    wait "$paying" || fail "plugged in while one waits: $(cat paying)"
    at_prompt "${pay[@]}"
    echo 1234 1<>held # a payment that has ended reads no more: nobody waits for it
    wait "$paying" || fail "and again: $(cat paying)"
}

# A reader whose node the user may not open: permission, and the rule that gives it. As another user, since root may always.
forbidden() {
    local as=(umockdev-wrapper ccid_desk --forbidden card setpriv --reuid nobody --clear-groups env "PATH=$PATH")
    if ! setpriv --reuid nobody --clear-groups env PATH="$PATH" telepay --version >/dev/null 2>&1; then
        echo "not tried: a reader that may not be opened (no other user may run telepay here)"
        return
    fi
    cp -r terminal others
    chown -R nobody others
    chmod 755 "$dir"
    expect 0 'reader 1, "ACME PinReader 9 (USB 1-1)": this user may not open the reader: install the udev rule 70-telepay-readers.rules' "${as[@]}" telepay readers
    grep -qE '^ 1 ACME PinReader 9 \(USB 1-1\) CCID +none' "$dir/out" || fail "not listed: $(cat "$dir/out")"
    expect 3 "reader     broken      " "${as[@]}" telepay readers --doctor
    tail -n 1 "$dir/out" | grep -q "^Advice: install the udev rule 70-telepay-readers.rules" || fail "$(cat "$dir/out")"
    expect 3 "this user may not open the reader: install the udev rule 70-telepay-readers.rules" "${as[@]}" telepay card --wait 0
    expect 3 "this user may not open the reader: install the udev rule 70-telepay-readers.rules" \
        "${as[@]}" telepay pay --amount 12.50 --currency EUR --config others/telepay.conf --wait 0
    chmod 700 "$dir"
}

inside() {
    cd "$dir" || exit 1
    launch acquirer.log listening fake_acquirer serve terminal 00
    readers
    by_number
    forbidden
    payments
    at_the_keypad
    in_the_middle
    desk card "$self" replug "$dir" || exit 1
    blocked
}

if [ $# = 2 ]; then
    dir=$2
    cd "$dir" || exit 1
    "$1"
    exit 0
fi
command -v umockdev-wrapper >/dev/null || { echo "no umockdev-wrapper (Debian: umockdev)"; exit 77; }
# a sanitizer wants to be the first library; here umockdev's is, and what libcrypto keeps to the end looks lost to it then
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0:detect_leaks=0
own_folder
{
    telepay-perso init scheme && telepay-perso card card --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 --cvm pin
} >perso.log 2>&1 || fail "no card: $(cat perso.log)"
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
# Where no pcscd is: a /run of its own, as one may run on this machine.
options=
for try in -m "-r -m"; do
    # shellcheck disable=SC2086 # words
    unshare $try mount -t tmpfs none /run 2>/dev/null && options=$try && break
done
if [ -n "$options" ]; then
    # shellcheck disable=SC2086 # words
    unshare $options sh -c 'mount -t tmpfs none /run && exec "$@"' sh "$self" inside "$dir" || exit 1
else
    [ ! -S /run/pcscd/pcscd.comm ] || { echo "a pcscd runs, and there are no namespaces here to be without it"; exit 77; }
    "$self" inside "$dir" || exit 1
fi
echo "ccid_pay.sh: all as it should be"
