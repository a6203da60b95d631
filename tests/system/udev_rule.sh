#!/bin/bash
# The udev rule that is shipped, read and applied by udev itself (udevadm test) to readers on a USB of paper: a reader of the class, one of the known ones under its maker's
# class, and one that is no reader as far as anybody knows.
set -u
self=$(realpath "$0") # run again from another folder
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
rules=70-telepay-readers.rules

# What the rule does to a reader, as "GROUP … MODE …"; udevadm names file and line.
does() { # options of ccid_desk
    umockdev-wrapper ccid_desk "$@" "$dir/card" udevadm test --action="$action" /sys/devices/usb1 >"$dir/out" 2>&1 || fail "udevadm: $(cat "$dir/out")"
    ! grep -E "$rules:[0-9]+ (Invalid|Unknown|invalid|.*[Ii]gnoring)" "$dir/out" || fail "udev does not understand a line"
    sed -n "s/.*$rules:[0-9]* \(GROUP\|MODE\) \(.*\)/\1 \2/p" "$dir/out" | tr '\n' ' '
}

inside() {
    local group action=add given
    mkdir -p /run/udev/rules.d && cp "$TESTS_SRCDIR/../data/$rules" /run/udev/rules.d/ || fail "no rules"
    group=$(getent group plugdev | cut -d: -f3)
    given="GROUP $group MODE 0660 "
    [ "$(does)" = "$given" ] || fail "a reader of class 0B: $(cat "$dir/out")"
    grep -q '^TAGS=.*:uaccess:' "$dir/out" || fail "not for who sits there: $(cat "$dir/out")"
    [ "$(does --vendor=04E6:E003)" = "$given" ] || fail "a known reader under its maker's class: $(cat "$dir/out")"
    grep -q '^TAGS=.*:uaccess:' "$dir/out" || fail "not for who sits there: $(cat "$dir/out")"
    [ "$(does --vendor=04E6:0001)" = "" ] || fail "another device of that maker: $(cat "$dir/out")"
    action=remove
    [ "$(does)" = "" ] || fail "one that leaves: $(cat "$dir/out")"
}

if [ $# = 2 ]; then
    dir=$2
    inside
    exit 0
fi
for program in udevadm umockdev-wrapper ccid_desk; do
    command -v $program >/dev/null || { echo "no $program here (Debian: udev, umockdev, libumockdev-dev)"; exit 77; }
done
getent group plugdev >/dev/null || { echo "no group plugdev here"; exit 77; }
# a sanitizer wants to be the first library; here umockdev's is
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0:detect_leaks=0
own_folder
{ telepay-perso init "$dir/scheme" && telepay-perso card "$dir/card" --scheme "$dir/scheme" --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234; } \
    >"$dir/perso.log" 2>&1 || fail "no card: $(cat "$dir/perso.log")"
for try in -m "-r -m"; do
    # shellcheck disable=SC2086 # words
    if unshare $try mount -t tmpfs none /run 2>/dev/null; then
        # shellcheck disable=SC2086 # words
        unshare $try sh -c 'mount -t tmpfs none /run && exec "$@"' sh "$self" inside "$dir" || exit 1
        echo "udev_rule.sh: udev reads the rule as it is meant"
        exit 0
    fi
done
echo "no namespaces here for rules of its own"
exit 77
