#!/bin/bash
# From a click to the delivery, the person aside: telepay get of a page, and telepay pay of the same amount at the counter, by turns, each a process of its own,
# the same card behind pcscd, the same acquirer. Prints what bench.h prints. ROUNDS (15). Only beside tests/system/with-pcscd.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"

set_up() {
    set_up_acquirer
    expect 0 "" telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out terminal/ --port 18583
    set_up_mediator
    serve_shop
    insert cards/marie
}

ms() { # what, command…: how long it took; it must succeed
    local what=$1 start=$EPOCHREALTIME
    shift
    expect 0 "$what" "$@"
    echo $(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
}

median() { sort -g | sed -n "$((($1 + 1) / 2))p"; }

counter() { printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --amount 1.50 --currency EUR; }

own_folder
set_up
rounds=${ROUNDS:-15}
expect 0 "APPROVED" counter
expect 0 "first article" get $origin/s/journal/article-1
for n in $(seq "$rounds"); do
    echo "$(ms "APPROVED" counter) $(ms "first article" get "$origin/s/journal/article-1?$n")"
done >took
grep -vE '^[0-9]+ [0-9]+$' took && exit 1 # where one failed, its words
printf '{"name":"telepay get of a page, from click to delivery","value":%s,"unit":"ms","limit":null,"ratio":%s,"base_name":"telepay pay of as much (%s ms); %s rounds"}\n' \
    "$(cut -d ' ' -f 2 took | median "$rounds")" "$(awk '{ printf "%.3f\n", $2 / $1 }' took | median "$rounds")" "$(cut -d ' ' -f 1 took | median "$rounds")" "$rounds"
