#!/bin/bash
# A purse's account in a browser: headless Chromium, telepay agent, and a card in the reader. The purse's page leads to the agent, which asks its person in a window
# and leads back to the account; there credit is bought by card at a mediator, whose page leads back again. Without JavaScript, too; in French, on a narrow screen.
#
# With BROWSER_SHOTS=FOLDER the pages are kept there as pictures.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
# shellcheck source=tests/system/agent_common.sh
. "$here/agent_common.sh"
# shellcheck source=tests/system/browser_common.sh
. "$here/browser_common.sh"
by_purse=000000000000125
of_purse=000000000000777 # the purse's own, where it sells credit for cards
purse_port=18745
at_purse=https://localhost:$purse_port
phrase=let-me-in

purse() { printf '%s\n' "$phrase" | telepay purse "$@" --home home --cacert authorities.pem --code-fd 0; }
does() { # at the question; the code and the PIN are typed
    printf 'CONFIRM %s\nGETPIN 1234\nCODE %s\n' "$1" "$phrase" >person/does.new
    mv person/does.new person/does
}

set_up() {
    set_up_acquirer
    expect 0 "" telepay-acquirer contract add --id $of_purse --name "Telepay Purse" --mcc 6540 --currency EUR
    further=("$of_purse")
    set_up_mediator
    expect 0 "made the purse" telepay-purse init purse --iban FR7630006000011234567890189
    printf '[seller port]\nat = %s/s/purse\n' "$origin" >>purse/purse.conf
    sed -i "s|^# url = .*|url = $at_purse|" purse/purse.conf
    expect 0 "is open" telepay-purse contract add --id $by_purse --name "Librairie du Port" --currency EUR --iban "$bank"
    expect 0 "is in frompurse" telepay-purse mediator add --name port --contract $by_purse --out frompurse --url https://127.0.0.1:$purse_port
    expect 0 "1 contract" telepay-mediator acquirer add frompurse
    expect 0 "contract" telepay-mediator service add jp --name shop --contract 000000000000123 --contract $by_purse
    expect 0 "fills accounts" telepay-purse trust add --contract $of_purse --authority acq/pki/ca.pem
    expect 0 "may sell credit" telepay-purse seller add --name port --out seller --url "https://127.0.0.1:$purse_port"
    expect 0 "contract $of_purse" telepay-mediator service add seller --name purse --contract $of_purse
    expect 0 "" telepay authority add --home home purse/pki/ca.pem
    cat med/pki/ca.pem purse/pki/ca.pem >authorities.pem
    serve_purse
    serve_shop
    expect 0 "is open, in EUR" purse open --at "$at_purse"
    light_key home/device.jwk $phrase
    account=$(telepay purse list --home home --json | jq -r '.purses[0].account')
    acquirer_of_purse=$(telepay purse list --home home --json | jq -r '.purses[0].purse')
    mkdir person
    printf '#!/bin/sh\nexec "%s" "%s"\n' "$here/../tools/pinentry_double.py" "$dir/person" >person/pinentry
    chmod +x person/pinentry
    does yes
    launch agent.log listening telepay agent --home home --cacert authorities.pem --pinentry "$dir/person/pinentry" -v
    launch driver.log "started successfully" chromedriver --port=18515
    export WEBDRIVER=http://127.0.0.1:18515
}

# What the agent does when it is asked, apart from browsers.
by_agent() {
    asks() { curl -s --max-time 20 -o body -D heads -w '%{http_code}' -H "${2:-Sec-Fetch-Mode: navigate}" "$at_agent$1"; }
    answers() { # status, text, path, head
        local got
        got=$(asks "$3" "${4-}")
        [ "$got" = "$1" ] || fail "the agent says $got to $3, not $1: $(cat body)"
        grep -qF -- "$2" body || fail "the agent says no \"$2\" to $3: $(cat body)"
    }
    until_answered() { # status
        local left
        for left in {300..0}; do
            [ "$(asks /purse/page)" = "$1" ] && return
            [ "$left" = 0 ] || pause 0.1
        done
        fail "the agent never says $1: $(cat body agent.log)"
    }
    answers 404 "No page" /purse/page
    answers 400 "no number of a purse" "/purse?purse=no%20purse"
    answers 403 "a link that you followed" /purse "Sec-Fetch-Mode: no-cors"
    answers 403 "a link that you followed" /purse "Origin: https://evil.example"
    answers 403 "a link that you followed" /purse "Host: evil.example"
    does no # its person does not want it
    : >person/shown
    answers 200 'content="1;url=/purse/page"' "/purse?purse=$acquirer_of_purse"
    until_answered 403
    grep -q "Show the page of your account at telepay purse ($at_purse) in the browser" person/shown || fail "what was asked: $(cat person/shown)"
    ! grep -q "GETPIN" person/shown || fail "the code was asked for: $(cat person/shown)"
    answers 404 "No page" /purse/page # it is told once
    does waits
    answers 200 "A window asks" /purse
    answers 409 "Another payment is under way" /purse
    answers 200 "A window asks" /purse/page
    does yes
    until_answered 303
    tr -d '\r' <heads | grep -qE "^Location: $at_purse/page\?ticket=[A-Za-z0-9_-]{22}\$" || fail "it leads elsewhere: $(cat heads)"
    answers 404 "No page" /purse/page
}

comes_in() { # words of the purse's page and its button
    browser open "$at_purse/account"
    reads "$1"
    fits
    shot "$name-1-enter"
    does waits
    browser click a.button
    browser until-url "$at_agent/purse"
    fits
    shot "$name-2-agent"
    does yes
    browser until-url "$at_purse/account"
}

# From the account's page to where credit is sold, and back.
filled() { # amount as it is typed, as it is shown; words: too much, what is bought, paid, filled; the balance
    browser type '#amount' 5000
    browser click button
    browser until '[role=alert]' "$3"
    fits
    shot "$name-4-too-much"
    browser clear '#amount'
    browser type '#amount' "$1"
    browser click button
    browser until .amount "$2"
    reads "$4"
    fits
    browser attribute a.button href
    said "$at_agent/pay?order=$origin/orders/"
    browser click a.button
    browser until-url "$origin/orders/"
    browser until h1 "$5"
    browser click a.button
    browser until h1 "$6"
    fits
    shot "$name-5-filled"
    browser click a.button
    browser until-url "$at_purse/account"
    browser until .amount "$7"
    fits
    shot "$name-6-account"
}

bought() { # article: from the account, in a session
    printf '%s\n' $phrase | telepay get --cacert authorities.pem --home home --code-fd 0 --up-to "1000 EUR" --means purse "$origin/s/shop/article-1?$1" >out 2>&1 || fail "not bought: $(cat out)"
}

inside() {
    cd "$dir" || exit 1
    set_up
    by_agent
    insert cards/marie
    browser start
    name=en
    comes_in "Who holds the account?"
    browser until .amount "0.00 EUR"
    reads "Nothing was paid in or out yet"
    reads "$account"
    fits
    shot en-3-new
    filled 20 "20.00 EUR" "more than the account may take in" "Credit of 20.00 EUR for the purse account …${account: -4}" Paid "It is in your account" "20.00 EUR"
    reads "filled by card, order"
    filled 20 "20.00 EUR" "more than the account may take in" "Credit of 20.00 EUR for the purse account …${account: -4}" Paid "It is in your account" "40.00 EUR" # the same again is bought again
    bought 1
    printf '%s\n' $phrase | telepay session start 5.00 EUR --cacert authorities.pem --home home --code-fd 0 >out 2>&1 || fail "no session: $(cat out)"
    bought 2
    bought 3
    browser open "$at_purse/account"
    browser until .amount "32.00 EUR"
    reads "5.00 EUR at port"
    reads "Librairie du Port: "
    fits
    shot en-7-session
    link=$(purse page) || fail "no link"
    browser open "$link" # which needs no agent
    browser until .amount "32.00 EUR"
    browser open "$link"
    reads "This link is used"
    browser quit
    browser start --language=fr --width=360 --dark
    name=fr
    comes_in "Qui est le titulaire"
    browser until .amount "32,00 EUR"
    reads "Librairie du Port"
    fits
    shot fr-3-account
    filled "10,50" "10,50 EUR" "plus que le compte ne peut recevoir" "Crédit de 10,50 EUR pour le compte …${account: -4}" Payé "C'est sur votre compte" "42,50 EUR"
    expect 0 "is stopped" telepay-purse account stop --account "$account" --reason "key lost"
    browser open "$at_purse/account"
    reads "key lost"
    leaves "Recharger par carte chez"
    fits
    shot fr-7-stopped
    expect 0 "is open" telepay-purse account open --account "$account"
    browser quit
    browser start --no-script
    name=plain
    comes_in "Who holds the account?"
    browser until .amount "42.50 EUR"
    browser quit
    expect 0 "" telepay-purse audit
    ! grep -aqE 'let-me-in|ticket=' ./*.log -r home || fail "a code or a ticket stands where it must not"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/purse_browser.sh" inside "$dir" || exit 1
echo "purse_browser.sh: an account looked at and filled with a browser"
