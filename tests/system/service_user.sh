#!/bin/bash
# A server of a user of its own, without systemd: README's recipe ("As services") leads to a folder that the unit's command can serve, and books that root
# made are told with whose they are and what gives them over. The user is nobody, and /var/lib is this test's own.
set -u
self=$(realpath "$0") # run again from another folder
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
unit=$TESTS_SRCDIR/../doc/telepay-acquirer.service
readme=$TESTS_SRCDIR/../README.md

recipe() { # README's lines, but those of systemd
    awk '$0 == "## As services" { under = 1; next }
        under && /^#/ { exit }
        under && sub(/^    /, "") && !/^system/ { print }' "$readme" | sed 's/\btelepay\( -- \| -m \)/nobody\1/g'
}

serve() { # the unit's command, at a port of its own; as nobody, or as root to make books: serve USER
    local words
    words=$(sed -n 's,^ExecStart=@bindir@/,,p' "$unit")
    [ -n "$words" ] || fail "no command in $unit"
    # shellcheck disable=SC2086 # words
    begin server.log timeout --foreground 60 setpriv --reuid "$1" --clear-groups $words --listen 127.0.0.1:0
    server=$begun
}

listens() {
    for _ in $(seq 200); do
        grep -q "listening on" server.log && break
        kill -0 "$server" 2>/dev/null || break
        pause 0.05
    done
    grep -q "listening on" server.log || fail "$1: $(cat server.log)"
    kill "$server"
    wait "$server"
}

refuses() { # what it must say
    local code
    wait "$server"
    code=$?
    [ "$code" != 0 ] && [ "$code" != 124 ] || fail "it serves books that are not its user's: $code"
    grep -qF -- "$1" server.log || fail "not said: \"$1\" in: $(cat server.log)"
}

inside() {
    local books=/var/lib/telepay/acquirer line n=0
    cd "$1" || exit 1
    mkdir bin
    cp "$TESTS_BUILDDIR/telepay-acquirer" bin/ # nobody may not enter every folder of a build
    PATH=$1/bin:$PATH
    while IFS= read -r line; do
        eval "$line" >out 2>&1 </dev/null || fail "$line: $(cat out)"
        n=$((n + 1))
    done < <(recipe)
    [ "$n" -ge 3 ] || fail "only $n lines found in README.md"
    serve nobody
    listens "README's recipe"

    telepay-acquirer contract list >out 2>&1 || fail "$(cat out)" # root may look
    rm -rf "$books"
    telepay-acquirer init "$books" >out 2>&1 || fail "$(cat out)"
    serve nobody
    refuses "it belongs to root, and this user is nobody: chown -R nobody $books"
    chown nobody "$books" # the folder alone does not do
    serve nobody
    refuses "chown -R nobody $books"
    chown -R nobody "$books"
    serve nobody
    listens "what the server advised"
    echo "service_user.sh: a server of its own user serves, or says why not"
}

if [ $# = 2 ]; then
    inside "$2"
    exit
fi
[ "$(id -u)" = 0 ] || { echo "only root can be another user"; exit 77; }
unshare -m mount -t tmpfs none /var/lib 2>/dev/null || { echo "no namespaces here for a /var/lib of its own"; exit 77; }
own_folder
chmod 755 "$dir"
# shellcheck disable=SC2016 # the inner shell's
unshare -m sh -c 'mount -t tmpfs -o mode=755 none /var/lib && exec "$@"' sh "$self" inside "$dir" || exit 1
