#!/bin/bash
# Somebody else's program (opensc-tool) talks to our card through a real pcscd: directory, application, records, counters, PIN, a second holder.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
if [ "${1:-}" != inside ]; then
    command -v opensc-tool >/dev/null || { echo "no opensc-tool: apt install opensc"; exit 77; }
    exec "$TESTS_SRCDIR/system/with-pcscd" "$0" inside
fi
own_folder

present() { opensc-tool --reader 0 --atr >/dev/null 2>&1; }

insert() { # puts the card in and waits until pcscd sees it
    telepay-simcard "$dir/card" "$@" >"$dir/out" 2>"$dir/err" &
    card=$!
    for _ in $(seq 100); do
        present && return
        pause 0.1
    done
    cat "$dir/out" "$dir/err" >&2
    fail "pcscd sees no card ($*)"
}

remove() {
    kill "$card"
    wait "$card" || fail "telepay-simcard does not end cleanly"
    card=
    for _ in $(seq 100); do
        present || return
        pause 0.1
    done
    fail "pcscd still sees the card after it left"
}

send() { # commands in hexadecimal, one session: prints each answer as data, space, status word
    local arguments=() c
    for c in "$@"; do
        arguments+=(-s "$c")
    done
    opensc-tool --reader 0 "${arguments[@]}" 2>/dev/null | awk '
        function flush() { if (seen) print data " " sw; data = "" }
        /^Sending/ { next }
        /^Received/ { flush(); seen = 1; match($0, /SW1=0x../); sw = substr($0, RSTART + 6, 2)
                      match($0, /SW2=0x../); sw = sw substr($0, RSTART + 6, 2); next }
        { for (n = 0; n < 16 && 4 * n != length($0) && substr($0, 3 * n + 1, 3) ~ /^[0-9A-F][0-9A-F] $/; n++) # then the same as text
              data = data substr($0, 3 * n + 1, 2) }
        END { flush() }'
}

answers() { # what, wanted lines, commands…
    local what=$1 wanted=$2 got
    shift 2
    got=$(send "$@")
    [ "$got" = "$wanted" ] || fail "$what:
wanted: $wanted
got:    $got"
}

pse=00A404000E315041592E5359532E444446303100
select=00A4040007F000000014101000
gpo=80A80000088306E0F0C802502200

telepay-perso init "$dir/scheme" >/dev/null || exit 1
telepay-perso card "$dir/card" --scheme "$dir/scheme" --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >/dev/null || exit 1

insert
grep -q "is in the reader at 127.0.0.1:35963" "$dir/out" || fail "telepay-simcard does not say that the card is in"
[ "$(opensc-tool --reader 0 --atr 2>/dev/null)" = "3b:e7:00:00:81:31:fe:45:54:45:4c:45:50:41:59:bc" ] || fail "the ATR is another"
answers "directory" "6F20840E315041592E5359532E4444463031A50E8801015F2D04656E66729F110101 9000
701C611A4F07F0000000141010500C54454C455041592054455354870101 9000
 6A83" $pse 00B2010C00 00B2020C00
answers "application, options, counters" "6F378407F0000000141010A52C500C54454C4550415920544553548701019F38099F33039F1A029F35015F2D04656E6672BF0C059F4D020B0A 9000
771282023900940C080101001001020218010300 9000
9F36020001 9000
9F170103 9000" $select $gpo 80CA9F3600 80CA9F1700
records=$(send $select $gpo 00B2010C00 00B2011400 00B2021400)
grep -q "^70.*5F200C4455504F4E542F4D41524945.* 9000$" <<<"$records" || fail "the cardholder's name is not in record 1/1"
grep -q "^70.*5A089990140000000015.*5F2403301231.* 9000$" <<<"$records" || fail "number and expiry are not in record 2/1"
grep -q "^70.*8C2D9F02069F03069F1A02.* 9000$" <<<"$records" || fail "CDOL1 is not in record 2/2"
answers "wrong commands" " 6E00
 6D00
 6A82
 6A86" FFFE000000 00FE000000 00A4040005A000000003 00A4000002A000
[ "$(send $select $gpo 0020008008244321FFFFFFFFFF | tail -n 1)" = " 63C2" ] || fail "a wrong PIN does not leave two tries"
telepay-simcard "$dir/card" 2>"$dir/second"
[ $? -eq 2 ] || fail "one card can be in two readers at a time"
grep -q "in use" "$dir/second" || fail "telepay-simcard does not say that the card is in use"
remove

insert # the counter goes on: three transactions so far; the PIN try stays spent
[ "$(send $select 80CA9F3600 80CA9F1700 | tail -n 2 | tr '\n' ,)" = "9F36020003 9000,9F170102 9000," ] || fail "counters did not survive the power"
# pcscd starts again: the card finds it again by itself
kill "$WITH_PCSCD_PID"
for _ in $(seq 100); do
    kill -0 "$WITH_PCSCD_PID" 2>/dev/null || break
    pause 0.1
done
PCSCLITE_HP_DROPDIR="$WITH_PCSCD_DIR/no-usb-drivers" $WITH_PCSCD_RUN -c "$WITH_PCSCD_DIR/conf" >"$dir/pcscd.log" 2>&1 &
again=0
for _ in $(seq 100); do
    present && again=1 && break
    pause 0.1
done
[ $again = 1 ] || fail "the card does not come back after pcscd started again"
remove

insert --fault torn-out=2
opensc-tool --reader 0 -s "$select" -s "$gpo" >/dev/null 2>"$dir/torn" && fail "torn out at the second command, yet opensc-tool finds nothing wrong"
for _ in $(seq 30); do
    grep -q "has left the reader" "$dir/err" && break
    pause 0.1
done
grep -q "has left the reader" "$dir/err" || fail "telepay-simcard does not say that the card left"
kill "$card" && wait "$card"
card=
verdict
