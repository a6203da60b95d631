#!/bin/bash
# The PIN as a person types it: on a terminal of its own (a pty), through a real pcscd. See pin-terminal.py for what must be seen there.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

if [ "${1:-}" = inside ]; then
    dir=$2
    cd "$dir" || exit 1
    insert pin
    launch acquirer.log listening fake_acquirer serve terminal 00
    exec python3 "$here/pin-terminal.py"
fi
own_folder
telepay-perso init scheme >/dev/null 2>&1 &&
    telepay-perso card pin --scheme scheme --pan 9990140000000015 --name DUPONT/PAUL --expiry 2030-12 --pin 1234 --cvm pin >/dev/null 2>&1 &&
    fake_acquirer make terminal && cp scheme/authority.json terminal/ || exit 1
"$here/with-pcscd" "$here/pin-terminal.sh" inside "$dir"
