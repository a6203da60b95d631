#!/bin/bash
# `telepay pay` and `telepay journal` as a user meets them, through a real pcscd: good payments, every way the user, the card and the acquirer can be wrong.
# The acquirer is tests/system/fake_acquirer, which behaves as told; the whole way with the real one is tests/system/whole_way.sh.
# Four tests, to run side by side: without words that of users and cards; `torn_out`, `acquirers` and `signals` are pay_torn_out.sh and its like.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

conf=terminal/telepay.conf
pay() { printf '%b' "${pins-1234}" | telepay pay --config "$conf" --pin-fd 0 --wait "${wait-5}" "$@"; }
pay_12() { pay --amount 12.50 --currency EUR "$@"; }
journal() { telepay journal "$@" --config "$conf"; }

insert_new() { # as it came from the factory: one that has asked in vain asks for its issuer again the next times
    remove
    rm -rf new && cp -r factory new
    insert new
}

acquirer=
serve() { # mode
    down
    launch "$dir/acquirer.log" listening fake_acquirer serve "$dir/terminal" "$@"
    acquirer=$launched
}
down() {
    [ -n "$acquirer" ] || return 0
    kill "$acquirer" 2>/dev/null
    wait "$acquirer" 2>/dev/null
    acquirer=
}
payments() { journal list --json | jq --arg state "$1" '[.payments[] | select(.state == $state)] | length'; }
sent() { grep -c "^$1 " "$dir/acquirer.log"; }

wrong_words() {
    local amount
    for amount in 0 0.00 -1 -12.50 12.505 12345678901.00 abc ""; do
        expect 2 "" pay "--amount=$amount" --currency EUR
    done
    expect 2 "not a currency" pay --amount 1 --currency XXQ
    expect 2 "the contract is in EUR" pay --amount 1 --currency USD
    expect 2 "amount is missing" pay --currency EUR
    expect 2 "config is missing" telepay pay --amount 1
    expect 2 "no-such.conf" telepay pay --amount 1 --config no-such.conf
    conf=terminal expect 2 "terminal is a folder" pay_12
    expect 2 "AID" pay_12 --application "a name that is too long"
    expect 2 "AID" pay_12 --application ""
    expect 2 "accepts no application" pay_12 --application A000000099
    expect 2 "takes a number" pay_12 --wait soon
    expect 2 "\"journal nosuch\" is not a command" telepay journal nosuch
    expect 2 "one word too many" journal list nosuch
    expect 2 "no payment with the reference" journal show 000000000000
    sed 's/^mcc=.*/mcc=many/' $conf >terminal/broken.conf
    conf=terminal/broken.conf expect 2 '"mcc" in section [terminal]' pay_12
    sed '/^tac_online/d' $conf >terminal/broken.conf
    conf=terminal/broken.conf expect 2 "tac_online" pay_12
}

good_payments() {
    local rrn
    serve 00
    insert marie
    expect 0 "APPROVED" pay_12 --trace trace
    grep -q "0000000.*999014\*\*\*\*\*\*0015" "$dir/out" || grep -qF '999014******0015' "$dir/out" || fail "no masked card number: $(cat "$dir/out")"
    rrn=$(sed -n 's/^Reference *//p' "$dir/out")
    [ -n "$rrn" ] || fail "no reference: $(cat "$dir/out")"
    # nothing secret in what a person or a file gets to see: the whole number, and the PIN block of 1234
    ! grep -qE '9990140000000015|241234FFFFFFFFFF' "$dir/out" trace || fail "a secret is shown"
    grep -qF '> 0020008008****************' trace || fail "the trace has no masked VERIFY: $(cat trace)"
    [ "$(stat -c %a trace)" = 600 ] || fail "others may read the trace"
    grep -q Masked trace || fail "the trace does not say what it masks"
    ! grep -aqr 9990140000000015 terminal || fail "the journal holds the card number in clear"
    expect 0 "$rrn" journal list
    expect 0 "APPROVED" journal show "$rrn"
    expect 0 "12.50" journal days
    expect 0 "everything is delivered" journal send
    expect 0 '"outcome": "acknowledged"' pay_12 --json
    python3 -m json.tool <"$dir/out" >/dev/null || fail "not JSON: $(cat "$dir/out")"
    ! grep -qE '9990140000000015' "$dir/out" || fail "the card number is in the JSON"
    expect 0 "APPROVED" pay_12 --application F0000000141010
    expect 0 "APPROVED" pay_12 --application "telepay test"
    expect 1 "the application that was asked for" pay_12 --application nonsense
    expect 2 "no application number 12" pay_12 --application 12
    expect 0 "APPROVED" pay_12 --application 1
    expect 0 "APPROVED" pay_12 --reader "00 00"
    expect 3 "no reader has a name with" env wait=0 bash -c "printf 1234 | telepay pay --config $conf --pin-fd 0 --wait 0 --amount 1 --reader ACME"
    expect 0 "to the acquirer: 0200 2=999014******0015" pay_12 -v
    [ "$(payments acknowledged)" = 7 ] || fail "the journal: $(journal list)"
}

no_card() {
    remove
    wait=0 expect 3 "insert it" pay_12
    telepay pay --config "$conf" --amount 1 --wait 30 >"$dir/left" 2>&1 </dev/null &
    local waiting=$!
    until_holds_back "$waiting"
    pause 0.8
    kill -INT "$waiting"
    wait "$waiting"
    [ $? = 1 ] || fail "Ctrl-C while waiting for a card: $(cat "$dir/left")"
    grep -q "nothing was paid" "$dir/left" || fail "Ctrl-C: $(cat "$dir/left")"
    # a card that comes while one waits
    (pause 1; telepay-simcard marie >/dev/null 2>&1 & echo $! >"$dir/late") &
    wait=20 expect 0 "APPROVED" pay_12
    kill "$(cat "$dir/late")"
    pause 0.7
}

pins_tried() {
    insert pin
    pins='9999\n1234\n' expect 0 "APPROVED" pay_12
    pins='9999\n' expect 1 "the PIN is wrong: 2 tries are left" pay_12
    pins='9999\n' expect 1 "the PIN is wrong: 1 try is left" pay_12
    pins='9999\n' expect 1 "DECLINED" pay_12
    pins='1234\n' expect 1 "DECLINED" pay_12
    insert marie
    pins='' expect 2 "gave no PIN" pay_12
    pins='1\n1\n1\n1\n' expect 2 "4 to 12 digits" pay_12 # not asked so often that it is taken for no PIN at all
    expect 2 "give it with --pin-fd" setsid telepay pay --config "$conf" --amount 12.50 --currency EUR
    expect 2 "cannot write the trace" pay_12 --trace /nowhere/trace
    local fd
    for fd in 3 4 5 6 7 8; do # the program's own, once it has opened something
        expect 2 "no file descriptor $fd" telepay pay --config "$conf" --amount 1 --pin-fd $fd 3<&- 4<&- 5<&- 6<&- 7<&- 8<&-
    done
    expect 2 "cannot be read" telepay pay --config "$conf" --amount 1 --pin-fd 7 7>"$dir/written"
    expect 0 "APPROVED" telepay pay --config "$conf" --amount 1 --pin-fd 7 7<<<1234
    expect 2 "no file descriptor 77" telepay pay --config "$conf" --amount 1 --pin-fd 77
}

bad_cards() {
    local fault
    remove
    # wants the cardholder's confirmation, first in order (Book 1, 12.4, step 5): a script gets the other, unless it names this one
    insert confirm
    expect 0 "OTHER" pay_12
    expect 0 "ASKS" pay_12 --application asks
    expect 0 "ASKS" pay_12 --application 1
    remove
    rm -rf bad && cp -r marie bad
    insert bad --fault blocked-card
    expect 3 "the card is blocked (6A81 to SELECT)" telepay card --config "$conf"
    expect 2 "is in use by another process, as when another telepay-simcard plays it: end that one first" telepay-simcard bad
    insert bad --fault blocked-application
    expect 0 "this application is blocked (6283 to SELECT)" telepay card --config "$conf"
    insert bad
    expect 0 "not checked: key 01 of F000000014 is not known here" telepay card
    for fault in wrong-sdad wrong-data-hash wrong-un expired-icc-certificate expired-issuer-certificate wrong-issuer-hash; do
        rm -rf bad && cp -r marie bad
        insert bad --fault $fault
        expect 5 "DECLINED" pay_12
    done
    for fault in truncated-tlv endless-records twice empty random-sw oversized endless-61; do
        rm -rf bad && cp -r marie bad
        insert bad --fault $fault
        pay_12 >"$dir/out" 2>&1
        case $? in
        1 | 3 | 5) ;;
        0) [ $fault = endless-records ] || fail "fault $fault: paid: $(cat "$dir/out")" ;;
        *) fail "fault $fault: $(cat "$dir/out")" ;;
        esac
        [ -s "$dir/out" ] || fail "fault $fault: nothing said"
    done
}

# The card leaves at every single command of a payment.
torn_out() {
    local n apdus paid before
    serve 00
    insert marie
    pay_12 --json >"$dir/out"
    apdus=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["cost"]["apdus"])' <"$dir/out")
    [ "$apdus" -gt 8 ] || fail "a payment of $apdus commands?"
    paid=$(payments acknowledged)
    for n in $(seq "$apdus"); do
        insert marie --fault "torn-out=$n" --once
        expect 3 "telepay: " pay_12
    done
    for n in 1 8 "$apdus"; do
        insert marie --fault "mute=$n"
        before=$(date +%s)
        pay_12 >"$dir/out" 2>&1
        [ $? = 3 ] || fail "mute at $n: $(cat "$dir/out")"
        [ $(($(date +%s) - before)) -lt 60 ] || fail "mute at $n: took too long"
    done
    [ "$(payments acknowledged)" = "$paid" ] || fail "something was paid by a card that left: $(journal list)"
    [ "$(payments signed)" = 0 ] || fail "something is kept of a card that left: $(journal list)"
}

bad_acquirers() {
    local mode refused
    insert marie
    # down: signed, kept, said; then delivered by hand, counted once
    down
    expect 4 "THE CARD HAS SIGNED" pay_12
    grep -q "NOT YET ACKNOWLEDGED" "$dir/out" || fail "no receipt: $(cat "$dir/out")"
    [ "$(payments signed)" = 1 ] || fail "not kept: $(journal list)"
    expect 4 "1 signed payment, or reversal, is kept" journal send
    journal send --json 2>out >"$dir/error.json"
    [ $? = 4 ] && [ "$(jq -c '[keys, .error.code]' "$dir/error.json")" = '[["error"],"peer"]' ] || fail "no error in JSON: $(cat "$dir/error.json" "$dir/out")"
    for mode in garbage other mute close 96 19 97 98 99; do
        serve $mode
        expect 4 "telepay: " journal send
        [ "$(payments signed)" = 1 ] || fail "$mode: $(journal list)"
        down
    done
    serve stranger
    expect 5 "telepay: " journal send
    expect 5 "telepay: " pay_12
    [ "$(payments signed)" = 1 ] || fail "a card signed for a stranger: $(journal list)"
    serve 00
    expect 0 "acknowledged" journal send
    [ "$(payments signed)" = 0 ] || fail "not delivered: $(journal list)"
    [ "$(sent 0201)" = 1 ] || fail "not sent as a repeat: $(cat "$dir/acquirer.log")"
    # each way to fail while paying; the next payment delivers what is left, first
    for mode in garbage mute close 96 90 68; do
        serve $mode
        expect 4 "THE CARD HAS SIGNED" pay_12
        down
    done
    [ "$(payments signed)" = 6 ] || fail "not kept: $(journal list)"
    serve 00
    expect 0 "APPROVED" pay_12
    [ "$(payments signed)" = 0 ] || fail "not delivered: $(journal list)"
    [ "$(sent 0201)" = 6 ] && [ "$(sent 0200)" = 1 ] || fail "$(cat "$dir/acquirer.log")"
    # the answer is lost: the repeat brings it
    serve lost
    expect 0 "APPROVED" pay_12
    [ "$(sent 0200)" = 1 ] && [ "$(sent 0201)" = 1 ] || fail "$(cat "$dir/acquirer.log")"
    # lost is the answer to an ARQC: the cryptogram that pays takes a number of its own
    serve lost
    sed 's/^version=.*/version=0009/; s/^tac_online=.*/tac_online=FCF8F8F800/; s/^tac_default=.*/tac_default=0000000000/' $conf >terminal/asks.conf
    conf=terminal/asks.conf expect 0 "APPROVED" pay_12
    [ "$(sent 0200)" = 2 ] && [ "$(sent 0201)" = 0 ] && [ "$(sent 0400)" = 1 ] || fail "$(cat "$dir/acquirer.log")"
    [ "$(payments reversed)" = 1 ] || fail "what was not answered is not taken back: $(journal list)"
    [ "$(sed -n 's/^0200 \([0-9]*\) .*/\1/p' "$dir/acquirer.log" | sort -u | wc -l)" = 2 ] || fail "one number for two: $(cat "$dir/acquirer.log")"
    # refusals
    refused=$(payments refused)
    serve "05"
    expect 1 "not honoured (05)" pay_12
    # the card asks for its issuer (over the floor limit): the reason is the acquirer's own
    expect 1 "not honoured (05)" pay --amount 60 --currency EUR
    serve "63 SDAD_HASH"
    expect 5 "SDAD_HASH" pay_12
    [ "$(payments refused)" = $((refused + 3)) ] || fail "$(journal list)"
    # money that was refused is not paid
    journal days --json >"$dir/out"
    python3 -c 'import json, sys
days = {d["state"]: d for d in json.load(sys.stdin)["days"]}
assert float(days["refused"]["paid_amount"]) == 0 and float(days["refused"]["amount"]) >= 85, days
assert float(days["acknowledged"]["paid_amount"]) == float(days["acknowledged"]["amount"]) > 0, days
assert all(float(d["paid_amount"]) == 0 for s, d in days.items() if s != "acknowledged"), days' <"$dir/out" || fail "journal days: $(cat "$dir/out")"
    # the issuer approves, and the card does not believe that it is its issuer: no TC, so it is taken back, at once
    serve issuer
    insert marie
    expect 1 "DECLINED" pay --amount 60 --currency EUR
    [ "$(sent 0200)" = 1 ] && [ "$(sent 0400)" = 1 ] || fail "$(cat "$dir/acquirer.log")"
    [ "$(payments reversed)" = 2 ] || fail "approved, declined by the card, and not reversed: $(journal list)"
    # one message that is always answered 96 holds up no other
    insert_new
    serve mute
    expect 4 "THE CARD HAS SIGNED" pay --amount 1.11 --currency EUR
    expect 4 "THE CARD HAS SIGNED" pay --amount 3.33 --currency EUR
    insert other
    expect 4 "THE CARD HAS SIGNED" pay --amount 2.22 --currency EUR
    serve sick
    expect 4 "96" journal send
    [ "$(payments signed)" = 2 ] || fail "held up by a 96: $(journal list)"
    journal list | grep -q '3\.33 .* signed' || fail "a card's later payment went before its earlier one: $(journal list)"
    serve 00
    expect 0 "1.11" journal send
    [ "$(payments signed)" = 0 ] || fail "not delivered: $(journal list)"
    # certificates of ours that are another authority's, or missing
    serve 00
    sed 's/^certificate=.*/certificate=stranger.pem/; s/^key=.*/key=stranger.key/' $conf >terminal/stranger.conf
    conf=terminal/stranger.conf expect 5 "telepay: " pay_12
    sed 's/^key=.*/key=stranger.key/' $conf >terminal/stranger.conf
    conf=terminal/stranger.conf expect 5 "telepay: " pay_12
    sed 's/^key=.*/key=none.key/' $conf >terminal/stranger.conf
    conf=terminal/stranger.conf pay_12 >"$dir/out" 2>&1
    case $? in 2 | 5) ;; *) fail "a missing key: $(cat "$dir/out")" ;; esac
}

killed() { # between signing and acknowledgement: nothing is lost, nothing counts twice
    [ "$(payments signed)" = 0 ] || fail "a card signed for an acquirer that refuses our certificate: $(journal list)"
    serve mute
    insert_new
    printf 1234 | telepay pay --config "$conf" --amount 3.33 --pin-fd 0 >"$dir/out" 2>&1 &
    local paying=$!
    until_said "^0200 " "$dir/acquirer.log"
    kill -9 "$paying" 2>/dev/null
    wait "$paying" 2>/dev/null
    [ "$(payments signed)" = 1 ] || fail "killed after signing: $(journal list)"
    serve 00
    expect 0 "3.33" journal send
    [ "$(payments signed)" = 0 ] || fail "$(journal list)"
}

killed_asking() { # at instants of all kinds while the issuer is asked: the journal knows what may have been asked, and takes it back, once
    local n paying asked before
    RANDOM=${SEED-1}
    before=$(payments reversed)
    for n in $(seq "${PAY_KILLS-12}"); do
        serve mute
        printf 1234 | telepay pay --config "$conf" --amount 60.0$((n % 10)) --pin-fd 0 >"$dir/out" 2>&1 &
        paying=$!
        if [ $((n % 2)) = 0 ]; then
            until_said "^0200 " "$dir/acquirer.log"
        else
            pause 0.$((RANDOM % 900 + 100))
        fi
        kill -9 "$paying" 2>/dev/null
        wait "$paying" 2>/dev/null
        asked=$(sent 0200)
        serve 00
        expect 0 "" journal send
        [ "$(payments asked)" = 0 ] && [ "$(payments "to be reversed")" = 0 ] && [ "$(payments signed)" = 0 ] || fail "kill $n: $(journal list)"
        [ "$asked" = 0 ] || [ "$(sent 040.)" = 1 ] || fail "kill $n: asked and not taken back: $(cat "$dir/acquirer.log")"
    done
    [ "$(payments reversed)" -ge $((before + n / 2)) ] || fail "$(journal list)"
}

# Runs in the background what hears SIGINT there too, which a shell's own background does not.
with_signals() {
    exec env --default-signal=INT "$@"
}

# A signal at instants of all kinds while the card works: before it is asked to sign nothing is paid, and that is said; after that the receipt comes. The
# exit code is the payment's in both, never the signal's.
signals() {
    local n=0 delay code paying before left=0 paid=0
    serve 00
    insert marie --fault slow=150
    pay_12 >"$dir/out" 2>&1 || fail "a slow card: $(cat "$dir/out")"
    printf 1234 >typed
    for delay in 0 0.4 0.8 1.1 1.4 1.7 1.9 2.1 2.3 2.5 2.7 3.0 3.3 6 12 24; do
        case $delay in 6 | 12 | 24) [ $paid = 0 ] || break ;; esac # on a slow machine none has come after it so far
        set -- INT TERM HUP
        shift $((n++ % 3))
        before=$(payments acknowledged)
        with_signals telepay pay --config "$conf" --pin-fd 0 --wait 5 --amount 12.50 --json <typed >"$dir/out" 2>"$dir/err" &
        paying=$!
        until_holds_back "$paying"
        pause "$delay"
        kill "-$1" "$paying" 2>/dev/null
        wait "$paying"
        code=$?
        python3 -m json.tool <"$dir/out" >/dev/null || fail "SIG$1 after $delay s: exit $code, no JSON: $(cat "$dir/out" "$dir/err")"
        case $code in
        0)
            grep -q '"outcome": "acknowledged"' "$dir/out" || fail "SIG$1 after $delay s: $(cat "$dir/out")"
            [ "$(payments acknowledged)" = $((before + 1)) ] || fail "SIG$1 after $delay s: $(journal list)"
            paid=$((paid + 1))
            ;;
        1)
            grep -q "nothing was paid" "$dir/err" || fail "SIG$1 after $delay s: not said: $(cat "$dir/err")"
            [ "$(payments acknowledged)" = "$before" ] || fail "SIG$1 after $delay s: $(journal list)"
            left=$((left + 1))
            ;;
        *) fail "SIG$1 after $delay s: exit $code: $(cat "$dir/out" "$dir/err")" ;;
        esac
    done
    [ "$left" -gt 0 ] && [ "$paid" -gt 0 ] || fail "the signals came all before, or all after: $left, $paid"
    # while a card is read that is not asked to pay
    with_signals telepay card --config "$conf" >"$dir/left" 2>&1 </dev/null &
    paying=$!
    until_holds_back "$paying"
    pause 0.5
    kill -INT "$paying"
    wait "$paying"
    code=$?
    [ $code = 1 ] && grep -q "given up while the card was read" "$dir/left" || fail "telepay card: $code: $(cat "$dir/left")"
}

cards() {
    wrong_words
    good_payments
    no_card
    pins_tried
    bad_cards
}

acquirers() {
    bad_acquirers
    killed
    killed_asking
}

if [ "${1:-}" = inside ]; then
    dir=$2
    cd "$dir" || exit 1
    "$3"
    down
    remove
    exit 0
fi
own_folder
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
telepay-perso card marie --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >/dev/null 2>&1 || fail "telepay-perso card"
cp -r marie factory
# a card that insists on the PIN: no "no CVM" behind it
telepay-perso card pin --scheme scheme --pan 9990140000000015 --name DUPONT/PAUL --expiry 2030-12 --pin 1234 --cvm pin >/dev/null 2>&1 || fail "telepay-perso card"
telepay-perso card other --scheme scheme --pan 9990140000000023 --name MARTIN/LUC --expiry 2030-12 --pin 1234 >/dev/null 2>&1 || fail "telepay-perso card"
telepay-perso card confirm --scheme scheme --pan 9990140000000015 --name DUPONT/ANNE --expiry 2030-12 --pin 1234 --aid F0000000141010 --label OTHER \
    --priority 2 --also F000000014101001:ASKS:1::confirm >confirm.log 2>&1 || fail "telepay-perso card: $(cat confirm.log)"
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
part=${1:-cards}
"$here/with-pcscd" "$here/pay.sh" inside "$dir" "$part" || exit 1
echo "pay.sh, $part: all as it should be"
