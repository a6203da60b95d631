#!/bin/bash
# Bought with a browser: headless Chromium, telepay agent, and the card in the reader. The link of the page leads to the agent, which asks its person in a
# window (a double of pinentry), and back to the page, which shows the code, follows the order by itself and leads on to what was paid for. Without
# JavaScript; with a second device that reads the code of the page; in French; on a narrow screen.
#
# With BROWSER_SHOTS=FOLDER the pages are kept there as pictures.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/mediator_common.sh
. "$here/mediator_common.sh"
# shellcheck source=tests/system/agent_common.sh
. "$here/agent_common.sh"
# shellcheck source=tests/system/browser_common.sh
. "$here/browser_common.sh"

page_order() { browser attribute '#state' data-order && order=$(cat "$dir/out"); } # $order: of the page

set_up() {
    set_up_home
    launch driver.log "started successfully" chromedriver --port=18515
    export WEBDRIVER=http://127.0.0.1:18515
}

# From the page to the agent and back, and on to what was paid for.
with_agent() { # shot's name, words of the page: to be paid, with this computer, code, paid, go on
    local name=$1 before code
    before=$(paid)
    person waits
    : >person/shown
    browser open "$article?$name"
    reads "$2"
    reads "Librairie du Port"
    reads "localhost:18843"
    fits
    [ "$name" != plain ] || browser attribute 'meta[http-equiv=refresh]' content # which is there without script alone
    shot "$name-1-request"
    page_order
    browser attribute a.button href
    said "$at_agent/pay?order=$origin/orders/$order"
    browser click a.button
    browser until-url "$origin/orders/$order"
    browser until .code "$4"
    code=$(browser text ".code strong" && cat "$dir/out")
    fits
    shot "$name-2-claimed"
    until_said "CONFIRM" person/shown
    grep -q "the code $code" person/shown || fail "the window shows another code than $code: $(cat person/shown)"
    grep -q "Librairie du Port" person/shown || fail "to whom is it to be paid: $(cat person/shown)"
    person yes 1234
    browser until h1 "$5"
    browser until body "$6"
    fits
    shot "$name-3-paid"
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
    browser click a.button
    browser until body "first article"
    browser open "$article?$name" # asked for again: it is paid already
    reads "first article"
    [ "$(paid)" = $((before + 1)) ] || fail "paid again: $(paid)"
}

# The same page on one device, its code read by another: the two need not know each other.
second_device() {
    local before code
    before=$(paid)
    browser open "$article?second"
    browser shot second.png
    page_order
    expect 0 "QR-Code:$origin/orders/$order" zbarimg -q second.png
    mkfifo typed
    begin second.log telepay pay --order "$origin/orders/$order" --home home2 --cacert med/pki/ca.pem --pin-fd 3 --up-to "5 EUR" 3<>typed
    until_said "must show the code ...-..." second.log
    code=$(sed -n 's/.*show the code //p' second.log)
    browser until .code "$code"
    echo 1234 >typed
    wait "$begun" || fail "not paid: $(cat second.log)"
    browser until h1 Paid
    [ "$(paid)" = $((before + 1)) ] || fail "paid $(paid) times, not $((before + 1))"
    browser click a.button
    browser until body "first article"
}

inside() {
    cd "$dir" || exit 1
    set_up
    browser start
    with_agent en "To be paid" "Pay with the card reader of this computer" "Code" "Paid" "Go on to what you paid for"
    second_device
    browser quit
    browser start --language=fr --width=360 --dark
    with_agent fr "1,50 EUR" "Payer avec le lecteur de cartes de cet ordinateur" "Code" "Payé" "Continuer vers ce que vous avez payé"
    browser quit
    browser start --no-script
    with_agent plain "To be paid" "Pay with the card reader of this computer" "Code" "Paid" "Go on to what you paid for"
    browser quit
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-pcscd" "$here/browser.sh" inside "$dir" || exit 1
echo "browser.sh: bought with a browser"
