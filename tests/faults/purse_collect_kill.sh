#!/bin/bash
# kill -9 of a purse's collecting run, of the centre or of the purse itself at seeded random instants, while customers pay and draw vouchers: nothing is collected
# twice, nothing is lost, and in the end the books of both sides are equal to the cent, item by item. KILLS (50) and SEED in the environment give another course.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
kills=${KILLS:-50}
RANDOM=${SEED:-2750275}
port=0
own_folder

collect=(telepay-purse collect --attempts 3 --pause 0 --timeout 5) # no function: of one in the background the shell would be killed, and not the run

strike() { # beside a run that collects
    case $((RANDOM % 4)) in
    0)
        kill -9 "$centre_pid"
        wait "$centre_pid" 2>/dev/null
        start_centre
        centres=$((centres + 1))
        ;;
    1)
        kill -9 "$purse"
        wait "$purse" 2>/dev/null
        serve_purse
        servers=$((servers + 1))
        ;;
    *)
        kill -9 "$run" 2>/dev/null
        runs=$((runs + 1))
        ;;
    esac
}

make_purse
sed -i 's/^day = .*/day = 1000000.00/; s/^balance = .*/balance = 1000000.00/' purse/purse.conf
serve_purse
[ "$(post /purse about)" = 200 ] || fail "no word about it"
acquirer=$(jq -r .acquirer about)
for name in one two; do
    open_account $name
    expect 0 "came into" telepay-purse account fill --account "$number" --amount 900000.00 --reference "$name"
done
telepay-centre init centre >/dev/null || fail "centre init"
start_centre
telepay-centre acquirer add --dir centre --id PURSE-1 --out purse/centre --url "https://127.0.0.1:$port" >/dev/null || fail "acquirer add"
python3 "$here/../tools/purse_customers.py" "$purse_port" purse/pki/ca.pem med one.pem two.pem >payments 2>customers.log &
customers=$!

centres=0 servers=0 runs=0
while [ $((centres + servers + runs)) -lt "$kills" ]; do
    "${collect[@]}" >>collect.out 2>>collect.err &
    run=$!
    nap 160
    strike
    wait "$run" 2>/dev/null
done
touch stop
wait $customers || fail "the customers: $(cat customers.log)"
"${collect[@]}" >>collect.out 2>>collect.err || fail "the last run: $(tail -5 collect.err)"
kill "$purse" "$centre_pid"
wait "$purse" "$centre_pid" 2>/dev/null
telepay-centre alarms --dir centre --json | jq -e ".alarms == []" >jq.out || fail "alarms: $(telepay-centre alarms --dir centre)"
expect 0 "" telepay-purse audit

python3 - <<'EOF' || fail "the books differ"
import sqlite3

ours, theirs = sqlite3.connect("purse/purse.db"), sqlite3.connect("centre/centre.db")
a = ours.execute("SELECT number, payments - reversals, amount, hex(hash), state FROM remise WHERE closed IS NOT NULL ORDER BY number").fetchall()
b = theirs.execute("SELECT number, debits, debit_amount, hex(hash), 3 FROM remise WHERE result = 0 ORDER BY number").fetchall()
assert a == b, "remises differ: %s %s" % (a, b)
assert [r[0] for r in a] == list(range(1, len(a) + 1)), "numbers have gaps"
paid = ours.execute("SELECT payment, amount FROM payment WHERE code = '00' UNION ALL SELECT voucher, amount FROM voucher ORDER BY 1").fetchall()
taken = theirs.execute("SELECT CAST(rrn AS INTEGER), amount FROM item WHERE refused = '' ORDER BY 1").fetchall()
assert paid == taken, "%d paid, %d taken" % (len(paid), len(taken))
print("%d remises, %d payments and vouchers, equal on both sides" % (len(a), len(paid)))
EOF
echo "purse_collect_kill.sh: kills of runs $runs, centre $centres, purse $servers"
