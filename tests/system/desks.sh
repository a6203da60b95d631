#!/bin/bash
# One card, one account, three desks: a reader with keypad behind pcscd, a reader without keypad behind pcscd, and a USB CCID reader (of paper, with keypad and
# without) where no pcscd is. At each the card pays offline, and over the floor with its real issuer's word; the account's reserve says that each counted once.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

insert() { # options of telepay-simcard
    launch card.log "in the reader" telepay-simcard marie "$@"
    card=$launched
}
remove() {
    kill "$card"
    wait "$card" 2>/dev/null
    pause 1 # pcscd looks every 400 ms
}

pay=(telepay pay --currency EUR --wait 5)
both() { # offline, then online: command… that runs the rest as its own
    desks=$((desks + 1)) # each with a terminal of its own, which remembers no other payment of the day with this card (Book 3, 10.6.1)
    pay+=(--config "terminal$desks/telepay.conf")
    expect 0 APPROVED "$@" "${pay[@]}" --amount 12.50 "${pin[@]}"
    ! grep -q '^Approval' out || fail "$*: 12.50 asked the issuer: $(cat out)"
    expect 0 APPROVED "$@" "${pay[@]}" --amount 60.00 "${pin[@]}"
    grep -q '^Approval  *[0-9A-Z]' out || fail "$*: 60.00 without its issuer: $(cat out)"
}
typed() { printf '1234\n' >typed; "$@" 3<typed; }
keyed() { printf '1234\n' >"$WITH_PCSCD_DIR/pinpad/keys"; setsid "$@" </dev/null; }
# /run without pcscd's socket; the network stays.
alone() { unshare -m sh -c 'mount -t tmpfs none /run && exec "$@"' sh "$@"; }
desk() { typed alone umockdev-wrapper ccid_desk --level=short marie "$@"; }
desk_keyed() { alone umockdev-wrapper ccid_desk --level=tpdu --keypad=1234 marie "$@" </dev/null; }

inside() {
    local desks=0 pin
    cd "$dir" || exit 1
    trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
    launch issuer.log listening telepay-issuer serve
    launch acquirer.log "is reached" telepay-acquirer serve

    insert --vpcd 127.0.0.1:35965
    pin=()
    both keyed
    grep -q "enter the PIN on the reader" out || fail "the keypad is not used: $(cat out)"
    remove
    insert
    pin=(--pin-fd 3)
    both typed
    remove
    both desk
    pin=()
    both desk_keyed
    expect 0 "" telepay-issuer account list
    grep -q " $((desks * 60))[.]00 " out || fail "reserved is not $desks times 60.00: $(cat out)"
    expect 0 "" telepay-acquirer audit
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
if ! { command -v umockdev-wrapper && command -v ccid_desk; } >/dev/null; then
    echo "no USB desk here (Debian: umockdev and libumockdev-dev)"
    exit 77
fi
# a sanitizer wants to be the first library; at the USB desk umockdev's is, and what libcrypto keeps to the end looks lost to it then
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0:detect_leaks=0
own_folder
{
    telepay-perso init scheme && telepay-perso card marie --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 &&
        telepay-issuer init iss --scheme scheme && echo 9990140000000015 | telepay-issuer account add --balance 1000.00 --currency EUR --expiry 2030-12 &&
        telepay-issuer acquirer add --id 00000000001 --out iss/acquirer && telepay-acquirer init acq --authority scheme/authority.json &&
        telepay-acquirer issuer add --from iss/acquirer &&
        telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR &&
        for n in 1 2 3 4; do telepay-acquirer terminal add --contract 000000000000123 --id 0000000$n --out terminal$n || exit 1; done
} >set-up.log 2>&1 || fail "set-up: $(cat set-up.log)"
WITH_PCSCD_PINPAD=$TESTS_BUILDDIR/tests/ifd/pinpad_ifd.so "$here/with-pcscd" "$here/desks.sh" inside "$dir" || exit 1
echo "desks.sh: offline and online at every desk"
