#!/bin/bash
# Pay by duration, with the programs as people type them and a second service in Python: what is heard is paid a unit at a time, ahead, by vouchers of one session; it ends
# where the payment or the service ends, and a unit that never began is given back, whoever was killed.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
purse_port=18745
radio=$origin/s/radio
other=$origin/s/other

purse() { printf 'let-me-in\n' | telepay purse "$@" --home home --cacert purse/pki/ca.pem --code-fd 0; }
hear() { printf 'let-me-in\n' | telepay get --cacert med/pki/ca.pem --home home --code-fd 0 --up-to "${up_to-1000 EUR}" "$@"; }
at_session() { printf 'let-me-in\n' | telepay session "$@" --cacert med/pki/ca.pem --home home --code-fd 0; }
orders() { telepay-mediator order list --json | jq -r "[.orders[] | select(.state != \"requested\") | select(.item | startswith(\"$1\")) | $2] | sort | join(\" \")"; }
units() { orders "$1" .state | wc -w; }
kept() { telepay order list --home home --json | jq -r "[.orders[:$1][] | .state + (if .delivered then \"+\" else \"\" end)] | join(\" \")"; }
until_all() { # item, its orders' states, each once
    local left
    for left in {400..0}; do
        [ "$(orders "$1" .state | tr ' ' '\n' | sort -u | paste -sd ' ')" = "$2" ] && return
        pause 0.05
    done
    fail "$1: $(orders "$1" .state), not $2: $(tail -5 mediator.log)"
}
end_session() {
    local left
    for left in {400..0}; do # what is paid and not delivered keeps it open
        at_session end >out 2>&1 && return
        pause 0.05
    done
    fail "the session does not end: $(cat out)"
}

set_up() {
    expect 0 "made the purse" telepay-purse init purse --iban FR7630006000011234567890189
    expect 0 "is open" telepay-purse contract add --id $contract --name "Radio du Port" --currency EUR --iban $bank
    expect 0 "is in frompurse" telepay-purse mediator add --name port --contract $contract --out frompurse --url https://127.0.0.1:$purse_port
    expect 0 "" telepay-mediator init med --listen 127.0.0.1:18843 --origin $origin
    expect 0 "1 contract" telepay-mediator acquirer add frompurse
    expect 0 "" telepay-service init journal
    head -c 64000 /dev/urandom >journal/shop/port.raw # 8 seconds, as a telephone sounds
    cat >>journal/catalogue.ini <<'END2'

[port]
designation = Sounds of the port
price       = 0.10 EUR
file        = port.raw
delivery    = stream
per         = 3
rate        = 8000
END2
    expect 0 "" telepay-service check --dir journal
    expect 0 "" telepay-service mediator add --dir journal --id port --out jp --url https://127.0.0.1:18743
    expect 0 "" telepay-mediator service add jp --name radio --contract $contract
    expect 0 "" telepay-service init other
    expect 0 "" telepay-service mediator add --dir other --id port --out op --url https://127.0.0.1:18744
    cp other/pki/server.pem other/pki/server.key other/ && cp op/client.pem other/mediator.pem || fail "no credentials for the other service"
    expect 0 "" telepay-mediator service add op --name other --contract $contract
    launch other.log listening python3 "$here/../tools/streaming_service.py" other 18744
    serve_purse
    serve_service
    serve_mediator
    expect 0 "" telepay authority add --home home purse/pki/ca.pem
    expect 0 "is open, in EUR" purse open --at "https://127.0.0.1:$purse_port"
    light_key home/device.jwk let-me-in
    expect 0 "" telepay plan set --home home --means purse --first
    expect 0 "came into" telepay-purse account fill --account "$(telepay purse list --home home --json | jq -r '.purses[0].account')" --amount 20.00 --reference T1
}

# All of it, of three or more units: the first opens the session, the others are vouchers.
all_of_it() {
    expect 0 "" at_session start 3.00 EUR
    hear -o heard.raw "$radio/port" 2>hear.log || fail "not heard: $(cat hear.log mediator.log)"
    cmp heard.raw journal/shop/port.raw || fail "it was heard otherwise: $(cat hear.log)"
    match=-E expect 0 '[345] units of 3 s: 0\.[345]0 EUR to Radio du Port' cat hear.log
    until_all "Sounds of the port, 3 s" delivered
    [ "$(units Sounds)" = "$(sed -n 's/.*: \([345]\) units of.*/\1/p' hear.log)" ] || fail "$(units Sounds) units: $(cat hear.log)"
    [ "$(kept "$(units Sounds)" | tr ' ' '\n' | sort -u)" = acknowledged+ ] || fail "the journal: $(kept 9)"
    expect 0 "Sounds of the port, 3 s" telepay order show --home home "$(telepay order list --home home --json | jq -r '.orders[0].order')"
    expect 0 "was paid by voucher" telepay-mediator order prove "$(telepay order list --home home --json | jq -r '.orders[0].order')"
}

# It ends where the payer's means end: at what --up-to says, and without a session after the first unit.
no_more_is_paid() {
    up_to="0.10 EUR" hear -o heard.raw "$radio/port" 2>hear.log || fail "not heard: $(cat hear.log)"
    grep -q "1 unit of 3 s: 0.10 EUR to Radio du Port; --up-to allows no more" hear.log || fail "not told: $(cat hear.log)"
    cmp -n "$(stat -c %s heard.raw)" heard.raw journal/shop/port.raw || fail "it was heard otherwise"
    [ "$(stat -c %s heard.raw)" -lt 64000 ] || fail "all of it for one unit"
    end_session
    hear -o heard.raw "$radio/port" 2>hear.log || fail "not heard: $(cat hear.log)"
    grep -q "1 unit of 3 s: .*; no open session pays its next unit (telepay session start)" hear.log || fail "not told: $(cat hear.log)"
    [ "$(stat -c %s heard.raw)" -lt 64000 ] || fail "all of it for one unit"
    until_all "Sounds of the port, 3 s" delivered
}

# The service stops: after the next unit was bought, which never began, it comes back.
no_more_is_sent() {
    expect 0 "" at_session start 3.00 EUR
    hear -o heard "$other/for-6?per=8" 2>hear.log || fail "not heard: $(cat hear.log)"
    [ "$(wc -l <heard)" = 60 ] || fail "heard $(wc -l <heard) pieces of 60"
    grep -q "1 unit of 8 s: 0.10 EUR" hear.log || fail "not told: $(cat hear.log)"
    [ "$(orders Radio .state)" = "delivered reversed" ] || fail "the units: $(orders Radio .state): $(cat hear.log mediator.log)"
    [ "$(kept 2)" = "reversed acknowledged+" ] || fail "the journal: $(kept 2)"
    telepay-mediator order list --json | grep -q "the stream had ended when this unit was to begin" || fail "why: $(telepay-mediator order list --json)"
}

# What cannot be delivered is given back, and what sends nothing is asked again.
not_delivered() {
    expect 4 "is not delivered: what was paid is given back" hear "$other/410"
    expect 4 "the service says that it delivers, and sends nothing" hear "$other/empty"
    until_all Radio "delivered reversed"
}

# Another client, which knows nothing of streams: it hears what one order pays for, once; and, cut off, the rest of it.
by_curl() {
    local bought at="$radio/port?curl"
    printf 'let-me-in\n' >typed
    challenge "$at" >challenges
    bought=$(telepay credential --header --cacert med/pki/ca.pem --home home --code-fd 3 --up-to "1000 EUR" 3<typed <challenges 2>credential.log) || fail "$(cat credential.log)"
    ask -m 1 -o first -H "Authorization: $bought" "$at"
    [ -s first ] || fail "nothing was heard: $(cat mediator.log)"
    ask -o rest -D heads -H "Authorization: $bought" "$at" || fail "the rest: $(cat rest)"
    grep -qi '^payment-receipt: ' heads && grep -qi '^transfer-encoding: chunked' heads || fail "its head: $(cat heads)"
    cmp -n "$(stat -c %s rest)" rest journal/shop/port.raw || fail "the rest was heard otherwise"
    [ "$(stat -c %s rest)" -lt 40000 ] || fail "more than was paid: $(stat -c %s rest)"
    expect 0 "what was paid for has passed" ask -H "Authorization: $bought" "$at"
    expect 0 409 ask -o /dev/null -w '%{http_code}' -X POST "$origin/orders/$(orders Sounds .order | cut -d' ' -f1)/next"
    expect 0 404 ask -o /dev/null -w '%{http_code}' -X POST "$origin/orders/aaaaaaaaaaaaaaaaaaaaaaaaaa/next"
}

# A client that takes less than is sent holds its service back, and nobody's memory fills.
too_fast() {
    local before now
    before=$(sed -n 's/^VmRSS:\s*\([0-9]*\) kB/\1/p' "/proc/$mediator/status")
    printf 'let-me-in\n' | telepay get --cacert med/pki/ca.pem --home home --code-fd 0 --up-to "0.10 EUR" "$other/fast?per=4" 2>hear.log | { head -c 100000 | wc -c; pause 2; now=$(sed -n 's/^VmRSS:\s*\([0-9]*\) kB/\1/p' "/proc/$mediator/status"); echo $((now - before)); } >taken
    [ "$(tail -1 taken)" -lt 60000 ] || fail "the mediator took $(tail -1 taken) kB: $(cat hear.log)"
}

# Whoever comes again goes on at what was agreed to, whatever is quoted by now.
quoted_otherwise() {
    local listener left
    hear -o heard "$other/for-14?per=9&again" 2>hear.log &
    listener=$!
    for left in {400..0}; do
        [ "$(orders "Radio, 9 s" .state)" = delivered ] && [ -s heard ] && break
        [ "$left" = 0 ] && fail "nothing is heard: $(cat hear.log mediator.log)"
        pause 0.05
    done
    pkill -KILL -f "for-14[?]per=9&again"
    wait "$listener"
    echo 1 >other/per
    hear -o heard "$other/for-14?per=9&again" 2>hear.log || fail "not heard: $(cat hear.log)"
    rm other/per
    grep -q "units of 9 s: 0.[23]0 EUR" hear.log || fail "not told: $(cat hear.log)"
    [ "$(units "Radio, 1 s")" = 0 ] || fail "units at what is quoted now: $(orders "Radio, 1 s" .state)"
}

# The listener, then the mediator, is killed with a unit paid ahead.
killed() {
    local listener left
    hear -o heard "$other/for-60?per=6&listener" 2>hear.log &
    listener=$!
    for left in {400..0}; do
        [ "$(orders "Radio, 6 s" .state | tr ' ' '\n' | sort -u | paste -sd ' ')" = "acknowledged delivered" ] && break
        [ "$left" = 0 ] && fail "no unit is paid ahead: $(cat hear.log mediator.log)"
        pause 0.05
    done
    pkill -KILL -f "for-60[?]per=6&listener"
    wait "$listener"
    until_all "Radio, 6 s" "delivered reversed"
    hear -o heard "$other/for-60?per=5" 2>hear.log &
    listener=$!
    for left in {400..0}; do
        [ "$(orders "Radio, 5 s" .state | tr ' ' '\n' | sort -u | paste -sd ' ')" = "acknowledged delivered" ] && break
        [ "$left" = 0 ] && fail "no unit is paid ahead: $(cat hear.log mediator.log)"
        pause 0.05
    done
    kill -KILL "$mediator"
    wait "$mediator"
    wait "$listener" && fail "it ended as if all were well: $(cat hear.log)"
    serve_mediator
    until_all "Radio, 5 s" "delivered reversed"
}

# To the cent: what was delivered is paid, and nothing else.
agree() {
    local delivered left
    end_session
    delivered=$(telepay-mediator order list --json | jq '[.orders[] | select(.state == "delivered")] | length')
    left=$(printf '%d.%02d' $(((2000 - 10 * delivered) / 100)) $(((2000 - 10 * delivered) % 100)))
    for _ in {400..0}; do
        [ "$(purse balance --json | jq -r '.balances[0].balance')" = "$left" ] && break
        pause 0.05
    done
    expect 0 "$left" purse balance
    expect 0 "" telepay-purse audit
}

inside() {
    cd "$dir" || exit 1
    set_up
    all_of_it
    no_more_is_paid
    no_more_is_sent
    not_delivered
    by_curl
    too_fast
    quoted_otherwise
    killed
    agree
    kill "$mediator" "$service" "$purse"
    wait "$mediator" || fail "telepay-mediator serve does not end cleanly: $(cat mediator.log)"
    wait "$service" || fail "telepay-service serve does not end cleanly: $(cat service.log)"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/stream.sh" inside "$dir" || exit 1
echo "stream.sh: heard as long as it is paid for, and paid for as long as it is heard"
