#!/bin/bash
# A payment where no pcscd runs: telepay itself drives a USB CCID reader (of paper: tests/tools/ccid_desk.c), at every exchange level, on T=0 and T=1, with the
# reader's keypad and without, and when the card or the reader leaves in the middle.
set -u
PATH=$TESTS_BUILDDIR:$TESTS_BUILDDIR/tests/system:$TESTS_BUILDDIR/tests/tools:$PATH

fail() {
    echo "FAIL: $*"
    exit 1
}

expect() { # exit code, text in what it says, command…
    local code=$1 text=$2 got
    shift 2
    "$@" >"$dir/out" 2>&1 </dev/null
    got=$?
    [ "$got" = "$code" ] || fail "$*: exit $got, not $code: $(cat "$dir/out")"
    grep -qF -- "$text" "$dir/out" || fail "$*: no \"$text\" in: $(cat "$dir/out")"
}

desk() { umockdev-wrapper ccid_desk "$@"; }
by_hand() { printf '1234\n' >"$dir/pin"; bash -c 'exec 3<"$0" "$@"' "$dir/pin" "$@"; }
pay=(telepay pay --amount 12.50 --currency EUR --config terminal/telepay.conf --wait 2)
paid() { telepay journal list --config terminal/telepay.conf --json | grep -c '"acknowledged"'; }

readers() {
    expect 0 "ACME PinReader 9 (USB 1-1)" desk card telepay readers
    expect 0 '"ACME PinReader 9 (USB 1-1)"' desk --keypad=1234 --display card telepay readers --json
    expect 0 "999014" desk card telepay card
    expect 3 "insert it" desk --out card telepay card --wait 0
    expect 3 "no reader has a name with" desk card telepay card --wait 0 --reader Nobody
    expect 3 "character level" desk --level=character card telepay card --wait 0
    expect 0 "card       good" desk card telepay readers --doctor
    expect 3 "character level" desk --level=character card telepay readers --doctor # not "install pcscd"
    grep -q "^Advice: .*pcscd" "$dir/out" && fail "advice for another trouble: $(cat "$dir/out")"
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
    expect 1 "" desk --keypad=cancel card "${pay[@]}"
}

in_the_middle() {
    local before n
    before=$(paid)
    for n in 1 4 7; do
        expect 3 "taken out" by_hand umockdev-wrapper ccid_desk --fault=card-out --at=$n card "${pay[@]}" --pin-fd 3
        expect 3 "unplugged" by_hand umockdev-wrapper ccid_desk --fault=unplugged --at=$n card "${pay[@]}" --pin-fd 3
        expect 3 "PinReader" by_hand umockdev-wrapper ccid_desk --fault=stall --at=$n card "${pay[@]}" --pin-fd 3
    done
    expect 0 APPROVED by_hand umockdev-wrapper ccid_desk --fault=time --at=5 card "${pay[@]}" --pin-fd 3
    [ "$(paid)" = $((before + 1)) ] || fail "something was paid by a card that left"
}

inside() {
    cd "$dir" || exit 1
    fake_acquirer serve terminal 00 >acquirer.log 2>&1 &
    acquirer=$!
    trap 'kill $acquirer' EXIT
    for _ in $(seq 100); do
        grep -q listening acquirer.log && break
        sleep 0.05
    done
    readers
    payments
    in_the_middle
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
command -v umockdev-wrapper >/dev/null || { echo "no umockdev-wrapper (Debian: umockdev)"; exit 77; }
# a sanitizer wants to be the first library; here umockdev's is, and what libcrypto keeps to the end looks lost to it then
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0:detect_leaks=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
{
    telepay-perso init scheme && telepay-perso card card --scheme scheme --pan 9990140000000018 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 --cvm pin
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
    unshare $options sh -c 'mount -t tmpfs none /run && exec "$@"' sh "$0" inside "$dir" || exit 1
else
    [ ! -S /run/pcscd/pcscd.comm ] || { echo "a pcscd runs, and there are no namespaces here to be without it"; exit 77; }
    "$0" inside "$dir" || exit 1
fi
echo "ccid_pay.sh: all as it should be"
