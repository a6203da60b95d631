#!/bin/bash
# What a payment at a counter takes beside card and acquirer: telepay pay over pcscd, telepay --version, and a process that does no more than shake hands
# with the acquirer, by turns, each anew. Prints what bench.h prints. ROUNDS (15). Only beside tests/system/with-pcscd.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
PATH=$TESTS_BUILDDIR/tests/bench:$PATH

set_up() {
    expect 0 "" telepay-perso init scheme
    expect 0 "" telepay-perso card marie --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234
    fake_acquirer make terminal || fail "fake_acquirer make"
    cp scheme/authority.json terminal/
    launch acquirer.log listening fake_acquirer serve terminal 00
    port=$(sed -n 's/^port *= *//p' terminal/telepay.conf)
    insert marie
}

us() { # what it says, command…: microseconds that it took; it must succeed
    local what=$1 start=$EPOCHREALTIME
    shift
    expect 0 "$what" "$@"
    echo $((${EPOCHREALTIME/./} - ${start/./}))
}

paid() { printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --amount 12.50 --json; }
shaken() { bare_tls terminal/ca.pem terminal/terminal.pem terminal/terminal.key 127.0.0.1 "$port"; }
elsewhere() { python3 -c 'import json; c = json.load(open("out"))["cost"]; print(1000 * (c["card_ms"] + c["acquirer_ms"]))'; } # of the payment just made

median() { sort -g | sed -n "$((($1 + 1) / 2))p"; }

row() { # name, column, ratio to which column, its name, limit or null
    printf '{"name":"%s","value":%s,"unit":"max ms","limit":%s,"ratio":%s,"base_name":"%s (%s ms); %s rounds"}\n' "$1" \
        "$(awk -v c="$2" '{ printf "%.3f\n", $c / 1000 }' took | median "$rounds")" "$5" "$(awk -v c="$2" -v b="$3" '{ printf "%.3f\n", $c / $b }' took | median "$rounds")" \
        "$4" "$(awk -v b="$3" '{ printf "%.3f\n", $b / 1000 }' took | median "$rounds")" "$rounds"
}

own_folder
set_up
rounds=${ROUNDS:-15}
paid >out || fail "the first payment: $(cat out)"
for _ in $(seq "$rounds"); do
    whole=$(us '"outcome": "acknowledged"' paid)
    echo "$whole $((whole - $(elsewhere))) $(us telepay telepay --version) $(us shaken shaken)"
done >took
grep -vE '^[0-9]+ [0-9]+ [0-9]+ [0-9]+$' took && exit 1 # where one failed, its words
row "telepay pay over pcscd, a process" 1 3 "telepay --version" null
row "what of it is neither card nor acquirer" 2 4 "a process that shakes hands with the acquirer, and no more" 2
