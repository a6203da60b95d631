#!/bin/bash
# kill -9 of a purse, and of its operator's commands, at seeded random instants while four accounts pay one order after the other and open sessions whose
# vouchers are drawn: what was acknowledged is in the books, once, with the same bytes for whoever asks again; no transfer is booked twice, no remise is lost, and all that came in is somewhere. KILLS (100)
# and SEED in the environment give another course.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
kills=${KILLS:-100}
RANDOM=${SEED:-2750275}
own_folder

cut_off() { # command… of the operator, killed at some instant
    (
        timeout -s KILL "$(printf '0.%03d' $((RANDOM % 40 + 1)))" "$@"
        exit $?
    ) >>operator.log 2>&1
    [ $? != 137 ] || commands=$((commands + 1))
}

# A transfer is booked until its books say that it is.
fill_killed() {
    local account=${numbers[RANDOM % 4]} left
    transfers=$((transfers + 1))
    for left in {20..0}; do
        cut_off telepay-purse account fill --account "$account" --amount 5.00 --reference "R$transfers"
        telepay-purse account fill --account "$account" --amount 5.00 --reference "R$transfers" >>operator.log 2>&1
        grep -q "R$transfers is booked already" operator.log && return
        [ "$left" = 0 ] && fail "transfer R$transfers is never booked: $(tail -3 operator.log)"
    done
}

strike() {
    case $((RANDOM % 8)) in
    0) fill_killed ;;
    1) cut_off telepay-purse close ;;
    2) cut_off telepay-purse payout --out bank ;;
    *)
        kill -KILL "$purse"
        wait "$purse" 2>/dev/null
        serve_purse
        servers=$((servers + 1))
        ;;
    esac
}

make_purse
sed -i 's/^day = .*/day = 100000.00/; s/^balance = .*/balance = 100000.00/' purse/purse.conf
serve_purse
[ "$(post /purse about)" = 200 ] || fail "no word about it"
acquirer=$(jq -r .acquirer about)
numbers=()
for name in one two three four; do
    open_account $name
    numbers+=("$number")
    expect 0 "came into" telepay-purse account fill --account "$number" --amount 50000.00 --reference "$name"
done
servers=0 commands=0 transfers=0
python3 "$here/../tools/purse_customers.py" "$purse_port" purse/pki/ca.pem med one.pem two.pem three.pem four.pem >payments 2>customers.log &
customers=$!
while [ $((servers + commands)) -lt "$kills" ]; do
    nap 100
    strike
done
touch stop
wait $customers || fail "the customers: $(cat customers.log)"
[ -s payments ] || fail "nothing was paid"

telepay-purse list --json | jq -r '.payments[] | [.account, .order, .amount, .code] | join(" ")' | sort >kept
awk '{ printf "%s %s %d.%02d %s\n", $1, $2, $4 / 100, $4 % 100, $5 }' payments | sort >told
diff told kept >differ || fail "what was told and what is kept: $(head differ)"
read -r by_vouchers sessions <drawn
paid=$(awk '$5 == "00" { sum += $4 } END { print sum + 0 }' payments)
merchants=$(telepay-purse status --json | jq -r '.sums[0] | (.owed | tonumber) + (.paid_out | tonumber) | . * 100 | round')
[ "$merchants" = $((paid + by_vouchers)) ] || fail "merchants have $merchants, not $paid and $by_vouchers by vouchers"
[ "$(telepay-purse status --json | jq -r '.sums[0].reserved')" = 0.00 ] || fail "something is still reserved: $(telepay-purse status)"
[ "$sessions" -gt 0 ] || fail "no session was opened"
[ "$(cut -d ' ' -f 2 kept | sort | uniq -d)" = "" ] || fail "an order counts twice"
expect 0 "" telepay-purse audit
filled=$((4 * 50000 + transfers * 5)).00
[ "$(telepay-purse status --json | jq -r '.sums[0].filled')" = "$filled" ] || fail "$filled came in: $(telepay-purse status)"
expect 0 "" telepay-purse close
expect 0 "" telepay-purse payout --out bank
[ "$(telepay-purse remise list --json | jq -r '.remises[] | select(.state != "open") | .payout' | grep -c .)" = "$(telepay-purse remise list --json | jq '[.remises[] | select(.state == "paid out")] | length')" ] ||
    fail "a closed remise is not paid out: $(telepay-purse remise list)"
echo "purse_kill.sh: kills of purse $servers, operator $commands; $(wc -l <kept) payments, $(awk '$6 > 1' payments | wc -l) asked again, $sessions sessions, $transfers transfers, $(telepay-purse remise list --json | jq '.remises | length') remises"
