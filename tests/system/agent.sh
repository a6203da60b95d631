#!/bin/bash
# telepay agent, asked as browsers ask, and as nobody may: by other names, pages' scripts and frames, other users of the machine, rude callers, for what is no
# order, and for one of the private network. Persons who say no, give no PIN or let the time pass; no reader, no window, a port that is taken, an agent that
# is stopped.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/agent_common.sh
. "$here/agent_common.sh"

asked() { expect 0 "$1" curl -s --max-time 20 -D heads -w '\n%{http_code}\n' "${@:2}"; } # text, words of curl
navigate() { asked "$1" -G --data-urlencode "order=$2" -H 'Sec-Fetch-Mode: navigate' -H 'Sec-Fetch-Dest: document' "${@:3}" "$at_agent/pay"; }

new_order() { # resource: asked for by a browser; $order, and its address $url
    ask -H 'Accept: text/html' "$1" >page || fail "no page of $1"
    order=$(sed -n 's/.*data-order="\([a-z2-7]*\)".*/\1/p' page)
    url=$origin/orders/$order
    [ -n "$order" ] || fail "no order: $(cat page)"
}

until_ended() { # process; one that nobody waits for has ended, too
    local left
    for left in {400..0}; do
        grep -qsv 'State:.Z' <(grep -s '^State' "/proc/$1/status") || return 0
        pause 0.05
    done
    fail "the payment never ends: $(cat agent.log)"
}

until_idle() { # the agent's payment has ended
    local child
    child=$(pgrep -P "$agent") && until_ended "$child"
    return 0
}

refuses() { # status, text, what it is, words of curl
    asked "$2" "${@:4}"
    said "$1"
    grep -qi '^location:' heads && fail "$3 is led on: $(cat heads)"
    grep -qi '^access-control-' heads && fail "$3 may be read by others: $(cat heads)"
    pgrep -P "$agent" >/dev/null && fail "$3 begins a payment: $(cat agent.log)"
    return 0
}

rude() { "$here/../tools/rude_caller.py" 27502 "$url" "$1" >"rude.$1" 2>&1 || fail "a caller that is rude ($1): $(cat "rude.$1")"; }

callers() {
    local at="$at_agent/pay?order=$url" slow
    rude slow &
    slow=$!
    refuses 403 "Nothing is paid" "another host" -H "Host: shop.example:27502" "$at"
    refuses 403 "Nothing is paid" "another port" -H "Host: 127.0.0.1" "$at"
    refuses 403 "Nothing is paid" "a script" -H "Origin: https://shop.example" "$at"
    refuses 403 "Nothing is paid" "fetch" -H "Sec-Fetch-Mode: cors" -H "Sec-Fetch-Dest: empty" "$at"
    refuses 403 "Nothing is paid" "an image" -H "Sec-Fetch-Mode: no-cors" -H "Sec-Fetch-Dest: image" "$at"
    refuses 403 "Nothing is paid" "a frame" -H "Sec-Fetch-Mode: navigate" -H "Sec-Fetch-Dest: iframe" "$at"
    refuses 403 "Nothing is paid" "a WebSocket" -H "Upgrade: websocket" -H "Connection: Upgrade" -H "Sec-WebSocket-Key: AA==" \
        -H "Sec-WebSocket-Version: 13" "$at"
    refuses 405 "Nothing is paid" "a form" -d x=y "$at"
    refuses 405 "Nothing is paid" "a preflight" -X OPTIONS "$at"
    refuses 405 "" "HEAD" -I "$at"
    refuses 404 "commande" "another path" -H "Accept-Language: fr" "$at_agent/"
    grep -qi '^x-frame-options: DENY' heads || fail "may be framed: $(cat heads)"
    refuses 431 "" "a long head" -H "X: $(head -c 20000 /dev/zero | tr '\0' x)" "$at"
    if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --clear-groups true 2>/dev/null; then
        expect 0 "403" setpriv --reuid 65534 --clear-groups curl -s -o /dev/null -w '%{http_code}' "$at"
        rude twin
    fi
    rude heads
    rude crowd
    wait $slow || fail "a slow caller is kept"
    pgrep -P "$agent" >/dev/null && fail "a payment was begun: $(cat agent.log)"
    return 0
}

addresses() {
    local bad
    for bad in "" "http://shop.example/orders/$order" "file:///orders/$order" "javascript:alert(1)" "$origin/orders/" "$origin/orders/$order/payment" \
        "$origin/orders/${order}?x" "$origin/orders/$order#x" "$origin/s/journal/article-1" "https://user@localhost:18843/orders/$order" \
        "$origin/orders/../orders/$order" \
        "https://user:pass@localhost:18843/orders/$order" "$origin//orders/$order" "$origin/orders/$order
Set-Cookie: x" "https://$(head -c 600 /dev/zero | tr '\0' x)/orders/$order" "//localhost:18843/orders/$order" "HTTPS:localhost/orders/$order"; do
        refuses 400 "Nothing is paid" "\"$bad\"" -G --data-urlencode "order=$bad" "$at_agent/pay"
    done
    refuses 400 "Nothing is paid" "no order" "$at_agent/pay"
}

near_asked() { # address, what the person is shown, who says no
    launch near.log listening python3 "$dir/near.py"
    : >agent.log
    : >person/shown
    person no
    navigate 303 "$1"
    until_said "nothing was paid" agent.log
    until_idle
    grep -q "$2" person/shown || fail "not asked of the person: $(cat person/shown)"
    grep -q asked near.log && fail "asked there without the person"
    return 0
}

# An address of the private network, where devices trust whoever asks from within: nothing is asked there unless the person says so.
near() {
    local far=https://10.0.0.1:18999/orders/$order
    ip address add 10.0.0.1/32 dev lo || fail "the machine has no private address"
    cat >near.py <<END
import socket
there = socket.create_server(("10.0.0.1", 18999))
print("listening", flush=True)
there.accept()
print("asked", flush=True)
END
    near_asked "$far" "your own network.*10.0.0.1:18999"
    person yes
    navigate 303 "$far"
    until_said asked near.log
    until_idle
    if [ "$(readlink /proc/self/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ]; then # a name of anybody's, which leads there
        echo "10.0.0.1 shop.example" | cat /etc/hosts - >hosts
        mount --bind hosts /etc/hosts || fail "no name can be given"
        near_asked "https://shop.example:18999/orders/$order" "your own network.*shop.example"
        umount /etc/hosts
    fi
    launch redirect.log listening python3 -c 'import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", "https://10.0.0.1:18999" + self.path)
        self.end_headers()
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", 18998), Handler).serve_forever()'
    : >agent.log
    navigate 303 "http://127.0.0.1:18998/orders/$order"
    until_said "answers 302: there is no such order" agent.log
    until_idle
    grep -q asked near.log && fail "asked there since another page says so"
    ip address del 10.0.0.1/32 dev lo
    : >person/shown
}

# What was wanted of the person: $1 of a double that does $2 and $3.
unpaid() { # what is heard, what the person does
    : >agent.log
    # shellcheck disable=SC2086 # one word or two
    person $2
    navigate 303 "$url"
    grep -qi "^location: $url.\$" heads || fail "not led back to the order: $(cat heads)"
    until_said "$1" agent.log
    until_idle
    [ "$(state)" = requested ] || fail "after $2 the order is $(state): $(cat agent.log)"
}

unwilling() {
    local before
    before=$(paid)
    new_order "$article?unwilling"
    unpaid "nothing was paid" no
    unpaid "nothing was paid" late
    unpaid "nothing was paid" dies
    unpaid "nothing was paid" "yes no"
    unpaid "nothing was paid" "yes late"
    unpaid "nothing was paid" "yes dies"
    unpaid "nothing was paid" "yes 4711,no"
    grep -q "Wrong PIN" person/shown || fail "the person is not told that the PIN was wrong: $(cat person/shown)"
    mv person/pinentry person/away
    unpaid "person/pinentry.* cannot be started.*install" yes
    mv person/away person/pinentry
    : >person/shown
    person waits
    navigate 303 "$url"
    until_said CONFIRM person/shown
    navigate "Another payment is under way" "$url"
    said 409
    person yes 1234
    until_idle
    [ "$(state)" = delivered ] || fail "the order is $(state): $(cat agent.log)"
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
    ! grep -E '\b(1234|4711)\b' agent.log || fail "a PIN in the agent's log"
}

# Two devices of one person, and one order: it is whose who took it, until that one says no.
two_devices() {
    local before
    before=$(paid)
    new_order "$article?two"
    : >agent.log
    : >person/shown
    person waits
    navigate 303 "$url"
    until_said CONFIRM person/shown
    [ "$(state)" = claimed ] || fail "the order is $(state): $(cat agent.log)"
    expect 2 "another device has taken this order" by_other "$url"
    expect 0 "409" curl -s --cacert med/pki/ca.pem -o said -w '%{http_code}' -d '{"claim":"AAAAAAAAAAAAAAAAAAAAAA"}' "$url/release"
    expect 0 "400" curl -s --cacert med/pki/ca.pem -o said -w '%{http_code}' -d '{"claim":"AAAA"}' "$url/release"
    expect 0 "405" curl -s --cacert med/pki/ca.pem -o said -w '%{http_code}' "$url/release"
    [ "$(state)" = claimed ] || fail "given back by who has not taken it: the order is $(state)"
    person no
    until_said "nothing was paid" agent.log
    until_idle
    [ "$(state)" = requested ] || fail "after a no the order is $(state): $(cat agent.log)"
    [ "$(paid)" = "$before" ] || fail "paid before anybody said yes"
    expect 0 "APPROVED" by_other "$url"
    [ "$(state)" = delivered ] || fail "the order is $(state): $(cat agent.log)"
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
    person yes 1234
    navigate 303 "$url"
    until_said "the order is not to be paid" agent.log
    until_idle
    [ "$(paid)" = $((before + 1)) ] || fail "paid twice"
}

# What was signed, and nobody could take yet, is neither signed again nor given back.
signed_before() {
    local before
    before=$(paid)
    new_order "$article?signed"
    kill "$acquirer"
    until_said 'is not reached' mediator.log
    by_other "$url" >out 2>&1 && fail "paid by nobody: $(cat out)"
    [ "$(state)" = claimed ] || fail "the order is $(state): $(cat out)"
    by_other "$url" >out 2>&1 && fail "paid by nobody: $(cat out)"
    said "this is signed already, by the order $order"
    [ "$(state)" = claimed ] || fail "the order is $(state) while a transaction of it is kept: $(cat out)"
    serve_acquirer
    reached
    expect 0 "" telepay order send --home home2 --cacert med/pki/ca.pem
    [ "$(state)" = delivered ] || fail "the order is $(state): $(cat out)"
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
}
by_other() { printf 1234 | telepay pay --order "$1" --cacert med/pki/ca.pem --home home2 --pin-fd 0 --wait 5 --up-to "1000 EUR"; }

places() { # no reader; the port is taken
    local kept=$agent
    expect 2 "is an agent running already" telepay agent --home home
    PCSCLITE_CSOCK_NAME=$dir/nowhere serve_agent --port 27503
    asked "No card reader" "http://localhost:27503/pay?order=$url"
    said 503
    kill "$agent"
    wait "$agent" || fail "the agent does not end cleanly: $(cat agent.log)"
    agent=$kept
}

# The agent ends: a payment that it began goes on to its end, as if it had not.
stopped() {
    local child
    new_order "$article?stopped"
    : >person/shown
    person waits
    navigate 303 "$url"
    until_said CONFIRM person/shown
    child=$(pgrep -P "$agent")
    kill "$agent"
    wait "$agent" || fail "the agent does not end cleanly: $(cat agent.log)"
    person yes 1234
    until_said "delivered" mediator.log
    until_ended "$child"
    [ "$(state)" = delivered ] || fail "the order is $(state): $(cat agent.log)"
    serve_agent

    # as systemd stops it, with all that it began: nothing is paid
    new_order "$article?killed"
    : >person/shown
    person waits
    navigate 303 "$url"
    until_said CONFIRM person/shown
    child=$(pgrep -P "$agent")
    # shellcheck disable=SC2046 # the window
    kill "$child" $(pgrep -P "$child") "$agent"
    until_ended "$child"
    [ "$(state)" = requested ] || fail "the order is $(state): $(cat agent.log)"
    serve_agent
    person yes 1234
    navigate 303 "$url"
    until_idle
    [ "$(state)" = delivered ] || fail "the order is $(state): $(cat agent.log)"
}

# Debian's own pinentry, at a terminal: it takes what is said to it as its double does.
real_window() {
    new_order "$article?window"
    expect 0 "APPROVED" "$here/../tools/at_terminal.py" "Librairie du Port" o "PIN" "1234
" -- telepay pay --order "$url" --pinentry=pinentry-tty --home home --cacert med/pki/ca.pem
    [ "$(state)" = delivered ] || fail "the order is $(state): $(cat out)"
}

inside() {
    cd "$dir" || exit 1
    set_up_home
    new_order "$article"
    callers
    addresses
    [ ! -s person/shown ] || fail "the person was asked: $(cat person/shown)"
    near
    places
    unwilling
    two_devices
    signed_before
    stopped
    real_window
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/agent.sh" inside "$dir" || exit 1
echo "agent.sh: asks its person, and nobody else"
