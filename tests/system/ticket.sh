#!/bin/bash
# Tickets of `telepay pay` and `journal show`: on a printer and as text, in both languages and every width, again as a copy; and printers that do not print.
# What a printer gets is rendered by tests/tools/escpos.py, which shares nothing with the program. The acquirer is tests/system/fake_acquirer.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
export LC_ALL=C.UTF-8

conf=terminal/telepay.conf
pay() { printf 1234 | telepay pay --config "$conf" --pin-fd 0 --wait 20 --amount 12.50 "$@"; }
show() { telepay journal show --config "$conf" "$rrn" "$@"; }
rendered() { # file, width: the tickets, in $dir/out
    "$TESTS_SRCDIR/tools/escpos.py" "$1" "$2" >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
}
style() { # the lines of [ticket]
    sed '/^\[ticket\]/,/^\[/{/^\[ticket\]/d;/^\[/!d}' $conf >plain.conf && { cat plain.conf && printf '[ticket]\n%b\n' "$1"; } >$conf
}
acknowledged() { telepay journal list --config "$conf" | grep -c ' acknowledged'; }

on_paper() {
    mkfifo printer
    cat printer >got &
    expect 0 "APPROVED" pay --print printer
    unsaid "not printed"
    wait $!
    rrn=$(sed -n 's/^Reference *//p' "$dir/out")
    rendered got 44
    match=-E
    said '^ +\*CARD\* \*PAYMENT\*$'
    said '^ +56100 L'\''Épine$'
    said '^SIRET +43033271800021$'
    said '^#AMOUNT# +#12.50# #EUR#$'
    said "^ +MERCHANT'S COPY\$"
    said "^ +CUSTOMER'S COPY\$"
    unset match
    [ "$(grep -c -- '^-- cut --$' "$dir/out")" = 2 ] || fail "two tickets are not two: $(cat "$dir/out")"
    unsaid "DUPLICATE"
    unsaid 9990140000000015
}

# The card likes French, the shop offers it: the customer's is in French, the merchant's in the shop's own.
by_language() {
    style 'languages = en fr\nwidth = 32\nprinter = ../paper'
    insert francais
    expect 0 "MONTANT :" pay
    said "TICKET CLIENT"
    unsaid "APPROVED"
    rendered paper 32
    said "MERCHANT'S COPY"
    said "TICKET CLIENT"
    said "Le $(date +%d/%m/)"
    rm paper
    style 'languages = en\nwidth = 32'
    expect 0 "APPROVED" pay --ticket both
    said "MERCHANT'S COPY"
    said "CUSTOMER'S COPY"
    style 'languages = fr en'
    insert marie # likes English, then French
    expect 0 "APPROVED" pay --ticket customer
    expect 0 "DEBIT" pay --ticket merchant
    style 'languages = fr'
    expect 0 "CARTE BANCAIRE" pay
}

# A copy of each width and language, as text and on paper; both are the same but for what a printer makes of it.
copies() {
    local width language
    for language in en fr; do
        for width in 24 32 42 48; do
            style "languages = $language\nwidth = $width"
            show --ticket both >text 2>&1 || fail "$(cat text)"
            rm -f paper
            show --print paper >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
            rendered paper $width
            match=-E said 'DUPLICAT[AE]'
            [ "$(wc -L <text)" -le "$width" ] || fail "over $width columns: $(cat text)"
            diff <(tr -d '*#' <"$dir/out" | grep -v -- '-- cut --') <(tr -d '*#' <text | sed '/^$/d; s/ *$//') >difference ||
                fail "$language, $width: paper and text differ: $(cat difference)"
        done
    done
}

# Whatever the printer does, the payment is made, it is said, and the ticket is printed again.
bad_printers() {
    local before device
    style 'languages = en'
    before=$(acknowledged)
    for device in /dev/full /dev/no-such-printer . nowhere/printer printer; do # the last is a FIFO that nobody reads
        expect 0 "the ticket is not printed, and the payment is as it was" pay --print $device
        said "APPROVED"
        said "$device"
        expect 74 "not printed" show --print $device
    done
    # one that takes what it has room for, and no more: switched off, or without paper
    "$TESTS_SRCDIR/tools/full_fifo.py" printer >full.log 2>&1 &
    local holder=$!
    until_said full full.log
    expect 0 "does not take it: is the printer on, and has it paper?" pay --print printer
    said "APPROVED"
    # and one that leaves
    kill $holder
    wait $holder
    style 'languages = en\nprinter = /dev/full'
    expect 0 "no paper" pay
    expect 0 '"outcome": "acknowledged"' pay --json
    said "not printed"
    expect 2 "no \"printer\"" sh -c "sed '/^printer/d' $conf >terminal/none.conf; telepay journal show --config terminal/none.conf $rrn --print -"
    [ "$(acknowledged)" = $((before + 8)) ] || fail "a payment was lost: $(telepay journal list --config "$conf")"
    style 'languages = en'
    rm -f paper
    expect 0 "DUPLICATE" show --print paper
    rendered paper 44
    said "$rrn"
    style 'languages = en\nprinter = ../paper'
    expect 0 "12.50 EUR" show --print - # behind the last ones
    rendered paper 44
    [ "$(grep -c -- '^-- cut --$' "$dir/out")" = 4 ] || fail "$(cat "$dir/out")"
}

wrong_words() {
    expect 2 "customer, merchant or both" pay --ticket cook
    style 'languages = de'
    expect 2 '"languages" in section [ticket] must be en, fr or both' pay
    style 'width = 23'
    expect 2 '"width" in section [ticket] must be a number from 24 to 48' pay
    style 'width = 49'
    expect 2 '"width" in section [ticket]' pay
}

inside() {
    dir=$1
    cd "$dir" || exit 1
    launch acquirer.log listening fake_acquirer serve terminal 00 # writes $conf
    sed -i "s/^serial=.*/&\nsiret=43033271800021\ntown=L'Épine\npostcode=56100/" $conf
    insert marie
    wrong_words
    style 'languages = en'
    on_paper
    by_language
    copies
    bad_printers
}

if [ "${1-}" = inside ]; then
    inside "$2"
    exit
fi
own_folder
"$TESTS_SRCDIR/tools/escpos.py" --selftest || exit 1
telepay-perso init scheme >/dev/null 2>&1 || fail "telepay-perso init"
for card in marie:enfr francais:defr; do
    telepay-perso card ${card%:*} --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 --language ${card#*:} >out 2>&1 || fail "$(cat out)"
done
fake_acquirer make terminal || fail "fake_acquirer make"
cp scheme/authority.json terminal/
"$here/with-pcscd" "$here/ticket.sh" inside "$dir" || exit 1
echo "ticket.sh: all as it should be"
