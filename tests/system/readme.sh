#!/bin/bash
# README.md tells the truth: the commands of "The commands, one by one", "Sell a page, and pay for it", "Pay from a purse" and "Offline, online, refused, blocked, unblocked" are read from it and run, one
# line after the other, in a folder of their own. A line whose remark begins with a word in capitals (APPROVED, REFUSED) must say that word. So are those of "Four doors"
# (after $), and each line that stands below one there must be among what it says, numbers apart.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
readme=$TESTS_SRCDIR/../README.md

block() { # heading: the indented lines of the first block under it
    awk -v heading="$1" '
        $0 == heading { under = 1; next }
        under && /^#/ { exit }
        under && /^    / { sub(/^    /, ""); print; seen = 1; next }
        under && seen && NF { exit }' "$readme"
}

listening() { # port
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

until_true() { # command…
    for _ in $(seq 300); do
        "$@" >/dev/null 2>&1 && return
        pause 0.05
    done
    fail "never came true: $* $(cat ./*.log)"
}

card_seen() { telepay readers | grep -q 3B; }
sells_to_purses() { curl -s --cacert med/pki/ca.pem -o /dev/null -D - https://localhost:8843/s/journal/article-1 | grep -q 'method="purse"'; }
issuer_reached() { grep -q "is reached" background.log; }

run_line() { # line
    local command word code
    command=${1%%  *# *}
    word=$(sed -n 's/.*  *# \([A-Z]\{4,\}\).*/\1/p' <<<"$1")
    command=${command//RRN/${rrn-}}
    case $command in
    '') return ;;
    *'&')
        eval "$command" >>background.log 2>&1 </dev/null
        case $command in
        *simcard*) until_true card_seen ;;
        *mediator*) until_true listening 8843 ;;
        *purse*) until_true listening 8744 && until_true sells_to_purses ;;
        *) for port in 8683 8443 8583; do until_true listening $port; done; until_true issuer_reached ;;
        esac
        return
        ;;
    esac
    eval "$command" >out 2>&1
    code=$?
    case $word in
    REFUSED) [ $code = 1 ] ;;
    *) [ $code = 0 ] ;;
    esac || fail "$command: exit $code: $(cat out) $(cat background.log)"
    [ -z "$word" ] || grep -q "$word" out || fail "$command does not say $word: $(cat out)"
    grep -q '^Reference' out && rrn=$(sed -n 's/^Reference *//p' out)
    echo "ok   ${word:+$word: }$command"
}

# What is another time and another number at each run looks the same.
same_numbers() { sed -E 's/[0-9A-F]{8,}/#/g; s/[0-9]+/#/g'; }

door() { # a command, then a line of what it says, …
    local command=$1 line
    shift
    run_line "$command"
    same_numbers <out >said
    for line in "$@"; do
        grep -qF -- "$(same_numbers <<<"$line")" said || fail "$command does not say \"$line\": $(cat out)"
    done
}

doors() {
    local line says=()
    while IFS= read -r line <&5; do
        case $line in
        '$ '*)
            [ ${#says[@]} = 0 ] || door "${says[@]}"
            says=("${line#"$ "}")
            n=$((n + 1))
            ;;
        … | '') ;;
        *) says+=("$line") ;;
        esac
    done 5< <(awk '$0 == "## Four doors" { under = 1; next } under && /^## / { exit } /^```/ { inside = !inside; next } under && inside' "$readme")
    door "${says[@]}"
}

inside() {
    local n=0 line
    cd "$1" || exit 1
    trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT # what README's & left behind
    export XDG_CONFIG_HOME=$PWD/config # the payer's folder
    for heading in "## The commands, one by one" "## Sell a page, and pay for it" "## Pay from a purse" "### Offline, online, refused, blocked, unblocked"; do
        while IFS= read -r line <&4; do
            run_line "$line"
            n=$((n + 1))
        done 4< <(block "$heading")
        [ "$heading" != "## The commands, one by one" ] || doors
    done
    [ "$n" -ge 40 ] || fail "only $n lines found in README.md"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    inside "$2"
    exit
fi
own_folder
"$TESTS_SRCDIR/system/with-pcscd" "$TESTS_SRCDIR/system/readme.sh" inside "$dir" || exit 1
echo "readme.sh: the README's commands do what it says"
