#!/bin/bash
# The USB reader of paper (tests/tools/ccid_desk.c) behind a real pcscd and its libccid, which know nothing of our driver: they hold the double to the CCID specification, a
# payment runs through them at every exchange level with keypad and without, and `telepay readers` lists the reader, which our own driver finds too, once.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
match=-G
self=$(realpath "$0") # run again from other folders
bundle=/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist

lines() { [ "$(grep -c '^ *[0-9]' "$dir/out")" = "$1" ] || fail "not $1 readers: $(cat "$dir/out")"; }

# The rest runs beside a pcscd of this desk's bus: desk OPTION… -- FUNCTION
desk() {
    local words=()
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    umockdev-wrapper ccid_desk "${words[@]}" card "$self" beside "$dir" "$2" || exit 1
}

pay=(telepay pay --amount 12.50 --currency EUR --config terminal/telepay.conf --wait 5)
by_hand() { printf '1234\n' >pin; "$@" --pin-fd 3 3<pin; }

once() {
    expect 0 "^ 1 ACME PinReader 9 00 00 PC/SC  present 3B" telepay readers
    lines 1
    said "keypad, T=0 T=1, short APDU, 4.0 MHz, 344 kbit/s" # libccid tells bus and address, the kernel the class descriptor
    expect 0 '"driver": "PC/SC"' telepay readers --json
    ! grep -q '"CCID"' out || fail "twice: $(cat out)"
    expect 0 "^card  *good  *in ACME PinReader 9 00 00" telepay readers --doctor
    # A payment has the card: pcscd does not tell the place then, and the name must do.
    at_prompt "${pay[@]}"
    expect 0 "^ 1 ACME PinReader 9 00 00 PC/SC  in use .* keypad, T=0 T=1, short APDU" telepay readers
    lines 1
    said 'reader 1, "ACME PinReader 9 00 00": held by another program'
    expect 3 "held by another program" telepay card --reader 1 --wait 0
    echo 1234 1<>held # a payment that has ended reads no more: nobody waits for it
    wait "$paying" || fail "$(cat paying)"
}

two() { # a reader that pcscd does not know is free, and never hidden; nor is one of those that are left out counted
    expect 0 "^ 1 ACME PinReader 9 00 00 * PC/SC  present" telepay readers
    said "^ 2 Other Reader (USB 1-2) * CCID   none"
    lines 2
    expect 3 "reader \"Other Reader (USB 1-2)\": no card" telepay card --reader 2 --wait 0
    expect 0 "^Reader ACME PinReader 9 00 00" telepay card --reader 1
    expect 3 "no reader has the number 3" telepay card --reader 3 --wait 0
}

replug() { # pcscd sees the reader come and go, as udev tells it: at the prompt, and while one waits for it
    at_prompt "${pay[@]}"
    kill -USR1 $PPID
    until_unlisted "PC/SC"
    echo 1234 1<>held # a payment that has ended reads no more: nobody waits for it
    wait "$paying"
    [ $? = 3 ] || fail "unplugged at the prompt: $(cat paying)"
    grep -qE "unplugged|not plugged in" paying || fail "unplugged at the prompt: $(cat paying)"
    expect 3 "no card reader" telepay readers
    printf '1234\n' >pin
    telepay pay --amount 12.50 --currency EUR --config terminal/telepay.conf --wait 20 --pin-fd 3 3<pin >paying 2>&1 </dev/null &
    paying=$!
    pause 1
    kill -USR2 $PPID
    wait "$paying" || fail "plugged in while one waits: $(cat paying)"
    expect 0 "^ 1 ACME PinReader 9 00 00 PC/SC  present" telepay readers
}

stopped() { # what pcscd gives back, our driver takes
    kill "$pcscd"
    wait "$pcscd" 2>/dev/null
    until_listed "^ 1 ACME PinReader 9 (USB 1-1) CCID   present"
    expect 0 "^Reader ACME PinReader 9 (USB 1-1)" telepay card
}

keyed() {
    expect 0 APPROVED "${pay[@]}"
    said "enter the PIN on the reader"
    expect 0 APPROVED by_hand "${pay[@]}" --no-pinpad
}

plain() { expect 0 APPROVED by_hand "${pay[@]}"; }

beside() { # function
    local options=
    pcscd --help 2>&1 | grep -q -e --disable-polkit && options=--disable-polkit # nobody is here to be asked
    pcscd -f $options -c "$dir/none" >pcscd.log 2>&1 &
    pcscd=$!
    until_listed " PC/SC  present"
    "$1"
    kill "$pcscd" 2>/dev/null
    wait
    rm -rf /run/pcscd
}

inside() {
    local level
    launch acquirer.log listening fake_acquirer serve terminal 00
    desk --level=short --keypad=1234 -- once
    desk --level=short --beside -- two
    desk --level=short -- replug
    desk --level=short -- stopped
    for level in "--level=tpdu" "--level=tpdu --t0" --level=short --level=extended; do
        # shellcheck disable=SC2086 # words
        desk $level -- plain
    done
    for level in --level=short --level=extended; do
        desk "$level" --keypad=1234 --display -- keyed
    done
}

if [ $# -gt 1 ]; then
    dir=$2
    cd "$dir" || exit 1
    "$1" "${@:3}"
    exit
fi
command -v umockdev-wrapper >/dev/null || { echo "no umockdev-wrapper (Debian: umockdev)"; exit 77; }
[ -f "$bundle" ] || { echo "no libccid (Debian: libccid)"; exit 77; }
# a sanitizer wants to be the first library; here umockdev's is, and what libcrypto keeps to the end looks lost to it then
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0:detect_leaks=0
own_folder
mkdir none
{
    telepay-perso init scheme && telepay-perso card card --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 --cvm pin
} >perso.log 2>&1 || fail "no card: $(cat perso.log)"
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
# pcscd drives only readers that its list names: in a list of this test's own, the first is the reader of paper.
awk '/<key>ifdVendorID/ { v = "0x1209" } /<key>ifdProductID/ { v = "0xCC1D" } /<key>ifdFriendlyName/ { v = "ACME PinReader 9" }
    v != "" && /<string>/ { sub(/<string>[^<]*/, "<string>" v); v = "" } { print }' "$bundle" >Info.plist
options=
for try in "-m -n" "-r -m -n"; do
    # shellcheck disable=SC2086,SC2016 # words; it is the inner shell's
    unshare $try sh -c 'mount -t tmpfs none /run && mount --bind "$1" "$2" && ip link set lo up' sh Info.plist "$bundle" 2>/dev/null && options=$try && break
done
[ -n "$options" ] || { echo "no namespaces here for a pcscd with a list of its own"; exit 77; }
# shellcheck disable=SC2086,SC2016 # words; it is the inner shell's
unshare $options sh -c 'mount -t tmpfs none /run && mount --bind Info.plist "$1" && ip link set lo up && shift && exec "$@"' sh "$bundle" "$self" inside "$dir" || exit 1
echo "ccid_pcscd.sh: all as it should be"
