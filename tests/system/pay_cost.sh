#!/bin/bash
# What a payment at a counter costs beside the time of card and acquirer, by counts: commands to the card, files opened, waits for the disk, libraries loaded.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

# LeakSanitizer, where it is built in, wants to be the only one that traces. One file for each category of a locale that a machine may have is not ours to count.
counted() { LC_ALL=C ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 count_calls "$@" 9>counts; }
pay() { printf 1234 | counted telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 "$@"; }
count_of() { sed -n "s/.*$1=\([0-9]*\).*/\1/p" counts; }
commands() { jq .cost.apdus out; }

inside() {
    local start n
    launch acquirer.log listening fake_acquirer serve terminal 00
    insert marie
    expect 0 '"outcome": "acknowledged"' pay --amount 12.50 --json # makes the journal
    expect 0 "telepay" counted telepay --version
    start=$(count_of opened)
    for n in 1 2 3; do
        expect 0 '"outcome": "acknowledged"' pay --amount 12.50 --json
        # SELECT of the PSE, its record, SELECT, GET PROCESSING OPTIONS, seven records, VERIFY, GENERATE AC: the PIN is there, so that nobody is told of the
        # tries left, and the card is not asked for them (Book 4, 6.3.4.1)
        [ "$(commands)" = 13 ] || fail "payment $n: $(commands) commands to the card"
        # before the 0200 leaves, after the 0210 came; and the folder, in which SQLite has opened a log
        [ "$(count_of synced)" -ge 2 ] && [ "$(count_of synced)" -le 3 ] || fail "payment $n waits $(count_of synced) times for the disk"
        [ $(($(count_of opened) - start)) -le 22 ] || fail "payment $n opens $(($(count_of opened) - start)) files more than --version"
    done
    [ -s terminal/journal.db-wal ] || fail "no log is left beside the journal"
    # a question to the issuer is durable before it leaves, and what came of it (91: it cannot be reached) before people are told
    expect 1 '"outcome": "declined"' pay --amount 60.00 --json
    [ "$(count_of synced)" -ge 2 ] && [ "$(count_of synced)" -le 3 ] || fail "a payment with a question waits $(count_of synced) times for the disk"
    remove
}

libraries() {
    ldd "$(command -v telepay)" >out || fail "ldd"
    said libcrypto
    match=-E unsaid '(curl|gnutls|microhttpd|jose|pq|xml2|ldap|krb5)[-.0-9a-z_]*\.so'
}

if [ "${1:-}" = inside ]; then
    dir=$2
    cd "$dir" || exit 1
    inside
    exit 0
fi
own_folder
libraries
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
telepay-perso card marie --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >/dev/null 2>&1 || fail "telepay-perso card"
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
"$here/with-pcscd" "$here/pay_cost.sh" inside "$dir"
