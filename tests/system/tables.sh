#!/bin/bash
# Lists: heads, columns by -o, what a terminal cuts and leaves out, the pager, and what tells how far long work is.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
C=000000000000123
export TERM=vt100
unset PAGER LESS TELEPAY_USER
own_folder

acquirer() { telepay-acquirer "$@" --dir acq; }
at() { # COLUMNS ROWS [TEXT ANSWER…] -- command…: at a terminal of that size, what it shows in out
    local columns=$1 rows=$2 dialogue=()
    shift 2
    while [ "$1" != -- ]; do dialogue+=("$1") && shift; done
    shift
    # shellcheck disable=SC2016 # of the inner shell
    "$here/../tools/at_terminal.py" "${dialogue[@]}" -- sh -c 'stty cols "$0" rows "$1" && shift && exec "$@"' "$columns" "$rows" "$@" >shown
    local code=$?
    tr -d '\r' <shown >out
    return $code
}
narrow() { # COLUMNS: no line of out is wider, but for words to people
    local line
    while IFS= read -r line; do
        [ ${#line} -le "$1" ] || fail "wider than $1: \"$line\" of: $(cat out)"
    done < <(grep -v '^telepay' out)
}
line() { sed -n "$1p" out; }
is() { [ "$1" = "$2" ] || fail "\"$1\", not \"$2\": $(cat out)"; }

expect 0 "" telepay-acquirer init acq

# ---- heads, over an empty list too
expect 0 "" acquirer terminal list
is "$(line 1)" "CONTRACT TERMINAL CAPABILITIES SERIAL ACQUIRER STATE"
is "$(wc -l <out)" 1
at 80 24 -- telepay-acquirer terminal list --dir acq || fail "exit $?"
is "$(line 1)" "CONTRACT TERMINAL CAPABILITIES SERIAL ACQUIRER STATE"
at 80 24 -- telepay-acquirer contract list --dir acq || fail "exit $?"
narrow 80
grep -q "^CONTRACT .* STATE$" out || fail "the state is left out: $(cat out)"
expect 0 "" acquirer terminal list --json
is "$(tr -d ' \n' <out)" '{"terminals":[]}'
for list in "telepay authority list" "telepay order list" "telepay purse list" "telepay dispute list"; do
    # shellcheck disable=SC2086 # words
    expect 0 "" $list --home home
    grep -qE '^[A-Z]+( [A-Z]+)+$' out || fail "$list of nothing has no heads: $(cat out)"
done

# ---- columns
name="Librairie des Quais de la Rive Gauche"
expect 0 "" acquirer contract add --id $C --name "$name" --mcc 5942 --currency EUR --town "Saint-Nazaire" --postcode 44600
expect 0 "" acquirer contract list
is "$(line 1 | tr -s ' ')" "CONTRACT NAME MCC CURRENCY COUNTRY FLOOR CEILING NO_CVM CREDIT_CEILING REFUNDS CLOSE_HOUR SIRET POSTCODE TOWN STATE"
said "$name" # in a file nothing is cut
expect 0 "" acquirer contract list -o state,CONTRACT
is "$(tr -s ' ' <out)" "STATE CONTRACT
open $C"
expect 0 "" acquirer contract list --columns=contract,Contract
is "$(line 1)" "CONTRACT"
expect 0 "" acquirer contract list -o +contract
is "$(line 1 | wc -w)" 15
expect 2 '"iban" is no column of this list: it has CONTRACT, NAME, MCC, CURRENCY' acquirer contract list -o contract,iban
expect 2 '"" is no column' acquirer contract list -o ""
expect 2 '"" is no column' acquirer contract list -o "contract,"
expect 2 "it has contract, name" acquirer contract list --json -o nom
expect 0 "" acquirer contract list --json -o contract,state
is "$(tr -d ' \n' <out)" "{\"contracts\":[{\"contract\":\"$C\",\"state\":\"open\"}]}"
expect 0 "" telepay plan set --home home --means emv --up-to "20 EUR"
expect 0 "" telepay plan --home home --json -o up_to,means
is "$(jq -c '.plan[] | select(.means == "emv")' out)" '{"means":"emv","up_to":{"amount":"20.00","currency":"EUR"}}'
expect 2 '"nose" is no column of this list: it has means, up_to, unasked, unasked_session' telepay plan --home home --json -o nose
expect 2 "is no column of this list: it has LINK, STATE, FOUND" telepay readers --doctor -o nose
# every list of every program has it, and says so
for program in telepay telepay-acquirer telepay-centre telepay-issuer telepay-mediator telepay-purse telepay-service; do
    while read -r list; do
        # shellcheck disable=SC2086 # a command of two words
        $program $list --help | grep -q -- '-o, --columns=COLUMN' || fail "$program $list has no -o"
    done < <($program --help | sed -nE 's/^  (([a-z]+ )?(list|days|readers|history|authorisations|refusals|alarms)) .*/\1/p')
done

# ---- at a terminal
at 80 24 -- telepay-acquirer contract list --dir acq || fail "exit $?"
narrow 80
said "$C"
said "no room for "
unsaid "$name"
said "Librairie "
grep -q "^CONTRACT .* STATE *$" out || fail "the state is left out: $(cat out)"
at 80 24 -- telepay-acquirer contract list --dir acq -o +town || fail "exit $?"
narrow 80
said "TOWN"
at 240 24 -- telepay-acquirer contract list --dir acq || fail "exit $?"
is "$(line 1 | wc -w)" 15
said "$name"
unsaid "no room"
at 24 24 -- telepay-acquirer contract list --dir acq -o contract,name || fail "exit $?"
narrow 24
said "$C Librairi"
at 80 24 -- telepay-acquirer contract list --dir acq --json || fail "exit $?"
said "$name"

# ---- what is not there
for list in list "remise list" "terminal list"; do
    # shellcheck disable=SC2086 # words
    expect 2 "there is no contract 000000000000999" acquirer $list --contract 000000000000999
done
expect 2 "there is no remise 7: see remise list" acquirer list --remise 7
expect 2 "there is no remise 7: see remise list" acquirer list --remise 7 --contract $C
expect 0 "RRN" acquirer list --remise 1
expect 2 "there is no issuer Nowhere: see issuer list" acquirer authorisations --issuer Nowhere
expect 2 'there is no issuer "../keys": see issuer list' acquirer authorisations --issuer ../keys --state asked

# ---- the pager: of what is longer than the screen, at a terminal alone
expect 0 "" acquirer terminal add --contract $C --id 00000001 --out term
expect 0 "" ledger_fill acq $C 00000001 60
export PAGER="sed 's/^/paged /'"
at 80 24 -- telepay-acquirer list --dir acq || fail "exit $?"
is "$(grep -c '^paged ' out)" 61
sed -i 's/^paged //' out
narrow 80
said "no room for"
at 80 61 -- telepay-acquirer list --dir acq || fail "exit $?"
is "$(grep -c '^paged ' out)" 61
at 80 62 -- telepay-acquirer list --dir acq || fail "exit $?"
unsaid paged
at 80 24 -- telepay-acquirer list --dir acq --json || fail "exit $?"
unsaid paged
expect 0 "" acquirer list
unsaid paged
PAGER="cat" at 80 24 -- telepay-acquirer list --dir acq || fail "exit $?"
is "$(wc -l <out)" 62 # and that there was no room
PAGER="head -n 1" at 80 24 -- telepay-acquirer list --dir acq || fail "who leaves early: exit $?: $(cat out)"
PAGER=no-such-pager at 80 24 -- telepay-acquirer list --dir acq
is $? 74
said "cannot print the list"
for none in "" "  "; do
    PAGER=$none at 80 24 -- telepay-acquirer list --dir acq || fail "PAGER=\"$none\": exit $?"
    is "$(wc -l <out)" 62 # and that there was no room
done
unset PAGER
at 80 24 : q -- telepay-acquirer list --dir acq || fail "less: exit $?: $(cat out)"

# ---- no room for what is printed: what only shows has failed, and who has read enough is told nothing
full() { # command…
    "$@" >/dev/full 2>out
    is $? 74
    said ": standard output: No space left on device"
}
rrn=$(telepay-acquirer list --dir acq --json | jq -r '.transactions[0].rrn')
for shown in list "show $rrn" "remise show 1 --contract $C" "contract list" "issuer list"; do
    # shellcheck disable=SC2086 # words
    full acquirer $shown
    # shellcheck disable=SC2086
    full acquirer $shown --json
done
for program in telepay telepay-acquirer telepay-centre telepay-emv telepay-issuer telepay-mediator telepay-perso telepay-purse telepay-service; do
    full $program --help
    full $program --version
done
full telepay authority --help
full telepay-emv decode 9F2701809F360200015F2D02656E
full telepay-emv decode --json 9F270180
full telepay plan --home home
acquirer list >rows # which is more than a buffer
is "$(wc -l <rows)" 61
acquirer list 2>err | head -n 0 # SIGPIPE ends it, or it had written all before
[ ! -s err ] || fail "a pipe that was left: $(cat err)"
for shown in "acquirer show $rrn" "telepay-emv decode 9F270180" "telepay-emv decode --json 9F270180" "telepay-acquirer --help"; do
    (trap '' PIPE && { sleep 0.2 && $shown 2>err || fail "a pipe that was left: $shown: exit $?"; } | :)
    [ ! -s err ] || fail "a pipe that was left: $shown: $(cat err)"
done
acquirer contract add --id 000000000000124 --name Marin --mcc 5942 --currency EUR >/dev/full 2>out || fail "what is done has failed: $(cat out)"
said "standard output: No space left on device"
expect 0 "Marin" acquirer contract list

# ---- how far it is
at 80 24 -- telepay-acquirer audit --dir acq
said $'\033[K1 of 60 transactions'
at 80 24 -- sh -c 'telepay-acquirer audit --dir acq 2>err'
unsaid " of 60 "
[ ! -s err ] || fail "told to a file: $(cat err)"
expect 0 "" telepay-centre init centre
start_centre
expect 0 "" telepay-centre acquirer add --dir centre --id ACQ-1 --out acq/centre --url "https://127.0.0.1:$port"
expect 2 "there is no contract 000000000000999" acquirer submit --contract 000000000000999
at 80 24 -- telepay-acquirer collect --dir acq --now || fail "exit $?: $(cat out)"
said $'\033[K1 of 60 transactions of the remise'
ledger_fill acq $C 00000001 100001 100 || fail "no payments"
began=$EPOCHREALTIME
at 80 24 -- sh -c 'telepay-acquirer list --dir acq >list'
ended=$EPOCHREALTIME
is "$(wc -l <list)" 100062
said $'\033[K100001 rows'
[ "$(tail -c 4 shown)" = $'\r\033[K' ] || fail "it stays: $(cat -v out)"
times=$(grep -o ' rows' out | wc -l)
[ "$times" -le $(((${ended/./} - ${began/./}) / 200000 + 1)) ] || fail "told $times times from $began to $ended"
at 80 24 -- sh -c 'telepay-acquirer list --dir acq >list 2>err'
[ ! -s out ] && [ ! -s err ] || fail "told: $(cat out err)"
