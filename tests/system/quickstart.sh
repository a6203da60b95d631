#!/bin/bash
# What ./quickstart does beside the demo, without its packages and its build: clean takes what it made and nothing else; in its shell a card is swapped, and
# made to misbehave, by one command; before the reader of paper a payment runs.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
top=$(realpath "$TESTS_SRCDIR/..")

# All that autoreconf reads, in a folder of its own; packages are there, and make and configure have nothing to do.
tree() {
    mkdir -p "$dir/tree/m4" "$dir/bin"
    (cd "$top" && find . \( -name '*.mk' -o -name .git -o -path './build*' -o -path './quickstart.d' \) -print -prune | grep '\.mk$' |
        tar -cf - configure.ac Makefile.am quickstart -T -) | tar -xf - -C "$dir/tree" || fail "no copy of the tree" # into folders that can be written
    ln -s /bin/true "$dir/bin/make"
    printf '#!/bin/sh\necho "installed $*"\n' >"$dir/bin/sudo"
    printf '#!/bin/sh\nsed -n "/^packages_/,/)/p" "%s" | tr -s " ()=" "\\n" | sed "s/^/installed /"\n' "$top/quickstart" >"$dir/bin/dpkg-query"
    chmod +x "$dir/bin/"*
    (cd "$dir/tree" && find . | sort) >"$dir/before"
}

left() { (cd "$dir/tree" && find . | sort | diff "$dir/before" - | sed -n 's/^[<>]/&/p'); }

cleans() {
    local state=$dir/state
    tree
    mkdir -p "$state/build"
    touch "$state/build/Makefile" # configured already, for all that build knows
    QUICKSTART_DIR=$state PATH=$dir/bin:$PATH "$dir/tree/quickstart" build >"$dir/out" 2>&1 || fail "quickstart build: $(cat "$dir/out")"
    for name in configure Makefile.in aclocal.m4 config.h.in build-aux; do
        [ -e "$dir/tree/$name" ] || fail "autoreconf made no $name: $(left)"
    done
    QUICKSTART_DIR=$state "$dir/tree/quickstart" clean >"$dir/out" || fail "quickstart clean: $(cat "$dir/out")"
    [ -z "$(left)" ] || fail "clean left, or took what was not its own: $(left)"
    [ ! -e "$state" ] || fail "clean left its folder"

    touch "$dir/tree/configure" "$dir/tree/Makefile.in" # somebody's own, as in a release
    chmod +x "$dir/tree/configure"
    mkdir -p "$state/build"
    touch "$state/build/Makefile"
    QUICKSTART_DIR=$state PATH=$dir/bin:$PATH "$dir/tree/quickstart" build >"$dir/out" 2>&1 || fail "quickstart build: $(cat "$dir/out")"
    QUICKSTART_DIR=$state "$dir/tree/quickstart" clean >"$dir/out" || fail "quickstart clean: $(cat "$dir/out")"
    [ -e "$dir/tree/configure" ] || fail "clean took a configure that was not its own"
}

started() { # demo's folders and what quickstart would have built: demo, shell or desk, words…
    mkdir -p "$dir/state/demo" "$dir/state/build/tests/tools"
    ln -sf "$TESTS_BUILDDIR/tests/tools/ccid_desk" "$dir/state/build/tests/tools/"
    QUICKSTART_DIR=$dir/state "$TESTS_SRCDIR/system/with-pcscd" "$top/quickstart" inside "$@"
}

# shellcheck disable=SC2016 # the shell's inside
swaps() {
    expect 0 "swapped" started shell bash -c '
        set -e
        telepay-perso card cards/other --scheme scheme/ --pan 9990140000000023 --name DURAND/PAUL --expiry 2030-12 --pin 4321 >/dev/null
        telepay card --config terminal/telepay.conf | grep -q "999014\*\*\*\*\*\*0015"
        card cards/other
        telepay card --config terminal/telepay.conf | grep -q "999014\*\*\*\*\*\*0023"
        card cards/marie --fault wrong-sdad
        if printf 1234 | telepay pay --amount 12.50 --currency EUR --config terminal/telepay.conf --pin-fd 0 >pay.out 2>&1; then exit 9; fi
        grep -q "the card.s signature is not right" pay.out
        card cards/marie
        printf 1234 | telepay pay --amount 12.50 --currency EUR --config terminal/telepay.conf --pin-fd 0 | grep -q APPROVED
        echo swapped'
    expect 1 "cards/nobody" started shell bash -c 'card cards/nobody' # in words, and nothing waits
    expect 2 "usage: card CARD" started shell bash -c card
}

paper() {
    if ! command -v umockdev-wrapper >/dev/null || [ ! -x "$TESTS_BUILDDIR/tests/tools/ccid_desk" ]; then
        echo "without the reader of paper (Debian: umockdev, libumockdev-dev)"
        return
    fi
    # a sanitizer wants to be the first library; here umockdev's is, and what libcrypto keeps to the end looks lost to it then
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0:detect_leaks=0
    expect 0 "ACME PinReader 9" started desk --level=tpdu
    expect 0 APPROVED started desk --level=short --keypad=1234 telepay pay --amount 12.50 --currency EUR --config terminal/telepay.conf --wait 2
}

# Where pcscd can ask polkit (Debian 13) it is told not to: here one that says so in its help, and takes the word.
without_polkit() {
    local real
    real=$(PATH=$PATH:/usr/sbin command -v pcscd)
    mkdir "$dir/sbin"
    cat >"$dir/sbin/pcscd" <<EOF
#!/bin/bash
[ "\$1" != --help ] || { echo "  --disable-polkit	disable polkit support"; exit; }
[[ " \$* " == *" --disable-polkit "* ]] || exit 1
touch "$dir/told"
words=()
for word; do [ "\$word" = --disable-polkit ] || words+=("\$word"); done
exec "$real" "\${words[@]}"
EOF
    chmod +x "$dir/sbin/pcscd"
    PATH=$dir/sbin:$PATH expect 0 "Virtual PCD" "$TESTS_SRCDIR/system/with-pcscd" telepay readers
    [ -e "$dir/told" ] || fail "pcscd was not told to leave polkit alone"
}

own_folder
swaps
without_polkit
paper
rm -rf "$dir/state"
if command -v autoreconf >/dev/null; then
    cleans
else
    echo "without clean: no autoreconf here"
fi
echo "quickstart.sh: all as it should be"
