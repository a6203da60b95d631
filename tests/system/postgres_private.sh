#!/bin/bash
# with-postgres: COMMAND's code comes back, its database works, and nothing is left behind whatever ends it.
set -u
with=$TESTS_SRCDIR/system/with-postgres

fail() {
    echo "FAIL: $*"
    exit 1
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export WITH_POSTGRES_FSYNC=off DIR=$dir

nothing_left() {
    local place segment
    read -r place segment <"$dir/place"
    [ ! -e "$place" ] || fail "$1: $place is left"
    ! pgrep -f "$place/data" >/dev/null || fail "$1: a process is left"
    ! ipcs -m | awk '{ print $2 }' | grep -qx "$segment" || fail "$1: shared memory is left"
}

# shellcheck disable=SC2016 # for the inner shell
note='echo "$WITH_POSTGRES_DIR $(sed -n "7s/.* //p" "$WITH_POSTGRES_DIR/data/postmaster.pid")" >"$DIR/place"; '

# shellcheck disable=SC2016
"$with" bash -c "$note"'
    [ "$(psql -XAt "$TELEPAY_TEST_POSTGRES" -c "SHOW listen_addresses")" = "" ] || exit 1
    psql -Xq "$TELEPAY_TEST_POSTGRES" -c "CREATE DATABASE another" || exit 2
    [ "$(psql -XAt "${TELEPAY_TEST_POSTGRES/telepay_test/another}" -c "SELECT 6 * 7")" = 42 ] || exit 3
    exit 17' || code=$?
[ "${code:-0}" = 17 ] || fail "exit ${code:-0}, not 17"
nothing_left "a command that fails"

# shellcheck disable=SC2016
"$with" bash -c "$note"'kill -KILL $(head -n 1 "$WITH_POSTGRES_DIR/data/postmaster.pid")' || fail "a server that is killed"
nothing_left "a server that is killed"

# shellcheck disable=SC2016
"$with" bash -c "$note"'kill -STOP $(head -n 1 "$WITH_POSTGRES_DIR/data/postmaster.pid")' || fail "a server that is stopped"
nothing_left "a server that is stopped"

for signal in TERM INT; do
    rm -f "$dir/place"
    # Of a background job bash ignores SIGINT: env gives it back.
    env --default-signal=INT "$with" bash -c "$note"'exec sleep 60' &
    pid=$!
    for _ in $(seq 400); do
        [ -s "$dir/place" ] && break
        sleep 0.05
    done
    kill -$signal $pid
    wait $pid && fail "SIG$signal: exit 0"
    nothing_left "SIG$signal"
done

"$with" 2>/dev/null
[ $? = 125 ] || fail "no command"
