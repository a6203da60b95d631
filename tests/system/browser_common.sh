#!/bin/bash
# What the tests with a browser share: sourced after common.sh. Its driver listens where $WEBDRIVER says.
# shellcheck disable=SC2154 # what common.sh knows

browser() { "$here/../tools/browser.py" browser.session "$@" >"$dir/out" 2>&1 || fail "browser $*: $(heard)"; }
reads() { browser text && said "$1"; }    # on the page
leaves() { browser text && unsaid "$1"; } # not on the page
shot() { [ -z "${BROWSER_SHOTS-}" ] || browser shot "$BROWSER_SHOTS/$1.png"; }
fits() { # the page into the window's width, and all of it has a name
    browser width
    # shellcheck disable=SC2046 # two numbers
    set -- $(cat "$dir/out")
    [ "$1" -le "$2" ] || fail "the page is $1 pixels wide, its window $2"
    browser labels
    [ ! -s "$dir/out" ] || [ "$(cat "$dir/out")" = "" ] || fail "without a name: $(cat "$dir/out")"
}
