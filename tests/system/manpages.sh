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

# Codes that cost little to have; each is one that the page promises.
exits() { # exit code, words…
    local code=$1 said got
    shift
    said=$("./$program" "$@" 2>&1 </dev/null)
    got=$?
    [ $got -eq "$code" ] || fail "$program $*: exit $got, not $code: $said"
    [[ " $promised " == *" $code "* ]] || fail "$man promises no $code, which $program $* exits with"
}

# A wrong option, what is not there, and what cannot be made. Who drives no reader promises no 3: it can have none.
exits_of() {
    local full=/dev/full/x
    promised=$(sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It \([0-9]*\)$/\1/p' "$man" | tr '\n' ' ')
    [[ $promised == "0 "*"2 "*"70 74 " ]] || fail "$man promises the exit codes $promised"
    [[ " $promised" != *" 3 "* ]] || ldd "./$program" | grep -q pcsclite || fail "$man promises 3, and $program drives no reader"
    case $program in
    telepay) exits 2 --no-such-command && exits 74 authority add --home $full /dev/null ;;
    telepay-emv) exits 2 --no-such-command && exits 2 decode 9F ;;
    telepay-simcard) exits 2 no-such-folder && exits 74 $full ;;
    telepay-perso) exits 2 inspect no-such-folder && exits 74 init $full ;;
    telepay-issuer) exits 2 list --dir $full ;;
    telepay-acquirer) exits 2 list --dir $full && exits 74 init $full --authority /dev/null ;;
    telepay-purse) exits 2 list --dir $full && exits 74 init $full --iban FR7630006000011234567890189 ;;
    *) exits 2 serve --dir $full && exits 74 init $full ;;
    esac
}

# As mdoc(7) has them, with those of our own after DESCRIPTION.
sections=(NAME SYNOPSIS DESCRIPTION OPTIONS FAULTS ENVIRONMENT FILES "EXIT STATUS" EXAMPLES "SEE ALSO" STANDARDS)

for program in telepay telepay-acquirer telepay-centre telepay-emv telepay-issuer telepay-mediator telepay-perso telepay-purse telepay-service telepay-simcard; do
    man=$(find "$TESTS_SRCDIR/../doc" -name "$program.[18]")
    [ -n "$man" ] || { fail "$program has no man page"; continue; }
    mandoc -T lint -W warning "$man" || fail "$man: mandoc finds faults"
    while read -r other section; do
        [ -e "$TESTS_SRCDIR/../doc/$other.$section" ] || fail "$man refers to $other($section), which is not there"
    done < <(sed -n 's/^\.Xr \(telepay[a-z-]*\) \([0-9]\).*/\1 \2/p' "$man")
    diff <(grep '^\.Sh ' "$man" | sed 's/\.Sh //') <(printf '%s\n' "${sections[@]}" | grep -xFf <(sed -n 's/^\.Sh //p' "$man")) >/dev/null ||
        fail "$man: sections that mdoc(7) does not have, or not in its order"
    text=$(page "$man")
    [ "$(tr -cd '[' <<<"$text" | wc -c)" = "$(tr -cd ']' <<<"$text" | wc -c)" ] || fail "$man: a bracket is lost"
    help=$("./$program" --help) || fail "$program --help fails"
    "./$program" --version | grep -q "^$program [0-9]" || fail "$program --version says no version"
    mapfile -t commands < <(sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z-]*\)\{0,1\}\)  *[A-Za-z].*/\1/p' <<<"$help")
    [ ${#commands[@]} -le 12 ] || grep -q '^The books:$\|^At a reader:$' <<<"$help" || fail "$program --help: ${#commands[@]} commands without a heading"
    in_help=$(options <<<"$help")
    for command in "${commands[@]}"; do
        grep -qF -- "$command" <<<"$text" || fail "$man does not speak of \"$program $command\""
        # shellcheck disable=SC2086 # a command of two words is two arguments
        in_help+=" $("./$program" $command --help | options)"
    done
    in_help=$(tr ' ' '\n' <<<"$in_help" | sort -u)
    in_page=$(options <<<"$text" | sort -u)
    for option in $(comm -23 <(echo "$in_help") <(echo "$in_page")); do
        fail "$man does not speak of $option"
    done
    for option in $(comm -13 <(echo "$in_help") <(echo "$in_page")); do
        fail "$man speaks of $option, which $program does not have"
    done
    exits_of
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
