#!/bin/bash
# What the system tests share: each sources it, after `set -u`. A test works in a folder of its own, $dir, where the output of what it runs is in `out`.
PATH=${TESTS_BUILDDIR:?}:$TESTS_BUILDDIR/tests/system:$TESTS_BUILDDIR/tests/tools:$PATH:/usr/sbin
# shellcheck disable=SC2034 # for those that source this, as paying below
here=${TESTS_SRCDIR:?}/system # for with-pcscd, and a test that runs itself in it
card=                         # the process of the card that `insert` puts in

# Waits without a process: one costs ten milliseconds, and what waits for something does so again and again.
exec {never}<> <(:) # a pipe that nobody writes to
pause() { # seconds
    ! read -rt "$1" -u "$never"
}
nap() { # fewer milliseconds than this
    local seconds
    printf -v seconds '0.%03d' $((RANDOM % $1))
    pause "$seconds"
}

# A test ends with its first fault; one that says failures=0 counts them, and ends with verdict.
fail() {
    echo "FAIL: $*"
    [ -n "${failures-}" ] || exit 1
    failures=$((failures + 1))
}

verdict() { exit $((failures > 0)); }

# A folder for this test, which goes with all that still runs when the test ends.
own_folder() {
    dir=$(mktemp -d) || exit 1
    trap clean_up EXIT
    cd "$dir" || exit 1
}

clean_up() {
    local started
    for started in $(jobs -p); do
        kill -KILL "$started"
    done 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}

heard() { cat "$dir/out" "$dir"/*.log 2>/dev/null; }

# As grep -q, without a process where it can: for plain words in a file without a NUL, which `read` reads to its end.
file_has() { # -F, -G or -E, text, file
    local text
    if { [ "$1" = -F ] || [[ $2 != *[][\\.*^$+?(){}\|]* ]]; } && [ -f "$3" ] && ! IFS= read -r -d '' text <"$3"; then
        [ -n "$text" ] && [[ $text == *"$2"* ]]
    else
        grep -q "$1" -- "$2" "$3"
    fi
}

# Texts are taken as they are; where match is -G or -E, as patterns. A ticket breaks its sentences where its line ends.
holds_text() { file_has "${match--F}" "$1" "$dir/out" || tr '\n' ' ' <"$dir/out" | grep -q "${match--F}" -- "$1"; }
expect() { # exit code, text in what it says, command…
    local code=$1 text=$2 got
    shift 2
    "$@" >"$dir/out" 2>&1
    got=$?
    [ "$got" = "$code" ] || fail "$*: exit $got, not $code: $(heard)"
    holds_text "$text" || fail "$*: no \"$text\" in: $(heard)"
}

said() { holds_text "$1" || fail "no \"$1\" in: $(cat "$dir/out")"; }
unsaid() { ! file_has "${match--F}" "$1" "$dir/out" || fail "\"$1\" in: $(cat "$dir/out")"; }

until_said() { # pattern, file
    local left
    for left in {600..0}; do
        file_has -G "$1" "$2" 2>/dev/null && return
        [ "$left" = 0 ] || pause 0.05
    done
    fail "never said \"$1\": $(cat "$2")"
}

until_listed() { # pattern in `telepay readers`
    local left
    for left in {300..0}; do
        telepay readers 2>&1 | grep -q -- "$1" && return
        [ "$left" = 0 ] || pause 0.05
    done
    fail "never listed: \"$1\": $(telepay readers 2>&1) $(heard)"
}

until_unlisted() { # pattern in `telepay readers`
    local left
    for left in {300..0}; do
        telepay readers 2>&1 | grep -q -- "$1" || return 0
        [ "$left" = 0 ] || pause 0.05
    done
    fail "still listed: \"$1\": $(telepay readers 2>&1)"
}

begin() { # log, command…: in the background; its process is $begun
    local log=$1
    shift
    : >"$log" # here, and not by the process, which may be slow to begin: or what waits for its words reads those of the last one
    "$@" >>"$log" 2>&1 &
    begun=$!
}

until_holds_back() { # process: a payment; until it has begun, and keeps signals for when the card may be left
    local left
    for left in {600..0}; do
        # (between its fork and what it becomes, bash holds them back too)
        [ "$(cat "/proc/$1/comm")" = telepay ] && [ $((0x$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$1/status") & 2)) != 0 ] && return
        [ "$left" = 0 ] || pause 0.05
    done
    fail "process $1 never held signals back: $(heard)"
}

launch() { # log, words of it that say that it is up, command…: its process is $launched
    local log=$1 up=$2
    shift 2
    begin "$log" "$@"
    launched=$begun
    until_said "$up" "$log"
}

# The card in the first virtual reader of with-pcscd.
insert() { # folder, options of telepay-simcard…
    remove
    launch "$dir/simcard.log" "in the reader" telepay-simcard "$@"
    card=$launched
}

remove() {
    [ -n "$card" ] || return 0
    kill "$card" 2>/dev/null
    wait "$card" 2>/dev/null
    card=
    until_listed 'Virtual PCD 00 00 *PC/SC *none'
}

at_prompt() { # command…: a payment, $paying, that waits for the PIN on descriptor 3, which is the pipe `held`; its words are in `paying`
    rm -f held
    mkfifo held
    begin paying "$@" --no-pinpad --pin-fd 3 -v 3<>held
    # shellcheck disable=SC2034
    paying=$begun
    until_said "verifying the cardholder" paying
}

light_key() { # file, code: the key that it enciphers costs no second of the processor any more
    "$here/../tools/light_key.py" "$1" "$2" || fail "light_key.py $1"
}

# The centre of the folder `centre`, at the port that it had before; its process is $centre_pid.
# shellcheck disable=SC2120 # called without, too
start_centre() { # options…
    : >centre.out
    telepay-centre serve --dir centre --listen "127.0.0.1:${port:-0}" "$@" >centre.out 2>>centre.err &
    # shellcheck disable=SC2034
    centre_pid=$!
    until_said listening centre.out
    port=$(sed -n 's/.*://p' centre.out)
}

exec </dev/null # what waits for a word of a person waits in vain
