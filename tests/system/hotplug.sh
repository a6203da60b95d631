#!/bin/bash
# Readers, cards and the service come and go around a payment, which stands at the prompt for the PIN with its card connected. pcscd adds a reader without USB
# only when it starts, so one comes with the service started anew while the payment waits; tests/ifd can say that its device is gone.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

ended() { # process that is not ours to wait for
    for _ in $(seq 300); do
        kill -0 "$1" 2>/dev/null || return 0
        pause 0.05
    done
    fail "process $1 does not end"
}

restart() { # the service, with what is configured now
    kill -TERM "$WITH_PCSCD_PID"
    ended "$WITH_PCSCD_PID"
    rm -f /run/pcscd/pcscd.comm /run/pcscd/pcscd.pid
    # shellcheck disable=SC2153 # with-pcscd sets it
    $WITH_PCSCD_RUN -c "$WITH_PCSCD_DIR/conf" >/dev/null 2>&1 &
    WITH_PCSCD_PID=$!
    disown
}

cards=
insert() { # port, folder
    telepay-simcard "$2" --vpcd "127.0.0.1:$1" >"$dir/simcard.$1" 2>&1 &
    card=$!
    cards="$cards $card"
}

end_cards() {
    local c
    for c in $cards; do
        kill "$c" 2>/dev/null
        wait "$c" 2>/dev/null
    done
    cards=
}

remove_all() {
    end_cards
    until_unlisted ' present '
}

start() { # options: a payment that has its card and waits for the PIN on descriptor 3
    rm -f pin
    mkfifo pin
    begin "$dir/out" telepay pay --config terminal/telepay.conf --amount 12.50 -v --pin-fd 3 "$@" 3<>pin
    paying=$begun
    until_said "verifying the cardholder" "$dir/out"
}

ends() { # exit code, what it says: after the PIN is given
    local got
    echo 1234 1<>pin # a payment that has ended reads no more: nobody waits for it
    wait "$paying"
    got=$?
    [ "$got" = "$1" ] || fail "exit $got, not $1: $(cat "$dir/out")"
    grep -qF -- "$2" "$dir/out" || fail "no \"$2\" in: $(cat "$dir/out")"
}

readers_come_and_go() {
    # there is no such reader; the service is started anew while one waits, and then there is
    cp "$WITH_PCSCD_DIR/conf/readers" "$dir/readers"
    sed 1,4d "$dir/readers" >"$WITH_PCSCD_DIR/conf/readers" # with-pcscd writes the keypad's entry first
    restart
    until_listed "PCD 00 00 *PC/SC *none"
    until_unlisted Pinpad
    telepay pay --config terminal/telepay.conf --amount 1 --reader Pinpad --wait 30 >"$dir/out" 2>&1 </dev/null &
    paying=$!
    until_holds_back "$paying"
    pause 2 # a service that is away when it starts is not waited for
    cp "$dir/readers" "$WITH_PCSCD_DIR/conf/readers"
    echo 1234 >"$pad/keys"
    restart
    until_listed "Pinpad"
    insert 35965 one
    wait "$paying" || fail "a reader plugged in while waiting: $(cat "$dir/out")"
    until_listed "Pinpad 00 00 *PC/SC *present"
    start
    echo unplugged >"$pad/mode"
    ends 3 "reader \"telepay Pinpad 00 00\": "
    grep -q unplugged "$dir/out" || fail "$(cat "$dir/out")"
    : >"$pad/mode"
    remove_all
}

several() { # the one that has a card wins; of two, the one that is named
    insert 35964 two
    until_listed "PCD 00 01 *PC/SC *present"
    telepay card | grep -q "^Reader Virtual PCD 00 01" || fail "not the one with a card"
    insert 35965 one
    until_listed "Pinpad 00 00 *PC/SC *present"
    telepay card --reader "00 01" | grep -q "^Reader Virtual PCD 00 01" || fail "not by name"
    telepay card --reader 3 | grep -q "^Reader Virtual PCD 00 01" || fail "not by number"
    telepay card --reader 1 | grep -q "^Reader telepay Pinpad" || fail "not by number"
    # one is held by a payment: the other is taken, and who insists is told
    start --reader Pinpad
    telepay card | grep -q "^Reader Virtual PCD 00 01" || fail "not the free one"
    telepay card --reader Pinpad >"$dir/held" 2>&1
    [ $? = 3 ] || fail "a card that is held: $(cat "$dir/held")"
    grep -q "held by another program" "$dir/held" || fail "$(cat "$dir/held")"
    ends 0 APPROVED
    # the card leaves at the prompt, and another reader has one: it is not taken for it
    start --reader Pinpad
    kill -KILL "$card"
    wait "$card" 2>/dev/null
    ends 3 "taken out"
    remove_all
}

service() {
    local signal
    restart
    until_listed "PCD 00 00 *PC/SC *none"
    for signal in TERM KILL; do
        insert 35963 one
        until_listed "PCD 00 00 *PC/SC *present"
        start
        kill "-$signal" "$WITH_PCSCD_PID"
        ended "$WITH_PCSCD_PID"
        ends 3 pcscd
        end_cards
        restart
        until_listed "PCD 00 00 *PC/SC *none"
        # and it works again
        insert 35963 one
        until_listed "PCD 00 00 *PC/SC *present"
        start
        ends 0 APPROVED
        remove_all
    done
}

inside() {
    pad=$WITH_PCSCD_DIR/pinpad
    cd "$dir" || exit 1
    launch acquirer.log listening fake_acquirer serve terminal 00
    readers_come_and_go
    several
    service
}

if [ "${1:-}" = inside ]; then
    dir=$2
    inside
    exit
fi
own_folder
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
for name in one two; do
    telepay-perso card $name --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 --cvm pin >/dev/null 2>&1 ||
        fail "telepay-perso card"
done
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
WITH_PCSCD_PINPAD=$TESTS_BUILDDIR/tests/ifd/pinpad_ifd.so "$here/with-pcscd" "$here/hotplug.sh" inside "$dir" || exit 1
echo "hotplug.sh: all as it should be"
