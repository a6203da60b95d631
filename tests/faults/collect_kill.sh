#!/bin/bash
# kill -9 of the centre or of the collecting run at seeded random instants, 120 times: nothing is collected twice, nothing is lost, and in the end the books of
# both sides are equal. KILLS (120) and SEED in the environment give another course.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
kills=${KILLS:-120}
RANDOM=${SEED:-2750275}
C=000000000000123
per=150 stan=1 port=0
own_folder
die() {
    echo "FAIL $*"
    tail -5 centre.err run.err 2>/dev/null
    exit 1
}
nap() {
    local seconds
    printf -v seconds '0.%03d' "$1"
    pause "$seconds"
}

# shellcheck disable=SC2015 # either failing is the end
telepay-acquirer init acq >/dev/null && telepay-acquirer contract add --dir acq --id $C --name Shop --mcc 5942 --currency EUR >/dev/null &&
    telepay-acquirer terminal add --dir acq --contract $C --id 00000001 --out term >/dev/null && telepay-centre init centre >/dev/null ||
    die "set-up"
start_centre
telepay-centre acquirer add --dir centre --id ACQ-1 --out acq/centre --url "https://127.0.0.1:$port" >/dev/null || die "set-up"

done_kills=0 centre_kills=0
while [ $done_kills -lt "$kills" ]; do
    if [ $((done_kills % 3)) -eq 0 ]; then # new transactions; else what stands is tried again
        ledger_fill acq $C 00000001 $per $stan 4 >/dev/null || die "filling"
        stan=$((stan + per))
    fi
    telepay-acquirer collect --dir acq --now --attempts 3 --pause 0 --timeout 5 >/dev/null 2>>run.err &
    run_pid=$!
    nap $((RANDOM % 160))
    if [ $((RANDOM % 2)) -eq 0 ]; then
        kill -9 $run_pid 2>/dev/null
    else
        kill -9 $centre_pid
        wait $centre_pid 2>/dev/null
        centre_kills=$((centre_kills + 1))
        start_centre
    fi
    wait $run_pid 2>/dev/null
    run_pid=''
    done_kills=$((done_kills + 1))
done

# Two runs at once, then all that is left.
telepay-acquirer collect --dir acq --now --pause 0 >/dev/null 2>>run.err &
run_pid=$!
telepay-acquirer collect --dir acq --now --pause 0 >/dev/null 2>>run.err || die "the last run"
wait $run_pid || die "the run beside it"
run_pid=''
telepay-centre alarms --dir centre --json | jq -e ".alarms == []" >jq.out || die "alarms: $(telepay-centre alarms --dir centre)"
kill -TERM $centre_pid
wait $centre_pid 2>/dev/null

python3 - "$((stan - 1))" <<'EOF' || die "the books differ"
import sqlite3, sys
want = int(sys.argv[1])
ours = sqlite3.connect("acq/ledger.db")
theirs = sqlite3.connect("centre/centre.db")
a = ours.execute("SELECT number, debits, debit_amount, credits, credit_amount, hex(hash), state FROM remise WHERE state <> 0 ORDER BY number").fetchall()
b = theirs.execute("SELECT number, debits, debit_amount, credits, credit_amount, hex(hash), result FROM remise ORDER BY number").fetchall()
assert all(r[6] == 3 for r in a), "not all are collected: %s" % [r for r in a if r[6] != 3]
assert all(r[6] == 0 for r in b), "the centre refused something"
assert [r[:6] for r in a] == [r[:6] for r in b], "remises differ"
assert [r[0] for r in a] == list(range(1, len(a) + 1)), "numbers have gaps"
items = theirs.execute("SELECT count(*), count(DISTINCT rrn) FROM item WHERE refused = ''").fetchone()
assert items == (want, want), "items %s, wanted %d" % (items, want)
kept = ours.execute("SELECT count(*), sum(amount) FROM tx").fetchone()
taken = theirs.execute("SELECT count(*), sum(amount) FROM item").fetchone()
assert kept == taken, "%s %s" % (kept, taken)
print("%d remises, %d transactions, equal on both sides" % (len(a), want))
EOF
echo "$done_kills kills, $centre_kills of them of the centre"
