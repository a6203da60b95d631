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
    for shown in "telepay-emv apdu" "telepay card -v"; do
        select=()
        [ "$shown" = "telepay card -v" ] || select=(00A404000E315041592E5359532E4444463031 00B2010C00)
        # shellcheck disable=SC2086 # a command of some words
        $shown --json "${select[@]}" >shown.en && "${french[@]}" $shown --json "${select[@]}" >shown.fr || fail "$shown --json"
        for one in shown.en shown.fr; do # but for the ATC, which each reading counts up
            jq 'walk(if type == "object" and .tag == "9F36" then del(.value, .meaning) else . end)' "$one" >"$one.json" || fail "no JSON: $one"
        done
        diff shown.en.json shown.fr.json >differ || fail "JSON of $shown is another in French: $(cat differ)"
        # shellcheck disable=SC2086
        "${french[@]}" $shown "${select[@]}" >shown.txt || fail "$shown"
        grep -qF "Gabarit de réponse à READ RECORD" shown.txt || fail "$shown is not in French: $(cat shown.txt)"
        ! grep -F -f english shown.txt || fail "$shown: left in English"
    done
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
    insert gallic
    printf '1234\n' | "${french[@]}" telepay pay --config terminal/telepay.conf --amount 12.50 --pin-fd 0 --wait 10 --trace trace --explain=lesson >paid 2>&1 || fail "not paid: $(cat paid)"
    remove
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
    "${french[@]}" LC_ALL=$locale telepay-emv decode --json "" >broken 2>err
    jq -e .error.text broken >jq.out || fail "$locale: no JSON: $(cat broken err)"
    grep -q "donnée" broken || fail "$locale: not in French: $(cat broken)"
done
expect 2 "MADE, ORDER, MERCHANT, ITEM" "${french[@]}" LC_ALL=tr_TR.UTF-8 telepay order list --home home -o item,nose
expect 0 "ITEM" "${french[@]}" LC_ALL=tr_TR.UTF-8 telepay order list --home home -o item

# what data mean is in French too, as text; as JSON, which programs read, in English: the words of EMV 4.4 Book 3, A1, C1, C3 and C5, as French engineers have them
de55=9F2701809F3602001C950580000480009F34034203009F1A0202505F2A0209789A031905019C01009F020600000000125082021C008E0C000000000000000042031F00
for data in "$de55" "--atr 3B6800000073C84012009000" "--apdu 00A4040007A0000000031010 6A82" "--sw 63C3" "--mcc 5411" "--country FR" "--language fr" "--currency USD" 9F2705; do
    # shellcheck disable=SC2086 # an option and its words
    telepay-emv decode --json $data >decoded.en 2>err
    # shellcheck disable=SC2086
    "${french[@]}" telepay-emv decode --json $data >decoded.fr 2>err
    diff decoded.en decoded.fr >differ || fail "JSON of $data is another in French: $(cat differ)"
    # shellcheck disable=SC2086
    "${french[@]}" telepay-emv decode $data >>decoded.txt 2>err
done
for words in "9F27  Données d'information du cryptogramme (CID)" "- ARQC$nbsp: demander à l'émetteur" "95  Résultats de vérification du terminal (TVR)" "- octet 4 bit n°${nbsp}8$nbsp: La transaction dépasse le plafond du terminal" \
    "- Code confidentiel chiffré, vérifié en ligne" "- 12.50 EUR" "$nbsp: Vérification du porteur prise en charge"; do
    grep -qF -- "$words" decoded.txt || fail "not said: $words: $(cat decoded.txt)"
done
python3 - "$TESTS_BUILDDIR/po/fr/LC_MESSAGES/telepay.mo" >english <<'END' || fail "the catalogue cannot be read"
import gettext, sys
for english, french in gettext.GNUTranslations(open(sys.argv[1], "rb"))._catalog.items():
    if isinstance(english, str) and len(english) > 20 and "%" not in english and "\n" not in english and english != french:
        print(english)
END
[ "$(wc -l <english)" -gt 1000 ] || fail "no catalogue: $(head english)"
! grep -F -f english decoded.txt || fail "left in English"

(
    telepay-perso init scheme && for card in gallic:itfr british:enfr foreign:it; do
        telepay-perso card "${card%:*}" --scheme scheme --pan 9990140000000015 --name DUPONT/PAUL --expiry 2030-12 --pin 1234 --cvm pin --language "${card#*:}" || exit 1
    done && fake_acquirer make terminal && cp scheme/authority.json terminal/
) >made.log 2>&1 || fail "nothing was made: $(cat made.log)"
"$here/with-pcscd" "$here/french.sh" inside "$dir" || failures=$((failures + 1))

# Lessons: what the catalogue translates is in none of them in English, be it a sentence or what it is filled with.
all_french() { # lessons, texts or pages
    python3 - "$TESTS_BUILDDIR/po/fr/LC_MESSAGES/telepay.mo" "$@" <<'EOF' || fail "English is left in a lesson"
import gettext, html, re, sys
with open(sys.argv[1], "rb") as file:
    words = gettext.GNUTranslations(file)._catalog
pieces = set()
steps = {"Cardholder verification": "Vérification du porteur", "Terminal risk management": "Gestion du risque par le terminal",
         "Offline data authentication": "Authentification hors ligne des données"}  # names of bits begin so, too
for english, french in words.items():
    for piece in re.split(r"%[-0-9.*]*(?:z|ll?)?[a-zA-Z]", english[0] if isinstance(english, tuple) else english):
        if len(piece) > 20 and piece not in french and piece not in steps:
            pieces.add(" ".join(piece.split()))
assert "The card's signature (9F4B) is right: the card has the key that its certificate names, and signed this payment's data." in pieces
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as file:
        text = file.read()
    if "<body>" in text:
        assert '<html lang="fr">' in text, name
        text = text[text.index("<body>"):]
        text = html.unescape(re.sub("<[^>]*>", "", re.sub('aria-label="([^"]*)"', r">\1<", text)))
    else:
        assert max(map(len, text.splitlines())) <= 80, name
    text = " ".join(re.split("[ \n]+", text))
    assert "Content-Type:" not in text, f"{name}: what gettext says to an empty text"
    for piece in pieces:
        assert piece not in text, f"{name}: {piece}"
    whole = (*steps.values(), "le premier cryptogramme", "La signature de la carte (9F4B) est bonne", "mis à 1", "\u00a0: il contient la clé de la carte, de ")
    for sentence in ("Leçon d'un paiement", "La trace est masquée\u00a0: ") + (("Là où la trace s'arrête",) if "short" in name else whole):
        assert sentence in text, f"{name}: no {sentence}"
EOF
}
"${french[@]}" telepay explain trace >explained || fail "not explained"
cmp lesson explained || fail "the lesson at the payment is another"
grep -qx "~ terminal → porteur$nbsp: demande le code confidentiel" lesson || fail "nobody asks for a PIN: $(cat lesson)"
head -n 60 trace >begun
"${french[@]}" telepay explain --html page trace && "${french[@]}" telepay explain --html page.short begun && "${french[@]}" telepay explain begun >short || fail "not explained"
all_french lesson page short page.short
verdict
