#!/bin/bash
# The PIN as a person types it: on a terminal of its own (a pty), through a real pcscd. See pin-terminal.py for what must be seen there.
set -u
PATH=$TESTS_BUILDDIR:$TESTS_BUILDDIR/tests/system:$PATH

if [ "${1:-}" = inside ]; then
    cd "$2" || exit 1
    telepay-simcard pin >simcard.log 2>&1 &
    fake_acquirer serve terminal 00 >acquirer.log 2>&1 &
    for _ in $(seq 100); do
        grep -q 'is in the reader' simcard.log && grep -q listening acquirer.log && break
        sleep 0.05
    done
    exec python3 "$TESTS_SRCDIR/system/pin-terminal.py"
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
telepay-perso init scheme >/dev/null 2>&1 &&
    telepay-perso card pin --scheme scheme --pan 9990140000000015 --name DUPONT/PAUL --expiry 2030-12 --pin 1234 --cvm pin >/dev/null 2>&1 &&
    fake_acquirer make terminal && cp scheme/authority.json terminal/ || exit 1
"$TESTS_SRCDIR/system/with-pcscd" "$TESTS_SRCDIR/system/pin-terminal.sh" inside "$dir"
