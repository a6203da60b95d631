#!/bin/bash
# `telepay readers` as a user meets it: no service, readers without and with a card, a card that comes and goes, a service that is killed.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

# Inside with-pcscd.
inside() {
    local card
    expect 0 "Virtual PCD 00 00" telepay readers
    expect 0 "Virtual PCD 00 01" telepay readers
    expect 0 '"reader": "Virtual PCD 00 00"' telepay readers --json
    python3 -m json.tool <"$dir/out" >/dev/null || fail "not JSON: $(cat "$dir/out")"
    expect 3 "insert it or name another" telepay card --wait 0
    expect 3 "no reader has a name with" telepay card --wait 0 --reader ACME

    telepay-simcard "$dir/card" >"$dir/simcard.log" 2>&1 &
    card=$!
    until_listed "Virtual PCD 00 00.*3B"
    expect 0 "999014" telepay card
    ! grep -q 9990140000000015 "$dir/out" || fail "the card number is shown whole: $(cat "$dir/out")"
    expect 3 "insert it or name another" telepay card --wait 0 --reader "00 01"
    kill "$card"
    wait "$card" 2>/dev/null
    until_listed "Virtual PCD 00 00 *PC/SC *none"

    # waits, and survives a card that comes while it does; other programs agree that the card is there
    telepay card --wait 20 >"$dir/waited" 2>&1 &
    local waiting=$!
    pause 0.7
    telepay-simcard "$dir/card" >"$dir/simcard.log" 2>&1 &
    card=$!
    wait "$waiting" || fail "telepay card --wait: $(cat "$dir/waited")"
    grep -q 999014 "$dir/waited" || fail "telepay card --wait: $(cat "$dir/waited")"
    if command -v opensc-tool >/dev/null; then
        opensc-tool -l | grep -q '^0 *Yes' || fail "opensc-tool sees no card: $(opensc-tool -l)"
    fi

    kill -KILL "$WITH_PCSCD_PID"
    pause 0.3
    expect 3 "pcscd" telepay readers
    expect 3 "pcscd" telepay card --wait 0
    kill "$card" 2>/dev/null
    wait "$card" 2>/dev/null
    return 0
}

if [ "${1:-}" = inside ]; then
    dir=$2
    inside
    exit
fi

own_folder
{
    telepay-perso init "$dir/scheme"
    telepay-perso card "$dir/card" --scheme "$dir/scheme" --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234
} >"$dir/perso.log" 2>&1
[ -d "$dir/card" ] || fail "no card to test with: $(cat "$dir/perso.log")"

# No service: in a /run of its own, as one may run on this machine.
options=
for try in -m "-r -m"; do
    # shellcheck disable=SC2086 # words
    unshare $try mount -t tmpfs none /run 2>/dev/null && options=$try && break
done
if [ -n "$options" ]; then
    # shellcheck disable=SC2086 # words
    expect 3 "sudo systemctl start pcscd.socket" unshare $options sh -c 'mount -t tmpfs none /run && exec telepay readers'
elif [ ! -S /run/pcscd/pcscd.comm ]; then
    expect 3 "sudo systemctl start pcscd.socket" telepay readers
fi

"$here/with-pcscd" "$here/readers.sh" inside "$dir" || exit 1
echo "readers: as a user meets them"
