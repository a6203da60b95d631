#!/bin/bash
# Holds each man page against --help: every command and option of the one stands in the other, and the exit codes are those of doc/design.md.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
cd "$TESTS_BUILDDIR" || exit 1
failures=0

# Those that every program and command has need no word in each page.
options() { grep -oE -- '--[a-z][a-z0-9-]*' | grep -vxE -- '--(help|usage|version)' | sort -u; }

# Words of a page as a reader sees them.
page() { mandoc -T ascii -O width=200 "$1" | col -b; }

# The first word of commands of two, with another after it or none, is answered with those that there are, and no others.
group_says() { # exit code, text, words…
    local code=$1 text=$2 said got
    shift 2
    said=$("./$program" "$@" 2>&1 </dev/null)
    got=$?
    [ $got -eq "$code" ] || fail "$program $*: exit $got, not $code: $said"
    grep -qF -- "$text" <<<"$said" || fail "$program $*: no \"$text\" in: $said"
    diff <(printf '%s\n' "${commands[@]}" | grep "^$1 ") <(sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z-]*\)\{0,1\}\)  *[A-Za-z].*/\1/p' <<<"$said") >/dev/null ||
        fail "$program $* does not list the commands of $1: $said"
}

for program in telepay telepay-acquirer telepay-centre telepay-emv telepay-issuer telepay-mediator telepay-perso telepay-purse telepay-service telepay-simcard; do
    man=$(find "$TESTS_SRCDIR/../doc" -name "$program.[18]")
    [ -n "$man" ] || { fail "$program has no man page"; continue; }
    mandoc -T lint -W warning "$man" || fail "$man: mandoc finds faults"
    while read -r other section; do
        [ -e "$TESTS_SRCDIR/../doc/$other.$section" ] || fail "$man refers to $other($section), which is not there"
    done < <(sed -n 's/^\.Xr \(telepay[a-z-]*\) \([0-9]\).*/\1 \2/p' "$man")
    text=$(page "$man")
    help=$("./$program" --help) || fail "$program --help fails"
    "./$program" --version | grep -q "^$program [0-9]" || fail "$program --version says no version"
    mapfile -t commands < <(sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z-]*\)\{0,1\}\)  *[A-Za-z].*/\1/p' <<<"$help")
    in_help=$(options <<<"$help")
    for command in "${commands[@]}"; do
        grep -qF -- "$command" <<<"$text" || fail "$man does not speak of \"$program $command\""
        # shellcheck disable=SC2086 # a command of two words is two arguments
        in_help+=" $("./$program" $command --help | options)"
    done
    in_help=$(tr ' ' '\n' <<<"$in_help" | sort -u)
    for option in $in_help; do
        grep -qE -- "$option([^a-z0-9-]|\$)" <<<"$text" || fail "$man does not speak of $option"
    done
    while read -r option; do
        grep -qxF -- "$option" <<<"$in_help" || fail "$man speaks of $option, which $program does not have"
    done < <(options <<<"$text")
    ./"$program" no-such-command >/dev/null 2>&1
    [ $? -eq 2 ] || fail "$program with a wrong command does not exit with 2"
    for group in $(printf '%s\n' "${commands[@]}" | sed -n 's/ .*//p' | sort -u); do
        group_says 2 "\"$group no-such-command\" is not a command" "$group" no-such-command
        if printf '%s\n' "${commands[@]}" | grep -qx "$group"; then continue; fi # a command itself
        group_says 2 "\"$group\" alone is not a command" "$group"
        group_says 2 "\"$group\" alone is not a command" "$group" --json
        group_says 0 "Usage: $program $group COMMAND" "$group" --help
    done
done

# the completion offers every option whole, those with a digit too
# shellcheck source=/dev/null
. "$TESTS_SRCDIR/../doc/telepay.bash-completion"
PATH=$PWD:$PATH
COMP_WORDS=(telepay-perso card --t)
COMP_CWORD=2
_telepay telepay-perso --t card
[[ " ${COMPREPLY[*]} " == *" --t0 "* ]] || fail "the completion of telepay-perso card --t is ${COMPREPLY[*]}"
verdict
