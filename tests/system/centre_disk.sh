#!/bin/bash
# A document that is half there takes room on the centre's disk once, not twice; and what has no room beside it is still refused.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
if [ "${1-}" != small ]; then
    unshare -rm mount -t tmpfs none /mnt 2>/dev/null || {
        echo "no small disk can be made here (unshare -rm)"
        exit 77
    }
    exec unshare -rm "$0" small
fi
own_folder
crowd() { "$here/centre_crowd.py" "$port" centre acq/centre "$@"; }

mkdir centre
telepay-centre init centre >/dev/null || fail "centre init"
mkdir -p centre/spool
mount -t tmpfs -o size=164m none centre/spool || fail "no small disk"
chmod 700 centre/spool
telepay-acquirer init acq >/dev/null || fail "acquirer init"
start_centre
telepay-centre acquirer add --dir centre --id acq --out acq/centre --url "https://127.0.0.1:$port" >/dev/null || fail "acquirer add"
mkfifo hold
crowd half 60000000 <hold >half.out &
exec 9>hold
until_said sent half.out
for left in {100..0}; do # until it has come to the disk
    [ "$(df -m --output=used centre/spool | tail -1)" -ge 28 ] && break
    [ "$left" != 0 ] || fail "half of the document never came: $(df -m centre/spool)"
    pause 0.1
done
expect 0 100 crowd length 20000000
expect 0 507 crowd length 50000000
exec 9>&-
