#!/bin/bash
# kill -9 of the payer device at seeded random instants while it pays page after page from a purse, as they come or in a session by vouchers, and of mediator, purse
# and service behind it. Its person asks again until the page is there: each page is paid once, and what was paid is delivered; by the books of purse, mediator and
# service, by the payer's journal, and by the history of the account, which is verified from what was signed. KILLS (16) and SEED in the environment give another
# course.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
# shellcheck source=tests/faults/kill_common.sh
. "$TESTS_SRCDIR/faults/kill_common.sh"
kills=${KILLS:-16}
purse_port=18745

set_up() {
    expect 0 "made the purse" telepay-purse init purse --iban FR7630006000011234567890189
    sed -i 's/^\(payment\|day\|balance\) = .*/\1 = 900000.00/' purse/purse.conf
    expect 0 "is open" telepay-purse contract add --id $contract --name "Librairie du Port" --currency EUR --iban $bank
    expect 0 "is in frompurse" telepay-purse mediator add --name port --contract $contract --out frompurse --url https://127.0.0.1:$purse_port
    expect 0 "" telepay-mediator init med --listen 127.0.0.1:18843 --origin $origin
    expect 0 "1 contract" telepay-mediator acquirer add frompurse
    expect 0 "" telepay-service init journal
    expect 0 "" telepay-service mediator add --dir journal --id port --out jp --url https://127.0.0.1:18743
    expect 0 "" telepay-mediator service add jp --name journal --contract $contract
    serve_purse
    serve_service
    serve_mediator
    expect 0 "" telepay authority add --home home purse/pki/ca.pem
    printf 'let me in\n' >typed
    expect 0 "is open" at_purse open --at "https://127.0.0.1:$purse_port"
    light_key home/device.jwk "let me in"
    account=$(telepay purse list --home home --json | jq -r '.purses[0].account')
    expect 0 "came into" telepay-purse account fill --account "$account" --amount 900000.00 --reference T1
}

at_session() { telepay session "$@" --home home --cacert med/pki/ca.pem --code-fd 0 <typed >>payer.log 2>&1; }
at_purse() { telepay purse "$@" --home home --cacert purse/pki/ca.pem --code-fd 0 <typed; }
buys() { # name of the file, page
    telepay get --cacert med/pki/ca.pem --home home --code-fd 0 --patience 20 --up-to "5.00 EUR" -o "$1" "$origin/s/journal/article-1?$2" <typed >>payer.log 2>&1
}

# Until the page is there; the payer device is killed on its way, or what is behind it.
insist() {
    local page=$1 payer tries
    for tries in {20..0}; do
        [ "$tries" = 0 ] && fail "page $page never comes: $(tail -5 payer.log mediator.log)"
        buys "page.$page" "$page" 2>>payer.log &
        payer=$!
        strike "$payer"
        wait "$payer" 2>/dev/null
        grep -qs 'first article' "page.$page" && return
    done
}

strike() { # the payer
    case $((RANDOM % 10)) in
    0) nap 400 && end "$mediator" && serve_mediator && others=$((others + 1)) ;;
    1) nap 400 && end "$purse" && serve_purse && others=$((others + 1)) ;;
    2) nap 400 && end "$service" && serve_service && others=$((others + 1)) ;;
    3) ;;
    *)
        nap 400
        kill -KILL "$(pgrep -P "$1" || echo "$1")" 2>/dev/null && payers=$((payers + 1))
        ;;
    esac
}

inside() {
    local pages=0 paid sold stands left
    cd "$dir" || exit 1
    set_up
    payers=0 others=0
    while [ $((payers + others)) -lt "$kills" ]; do
        pages=$((pages + 1))
        case $((RANDOM % 8)) in
        0 | 1) at_session start "$((RANDOM % 12 + 1)).00 EUR" || fail "session start: $(tail -3 payer.log)" ;;
        2) at_session end ;; # whose mediator may just be away
        esac
        insist $pages
    done
    telepay order send --home home --cacert med/pki/ca.pem >>payer.log 2>&1 || fail "order send: $(tail -3 payer.log)"
    settled
    at_session end || fail "session end: $(tail -3 payer.log)"
    for left in {150..0}; do # what was spent in sessions is presented, and the rest of them free
        stands=$(at_purse balance --json | jq -r '.balances[0] | .balance + " " + .reserved')
        [ "$stands" = "$(bc <<<"900000.00 - $pages * 1.50") 0.00" ] && break
        [ "$left" = 0 ] && fail "$pages pages, and the purse stands at $stands: $(tail -5 mediator.log purse.log)"
        pause 0.2
    done
    paid=$(telepay-purse list --json --account "$account" | jq -r '.payments[] | select(.code == "00") | .reference' | sort)
    same "paid twice, or unknown to the mediator" "$(references delivered | grep -v -- -)" "$paid" # but those by vouchers
    sold=$(telepay-service list --dir journal --json | jq -r '.sales[].order' | sort)
    [ "$(wc -l <<<"$sold")" = $pages ] || fail "$pages pages, and $(wc -l <<<"$sold") sold"
    same "delivered unpaid, or paid and not delivered" "$sold" "$(telepay-mediator order list --state delivered --json | jq -r '.orders[].order' | sort)"
    same "the payer's journal says otherwise" "$(telepay order --home home --json | jq -r '.orders[] | select(.state == "acknowledged") | .order' | sort)" "$sold"
    expect 0 "" at_purse history
    expect 0 "" telepay-purse audit
    echo "payer_kill.sh: kills of the payer device $payers, of mediator, purse and service $others; pages $pages, each paid once, $(references delivered | grep -c -- -) of them by vouchers"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$TESTS_SRCDIR/faults/payer_kill.sh" inside "$dir" || exit 1
