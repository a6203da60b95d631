#!/bin/bash
# A bare Debian in a folder, for scripts that source this after `set -u`: they must be root, and are started anew in a mount namespace of their own, so that
# what is mounted there goes before the folder does. MIRROR says where Debian is got from; BARE_ROOT a folder that is kept, and used again.
mirror=${MIRROR:-http://deb.debian.org/debian}
me=${0##*/}

die() {
    echo "$me: $*" >&2
    exit 1
}

in_namespace() { # the script's words: returns there, with the folder's name in $root
    local code made=
    if [ "${BARE_ROOT_STAGE:-}" = private ]; then
        root=$BARE_ROOT
        return
    fi
    [ "$(id -u)" = 0 ] || die "as root: it makes a root of its own"
    command -v mmdebstrap >/dev/null || die "no mmdebstrap: apt install mmdebstrap"
    [ -n "${BARE_ROOT:-}" ] || made=$(mktemp -d) || exit 1
    BARE_ROOT_STAGE=private BARE_ROOT=${BARE_ROOT:-$made} unshare -m -p --fork --kill-child --mount-proc --propagation private "$0" "$@"
    code=$?
    [ -z "$made" ] || rm -rf --one-file-system "$made"
    exit $code
}

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }

bare_root() { # release, packages
    local IFS=,
    [ -e "$root/etc/debian_version" ] ||
        mmdebstrap --quiet --mode=root --variant=apt --skip=cleanup/apt/lists --include="${*:2}" "$1" "$root" "$mirror" || die "no root of $1"
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --rbind /sys "$root/sys" || die "cannot mount proc, dev and sys"
}
