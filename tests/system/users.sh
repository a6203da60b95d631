#!/bin/bash
# Users of one payer device, each with a plan, a journal and a key of their own; what a plan lets be paid, what unasked, and what a session came to: against tests/tools/fake_mediator.py.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

tools=${TESTS_SRCDIR:?}/tools
export XDG_CONFIG_HOME=$PWD/config # no test writes into a real one
unset TELEPAY_USER
get() { # NAME, words…: without a terminal to ask on
    local name=$1
    shift
    printf '%b' "${pins-1234}" | setsid telepay get --cacert mediator/tls.pem --home home --user "$name" --pin-fd 0 --wait 5 --patience 6 "$@"
}
add() { telepay user add --home home --code-fd 3 "$1" 3< <(printf '%b' "${codes-code of $1\\n}"); }
passwd() { telepay user passwd --home home --user "$1" --code-fd 3 3< <(printf '%b' "$2"); }
key() { telepay user list --home "${2-home}" --json | jq -r --arg user "$1" '.users[] | select(.user == $user) | .key'; }
session() { telepay session show --home home --json --user "$@"; }
asks() { expect 2 "no terminal to ask on" get "$@"; }
pays() { expect 0 "paid" get "$@"; }
quiet() { "$@" >"$dir/out" 2>&1 || fail "$*: $(cat "$dir/out")"; }
squeezed() { "$@" | tr -s ' '; } # of columns, the words
plan() { local name=$1; shift; quiet telepay plan set --home home --user "$name" "$@"; }
sum() { session "$1" | python3 -c 'import json,sys; s=json.load(sys.stdin); print(" ".join("%s %s %s" % (o["order_count"], o["paid_amount"], o["currency"]) for o in s["overall"]), [m["means"] for m in s["by_means"]])'; }
orders() { telepay order list --home home --user "$1" --json | jq '.orders | length'; }

own_users() {
    expect 0 "no limit nothing nothing" squeezed telepay plan --home home
    expect 0 "--user NAME or TELEPAY_USER says who pays from now on (who paid without, --user default); next: telepay plan set --user marie" add marie
    quiet add paul
    expect 2 "there is a user paul already" add paul
    expect 2 "small letters" add ../paul
    codes=short expect 2 "a code has 6 to 128 characters" add anne
    codes='' expect 1 "no code was given" add anne
    [ ! -e home/users/anne ] || fail "anne was added without a code"
    expect 0 marie telepay user list --home home
    said paul
    said default
    [ "$(stat -c %a home/users home/users/marie)" = "700
700" ] || fail "others may look into a user's folder"
    expect 2 "say who you are with --user NAME" telepay get --cacert mediator/tls.pem --home home --up-to "90.00 EUR" "$base/s/shop/chart"
    expect 2 "there is no user" get nobody "$base/s/shop/chart"
    TELEPAY_USER=marie expect 0 "emv" telepay plan --home home
}

plans() {
    # by nothing; up to less than it costs; in another currency: refused before a card is asked for
    remove
    plan marie --means emv --never
    plan marie --means purse --never
    said "no order is paid; telepay plan set --means emv"
    expect 0 "no order is paid; telepay plan set --means emv" telepay plan --home home --user marie
    [ "$(telepay plan --home home --user marie --json | tr -d ' \n')" = '{"plan":[]}' ] || fail "$(telepay plan --home home --user marie --json)"
    expect 1 "not in your plan" get marie "$base/s/shop/chart"
    plan marie --means emv --up-to "12.49 EUR"
    expect 1 "your plan pays by emv up to 12.49 EUR" get marie --up-to "90.00 EUR" "$base/s/shop/chart"
    plan marie --means emv --up-to "20.00 USD"
    expect 1 "up to 20.00 USD" get marie --up-to "90.00 EUR" "$base/s/shop/chart"
    expect 2 "does not pay by" telepay plan set --home home --user marie --means shells
    expect 2 "--means emv" telepay plan set --home home --user marie
    expect 2 "--unasked-session" telepay plan set --home home --user paul --means emv --unasked-session "1.00 EUR"
    plan marie --means emv --unasked "12.50 EUR"
    sed -i '/^unasked_session/d' home/users/marie/plan.ini
    expect 0 "12.50 EUR no limit" squeezed telepay plan --home home --user marie
    [ ! -e home/users/marie/journal.db ] || [ "$(orders marie)" = 0 ] || fail "something was signed"
    insert card
    plan marie --means emv --up-to "20.00 EUR" --unasked "12.50 EUR" --unasked-session "30.00 EUR"
    plan paul --means emv --unasked "0.50 EUR"
    expect 0 "5.00 EUR" telepay plan show --home home --user paul # ten times, where it is not said
    [ "$(telepay plan --home home --user marie --json | tr -d ' \n')" = '{"plan":[{"means":"emv","up_to":{"amount":"20.00","currency":"EUR"},"unasked":{"amount":"12.50","currency":"EUR"},"unasked_session":{"amount":"30.00","currency":"EUR"}}]}' ] || fail "$(telepay plan --home home --user marie --json)"
}

confirmed() {
    expect 0 "No session is under way" telepay session --home home --user marie
    asks paul "$base/s/shop/chart" # 12.50
    asks paul --up-to "90.00 EUR" "$base/s/shop/chart" # the command line raises nothing
    pays marie "$base/s/shop/chart"
    pays marie "$base/s/shop/other"
    asks marie "$base/s/shop/third" # 37.50 in a session
    [ "$(sum marie)" = "2 25.00 EUR ['emv']" ] || fail "$(sum marie)"
    [ "$(sum paul)" = " []" ] || fail "$(sum paul)"
    asks marie "$base/s/shop/chart?price=1251"
    asks marie --up-to "0.10 EUR" "$base/s/shop/third"
    pause 1 # a session's payments are those from its second on
    expect 0 "A session began at " telepay session begin --home home --user marie
    said "telepay session shows"
    expect 0 "nothing was paid" telepay session --home home --user marie
    pays marie "$base/s/shop/third"
    expect 0 "12.50 EUR" telepay session --home home --user marie
    said overall
    [ "$(sum marie)" = "1 12.50 EUR ['emv']" ] || fail "$(sum marie)"
    [ "$(orders marie)" = 3 ] && [ "$(orders paul)" = 0 ] && [ "$(orders default)" = 0 ] || fail "$(orders marie) $(orders paul)"
    plan paul --means emv --unasked none
    pays paul --up-to "12.50 EUR" "$base/s/shop/chart" # who has no such plan says it each time
    [ "$(orders paul)" = 1 ] || fail "$(orders paul)"
}

# The card signs no payee, so that its user's key does: it is selected by the identifier and opened by the code.
keys() {
    local n
    [ "$(key marie) $(key default)" = "enciphered not yet made" ] || fail "$(telepay user list --home home)"
    ! grep -aq '"d"' home/users/*/device.jwk || fail "a key is kept as it is"
    [ "$(stat -c %a home/users/marie/device.jwk)" = 600 ] || fail "others may read a key"
    remove
    pause 1 # a session's payments are those from its second on
    quiet telepay session begin --home home --user marie
    insert old
    pays marie --code-fd 3 "$base/s/shop/old" 3< <(echo "code of marie")
    grep -q "signed by the device" mediator.log || fail "$(cat mediator.log)"
    pays marie --code-fd 3 "$base/s/shop/old" 3< <(printf 'code of paul\ncode of marie\n') # once more, and right
    expect 0 "" telepay order list --home home --user marie
    plan marie --means emv --unasked "12.50 EUR" --unasked-session "90.00 EUR"
    expect 5 "wrong tries: 1" get marie --code-fd 3 "$base/s/shop/older" 3< <(echo "code of paul")
    said "nothing is paid"
    expect 5 "wrong tries: 3" passwd marie 'code of paul\nno code at all\n'
    expect 2 "no terminal to ask the code on" get marie "$base/s/shop/older"
    # another code, without which the old one opens nothing
    expect 0 "The new code opens the key of marie from now on" passwd marie 'code of marie\nanother code\n'
    expect 5 "wrong tries: 1" passwd marie 'code of marie\n'
    quiet passwd marie 'another code\ncode of marie\n'
    # of the default user, whose key has no code until it is given one
    pays default --up-to "12.50 EUR" "$base/s/shop/old"
    [ "$(key default)" = "without a code" ] || fail "$(key default)"
    cp home/device.jwk plain
    expect 2 "telepay user passwd first" telepay user export --home home --out exported default
    quiet passwd default 'a code now\n'
    [ "$(key default)" = "enciphered" ] || fail "$(key default)"
    # whoever is killed changing the code has the old one or the new one
    for n in 1 2 3 4 5 6 7 8; do
        cp plain home/device.jwk
        telepay user passwd --home home --user default --code-fd 3 3< <(echo "a new code") &
        pause "0.$((RANDOM % 500 + 100))"
        kill -9 $!
        wait $! 2>/dev/null
        case $(key default) in
        "without a code") cmp plain home/device.jwk || fail "kill $n: the old key is another" ;;
        enciphered) quiet passwd default 'a new code\na new code\n' ;;
        *) fail "kill $n: $(telepay user list --home home)" ;;
        esac
    done
}

second_device() {
    local url one
    expect 0 "The key of marie is in exported, and their code opens it; next, on the other device: telepay user import exported" \
        telepay user export --home home --out exported marie
    ! grep -aq '"d"' exported || fail "a key goes out as it is"
    expect 5 "the code is wrong" telepay user import --home other --code-fd 3 exported 3< <(echo "code of paul")
    [ ! -e other/users/marie ] || fail "marie is there without her code"
    expect 0 "marie pays from this device, too, with the key of the other one: --user marie" telepay user import --home other --code-fd 3 exported 3< <(echo "code of marie")
    [ "$(key marie other)" = enciphered ] && cmp -s exported other/users/marie/device.jwk || fail "$(key marie other)"
    expect 2 "there is a user marie already" telepay user import --home other --code-fd 3 exported 3< <(echo "code of marie")
    # the same key on two devices: an order is one device's all the same
    expect 0 "" telepay authority add --home other mediator/ca.pem
    curl -s --cacert mediator/tls.pem "$base/s/shop/chart" >demand
    url=$(jq -r .order demand)
    remove
    begin one.log telepay pay --order "$url" --cacert mediator/tls.pem --home home --user marie --code-fd 3 --pin-fd 4 --wait 120 --up-to "100.00 EUR" \
        3< <(echo "code of marie") 4< <(printf 1234)
    one=$begun
    until_said "must show the code" one.log
    expect 2 "another device has taken this order" telepay pay --order "$url" --cacert mediator/tls.pem --home other --user marie --code-fd 3 --wait 0 --up-to "100.00 EUR" \
        3< <(echo "code of marie")
    insert old
    wait "$one" || fail "not paid: $(cat one.log)"
    head -c 40 exported >cut_off
    expect 2 "cut off" telepay user import --home third cut_off
    sed '1s/ 1$/ 2/' exported >newer
    expect 2 "newer version" telepay user import --home third newer
    python3 -c 'b = bytearray(open("exported", "rb").read()); b[-1] ^= 1; open("flipped", "wb").write(b)'
    expect 5 "was altered" telepay user import --home third --code-fd 3 flipped 3< <(echo "code of marie")
    expect 2 "no enciphered key" telepay user import --home third plain
    chmod 644 home/users/marie/device.jwk
    expect 5 "chmod" telepay user list --home home
    chmod 600 home/users/marie/device.jwk
}

removed() {
    expect 2 "paul stays as it is: say --yes" telepay user remove --home home paul </dev/null
    said "with paul go for good"
    [ -d home/users/paul ] || fail "removed unasked"
    expect 1 "paul stays as it is" "$tools/at_terminal.py" "remove paul? [y/N]" $'n\n' -- telepay user remove --home home paul
    [ -d home/users/paul ] || fail "removed after a no"
    expect 0 "paul is removed, with plan, journal and key" "$tools/at_terminal.py" "remove paul? [y/N]" $'y\n' -- telepay user remove --home home paul
    said "with paul go for good: the key, but where it was exported to; the plan; the journal, with 1 order and what proves it"
    expect 0 "New code of the key of nina (6 to 128 characters)" "$tools/at_terminal.py" 'New code' $'code of nina\n' 'The same again' $'code of nina\n' -- telepay user add --home home nina
    expect 0 "nina is removed" telepay user remove --home home --yes nina
    [ ! -e home/users/paul ] || fail "paul is there still"
    expect 2 "there is no user" telepay user remove --home home --yes paul
}

if [ "${1:-}" = inside ]; then
    dir=$2
    cd "$dir" || exit 1
    echo ok >mediator/mode
    launch "$dir/mediator.log" "listening on" python3 "$tools/fake_mediator.py" serve "$dir/mediator" 0
    base=https://localhost:$(sed -n 's/^listening on //p' "$dir/mediator.log")
    expect 0 "" telepay authority add --home home mediator/ca.pem
    own_users
    plans
    confirmed
    keys
    second_device
    removed
    remove
    exit 0
fi
own_folder
python3 -c 'import cryptography' 2>/dev/null || { echo "python3-cryptography is missing: ./quickstart packages check"; exit 77; }
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
perso() { telepay-perso card "$@" --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >perso.log 2>&1 || fail "telepay-perso card: $(cat perso.log)"; }
perso card
perso old --cdol1 9F02069F03069F1A0295055F2A029A039C019F37049F35019F45029F4C089F3403
fake_acquirer make terminal && sed -i 's/^tac_default=.*/tac_default=0000000000/' terminal/telepay.conf || fail "fake_acquirer make"
python3 "$tools/fake_mediator.py" make mediator terminal/telepay.conf scheme/authority.json || fail "fake_mediator make"
"$here/with-pcscd" "$here/users.sh" inside "$dir" || exit 1
echo "users.sh: all as it should be"
