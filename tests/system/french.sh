#!/bin/bash
# In a French locale every program speaks French, with the same exit codes and the same JSON; the cardholder is asked for the PIN in the language that the card prefers
# (EMV 4.4 Book 4, 11.1), whatever that of the person who runs the program.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

nbsp=$'\u00a0' # as French has it before a colon
pay() { # at a terminal, where words are waited for and answered: pairs, then the command that it is run by
    local dialogue=()
    while [[ ${1:-} == *"("* ]]; do
        dialogue+=("$1" "$2")
        shift 2
    done
    "$here/../tools/at_terminal.py" "${dialogue[@]}" -- "$@" telepay pay --config terminal/telepay.conf --amount 12.50 --currency EUR --wait 10
}
french=(env TELEPAY_LOCALEDIR="$TESTS_BUILDDIR/po" LC_ALL=fr_FR.UTF-8)

if [ "${1:-}" = inside ]; then
    dir=$2
    cd "$dir" || exit 1
    french+=(LOCPATH="$dir")
    launch acquirer.log listening fake_acquirer serve terminal 00
    insert gallic # it prefers Italian, which is not spoken here, then French
    expect 0 "12.50 EUR to Librairie du Port. Code confidentiel (3 essais restants)$nbsp: " pay "(3 essais restants)" $'9999\n' "(2 essais restants)" $'1234\n'
    said "Code faux. Code confidentiel (2 essais restants)$nbsp: "
    said "APPROVED"
    insert british
    expect 0 "12.50 EUR à Librairie du Port. PIN (3 tries left): " pay "(3 tries left)" $'1234\n' "${french[@]}"
    insert foreign # none of its languages is spoken: that of the program is
    expect 0 "12.50 EUR à Librairie du Port. Code confidentiel (3 essais restants)$nbsp: " pay "(3 essais restants)" $'1234\n' "${french[@]}"
    remove
    # what a mediator answers is UTF-8, whatever its own locale has
    telepay-mediator init med --listen 127.0.0.1:18843 --origin https://localhost:18843 >made.log 2>&1 || fail "no mediator: $(cat made.log)"
    launch mediator.log listening "${french[@]}" LC_ALL=fr_FR.ISO-8859-1 telepay-mediator serve --dir med
    order=https://localhost:18843/orders/aaaaaaaaaaaaaaaaaaaaaaaaaa/dispute
    curl -s --cacert med/pki/ca.pem -d '{' $order >answer || fail "curl: exit $?"
    [ "$(jq -r .detail answer | grep -o "ce n'est pas .*")" = "ce n'est pas du JSON, à l'octet 1" ] || fail "not in French and UTF-8: $(cat -v answer)"
    curl -s --cacert med/pki/ca.pem -d '{' -H 'Accept: text/html' -H 'Accept-Language: fr' $order >answer || fail "curl: exit $?"
    iconv -f UTF-8 -t UTF-16 answer >/dev/null && grep -q 'Paiement à distance' answer || fail "the page is not UTF-8: $(cat -v answer)"
    "${french[@]}" LC_ALL=fr_FR.ISO-8859-1 telepay-mediator order show aaaaaaaaaaaaaaaaaaaaaaaaaa --dir med >answer 2>err
    jq -e '.error.text | test("é|à|«")' answer >/dev/null || fail "the error is not JSON in French: $(cat -v answer err)"
    telepay journal list --config terminal/telepay.conf --json >list.en && telepay-emv decode --json 9F270180 >decoded.en || fail "no JSON"
    "${french[@]}" telepay journal list --config terminal/telepay.conf --json >list.fr && "${french[@]}" telepay-emv decode --json 9F270180 >decoded.fr || fail "no JSON in French"
    cmp list.en list.fr && cmp decoded.en decoded.fr || fail "JSON is another in French"
    [ "$(jq '.payments | length' list.fr)" = 3 ] || fail "not three payments: $(cat list.fr)"
    exit 0
fi

own_folder
failures=0
localedef -i fr_FR -f UTF-8 "$dir/fr_FR.UTF-8" >localedef.log 2>&1 || {
    echo "localedef makes no fr_FR.UTF-8: ./quickstart packages check: $(cat localedef.log)"
    exit 77
}
french+=(LOCPATH="$dir")
echo leak:__argz_add_sep >lsan # what newlocale(3) makes of LOCPATH when a library calls it: glibc's
export LSAN_OPTIONS=suppressions=$dir/lsan:print_suppressions=0

for program in telepay telepay-acquirer telepay-centre telepay-emv telepay-issuer telepay-mediator telepay-perso telepay-purse telepay-service; do
    expect 2 "$program: «${nbsp}nonsense$nbsp» n'est pas une commande" "${french[@]}" $program nonsense
    expect 0 "Chacune répond à --help" "${french[@]}" $program --help
    unsaid "Usage: "
done
# each command's help, as argp shows it: nothing of it is left in English
for command in "telepay pay" "telepay-acquirer contract add" "telepay-mediator service add" "telepay-purse account fill" "telepay-perso card" "telepay-emv apdu" telepay-simcard; do
    # shellcheck disable=SC2086 # a command of two words
    expect 0 "Afficher cette aide" "${french[@]}" $command --help
    match=-E unsaid "[[:space:]](the|which|of|Give|Print)[[:space:]]"
done
# errors, with the exit codes of before
expect 2 "nowhere" "${french[@]}" telepay-emv decode --file nowhere
unsaid "cannot read"
expect 2 "n'est pas une commande" env TELEPAY_LOCALEDIR="$TESTS_BUILDDIR/po" LC_ALL=C.UTF-8 LANGUAGE=fr telepay nonsense
expect 2 '"nonsense" is not a command' env LOCPATH="$dir" LC_ALL=fr_FR.UTF-8 TELEPAY_LOCALEDIR="$dir" telepay nonsense # no catalogue there

# what is written is UTF-8 and its letters are ASCII's, whatever the locale has: JSON is there, and a list is one list
localedef -i fr_FR -f ISO-8859-1 "$dir/fr_FR.ISO-8859-1" >>localedef.log 2>&1
localedef -i tr_TR -f UTF-8 "$dir/tr_TR.UTF-8" >>localedef.log 2>&1
for locale in fr_FR.ISO-8859-1 fr_FR.UTF-8; do
    "${french[@]}" LC_ALL=$locale telepay-emv decode --json --atr 3B0F >broken 2>err
    jq -e '.atr or .objects or .fault or .error' broken >jq.out || fail "$locale: no JSON: $(cat broken err)"
    grep -q "tronqu" broken || fail "$locale: not in French: $(cat broken)"
done
expect 2 "MADE, ORDER, MERCHANT, ITEM" "${french[@]}" LC_ALL=tr_TR.UTF-8 telepay order list --home home -o item,nose
expect 0 "ITEM" "${french[@]}" LC_ALL=tr_TR.UTF-8 telepay order list --home home -o item

(
    telepay-perso init scheme && for card in gallic:itfr british:enfr foreign:it; do
        telepay-perso card "${card%:*}" --scheme scheme --pan 9990140000000015 --name DUPONT/PAUL --expiry 2030-12 --pin 1234 --cvm pin --language "${card#*:}" || exit 1
    done && fake_acquirer make terminal && cp scheme/authority.json terminal/
) >made.log 2>&1 || fail "nothing was made: $(cat made.log)"
"$here/with-pcscd" "$here/french.sh" inside "$dir" || failures=$((failures + 1))
verdict
