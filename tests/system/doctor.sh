#!/bin/bash
# What `telepay readers` says a reader can do and why it cannot be used, and `telepay readers --doctor` with each link of the chain broken in turn.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
match=-G

# The link that is broken, and the last line: the advice. Everything before that link is good.
broken() { # link, words found there, words of the advice, command…
    local link=$1 found=$2 advice=$3
    shift 3
    expect 3 "^$link  *broken .*$found" "$@" telepay readers --doctor
    tail -n 1 "$dir/out" | grep -q "^Advice: .*$advice" || fail "no advice \"$advice\" in: $(cat "$dir/out")"
    [ "$(grep -c ' broken ' "$dir/out")" = 1 ] || fail "more than one link is broken: $(cat "$dir/out")"
}

insert() {
    telepay-simcard "$dir/card" --vpcd 127.0.0.1:35965 >"$dir/simcard.log" 2>&1 &
    card=$!
    until_listed "$1"
}

remove() {
    kill "$card"
    wait "$card" 2>/dev/null
    until_listed "telepay Pinpad 00 00 PC/SC  none"
}

abilities() {
    expect 0 "1 telepay Pinpad 00 00 PC/SC  none  *keypad (1 to 15 digits), display 2x16" telepay readers
    expect 0 "2 Virtual PCD 00 00   *PC/SC  none  *no keypad" telepay readers
    echo "plain max8" >"$pad/mode"
    expect 0 "1 telepay Pinpad 00 00 PC/SC  none  *keypad (4 to 8 digits)$" telepay readers
    telepay readers --json >"$dir/out" || fail "--json"
    python3 - "$dir/out" <<'P' || fail "$(cat "$dir/out")"
import json, sys
pad, first, second = json.load(open(sys.argv[1]))["readers"]
assert pad["number"] == 1 and pad["driver"] == "PC/SC" and pad["keypad"] is True and pad["display"] is False and pad["trouble"] is None
assert first["keypad"] is False and second["number"] == 3 and second["card_state"] == "none"
P
    : >"$pad/mode"
}

chosen() { # by number and by part of the name; the one that has a card wins
    insert "telepay Pinpad 00 00 PC/SC  present"
    expect 0 "999014" telepay card
    expect 0 "999014" telepay card --reader 1
    expect 0 "999014" telepay card --reader Pinpad
    expect 3 "insert it or name another" telepay card --reader 2
    expect 3 "no reader has the number 9" telepay card --reader 9
    expect 3 "no reader has a name with" telepay card --reader 010
    expect 0 "Advice: everything works" telepay readers --doctor
    expect 3 "^Advice: insert a card" telepay readers --doctor --reader 3
    expect 3 "^Advice: choose one" telepay readers --doctor --reader 12
    telepay readers --doctor --json | python3 -c 'import json, sys; assert all(l["state"] == "good" for l in json.load(sys.stdin)["chain"])' || fail "--doctor --json"
}

held() { # by a payment that waits for a PIN
    echo hold >"$pad/mode"
    echo 1234 >"$pad/keys"
    telepay pay --config terminal/telepay.conf --amount 1 --wait 5 >"$dir/pay" 2>&1 </dev/null &
    local paying=$!
    until_said "^held$" "$pad/log"
    expect 0 "reader 1, \"telepay Pinpad 00 00\": held by another program: close what uses the card" telepay readers
    expect 0 "1 telepay Pinpad 00 00 PC/SC  in use" telepay readers
    : >"$pad/go"
    wait "$paying" || fail "$(cat "$dir/pay")"
    : >"$pad/mode"
}

mute() {
    remove
    echo mute >"$pad/mode"
    insert "telepay Pinpad 00 00 PC/SC  mute"
    expect 0 "reader 1, \"telepay Pinpad 00 00\": the card does not answer" telepay readers
    broken card "does not answer" "chip first and chip up" env
    : >"$pad/mode"
    remove
}

# The service's socket, then its folder, closed to another user: never "install pcscd".
kept_out() {
    local as=(setpriv --reuid nobody --clear-groups env PATH="$PATH") where
    if ! "${as[@]}" telepay --version >/dev/null 2>&1; then
        echo "not tried: a socket that is closed (no other user may run telepay here)"
        return
    fi
    cp -r terminal others
    chown -R nobody others
    for where in /run/pcscd/pcscd.comm /run/pcscd; do
        chmod 000 "$where"
        broken permission "Permission denied" "restart pcscd.socket" "${as[@]}"
        ! grep -q install out || fail "$(cat out)"
        for what in "readers" "card --wait 0" "pay --config others/telepay.conf --amount 1 --wait 0"; do
            # shellcheck disable=SC2086 # words
            expect 3 "the socket's rights keep this user out: sudo systemctl restart pcscd.socket" "${as[@]}" telepay $what
        done
        chmod 777 "$where"
    done
}

# A pcscd with polkit, which Debian 12's is not, hangs up on a user whom polkit refuses (winscard_svc.c); libpcsclite makes SCARD_W_SECURITY_VIOLATION of that.
polkit() {
    local refusing
    python3 -c 'import os, socket
s = socket.socket(socket.AF_UNIX)
s.bind("refuses.new")
s.listen()
os.rename("refuses.new", "refuses") # who finds it is heard
while True:
    s.accept()[0].close()' &
    refusing=$!
    for _ in $(seq 100); do
        [ -S refuses ] && break
        pause 0.05
    done
    broken permission "polkit does not let this user use it" "polkit action org.debian.pcsc-lite.access_pcsc" env PCSCLITE_CSOCK_NAME="$dir/refuses"
    expect 3 "polkit action org.debian.pcsc-lite.access_pcsc" env PCSCLITE_CSOCK_NAME="$dir/refuses" telepay readers
    expect 3 "polkit action org.debian.pcsc-lite.access_pcsc" env PCSCLITE_CSOCK_NAME="$dir/refuses" telepay card --wait 0
    kill "$refusing"
}

# One that is only just starting hangs up too, and then no more: it is waited for.
starting() {
    local coming
    python3 -c 'import os, select, socket
s = socket.socket(socket.AF_UNIX)
s.bind("coming.new")
s.listen()
os.rename("coming.new", "coming")
for _ in range(5):
    s.accept()[0].close()
while True:
    here, there = s.accept()[0], socket.socket(socket.AF_UNIX)
    there.connect("/run/pcscd/pcscd.comm")
    if os.fork() == 0:
        to = {here: there, there: here}
        while data := (came := select.select([here, there], [], [])[0][0]).recv(65536):
            to[came].sendall(data)
        os._exit(0)' &
    coming=$!
    for _ in $(seq 100); do
        [ -S coming ] && break
        pause 0.05
    done
    expect 0 "Virtual PCD" env PCSCLITE_CSOCK_NAME="$dir/coming" telepay readers
    kill "$coming"
}

service() {
    broken card none "insert a card" env
    kept_out
    polkit
    starting
    kill -KILL "$WITH_PCSCD_PID"
    pause 0.3
    broken service "nobody answers" "start it again" env
    rm -f /run/pcscd/pcscd.comm /run/pcscd/pcscd.pid
    broken socket "pcscd is not running" "apt install pcscd" env
    mkdir "$WITH_PCSCD_DIR/none"
    $WITH_PCSCD_RUN -c "$WITH_PCSCD_DIR/none" >/dev/null 2>&1 &
    for _ in $(seq 100); do
        [ -S /run/pcscd/pcscd.comm ] && break
        pause 0.05
    done
    broken reader none "plug a card reader in" env
}

inside() {
    pad=$WITH_PCSCD_DIR/pinpad
    cd "$dir" || exit 1
    launch acquirer.log listening fake_acquirer serve terminal 00
    abilities
    chosen
    held
    mute
    service
}

if [ "${1:-}" = inside ]; then
    dir=$2
    inside
    exit
fi
own_folder
chmod 755 "$dir"
cd "$dir" || exit 1
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
telepay-perso card card --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 --cvm pin >/dev/null 2>&1 || fail "telepay-perso card"
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
WITH_PCSCD_PINPAD=$TESTS_BUILDDIR/tests/ifd/pinpad_ifd.so "$here/with-pcscd" "$here/doctor.sh" inside "$dir" || exit 1
echo "doctor.sh: all as it should be"
