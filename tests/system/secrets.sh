#!/bin/bash
# Every secret and every database of a fresh set-up, opened to others: the program that reads it says so and stops, and goes on when it is shut again.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
own_folder
# Without --foreground timeout sends CONT after TERM, and LeakSanitizer's stop at the end, undone by that, waits for ever.
# shellcheck disable=SC2317 # by expect
serves() { timeout --foreground 2 "$1" serve --dir "$2" --listen 127.0.0.1:0; }

telepay-perso init scheme >/dev/null || fail "perso init"
telepay-perso card card --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 >/dev/null || fail "perso card"
telepay-acquirer init acq --authority scheme/authority.json >/dev/null || fail "acquirer init"
telepay-issuer init iss --scheme scheme >/dev/null || fail "issuer init"
telepay-centre init centre >/dev/null || fail "centre init"
telepay-acquirer contract add --id 000000000000123 --name Librairie --mcc 5942 --currency EUR >/dev/null || fail "contract add"
telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out terminal >/dev/null || fail "terminal add"
telepay-service init service >/dev/null || fail "service init"
telepay-centre acquirer add --dir centre --id ACQ --out acq/centre >/dev/null || fail "centre acquirer add"
telepay-issuer acquirer add --dir iss --id 1 --out given >/dev/null || fail "issuer acquirer add"
telepay-acquirer issuer add --from given >/dev/null || fail "issuer add"
telepay-acquirer mediator add --name port --contract 000000000000123 --out port >/dev/null || fail "acquirer's mediator add"
telepay-mediator init med >/dev/null || fail "mediator init"
telepay-mediator acquirer add port --dir med >/dev/null || fail "mediator's acquirer add"
telepay-service mediator add --dir service --id port --out shop >/dev/null || fail "service's mediator add"
telepay-mediator service add shop --name shop --contract 000000000000123 --dir med >/dev/null || fail "mediator's service add"
telepay journal list --config terminal/telepay.conf >/dev/null || fail "journal list"

# Whose mode is nobody's concern: certificates, public keys, configurations that hold no password, and where in a log which page is (SQLite's -shm).
public() {
    case $1 in
    *.pem | */authorities/*.json | */authority.json | ./scheme/issuer.json | */acquirer.conf | */issuer.conf | */centre.conf | */telepay.conf | */mediator.conf | */service.conf | */parameters.jws | */catalogue.ini | */shop/* | *-shm | *.log | ./out) true ;;
    ./med/pki/ca.key) true ;; # no command reads it: another certificate for the server is its operator's to make
    *) false ;;
    esac
}

# What reads the file.
reader() {
    case $1 in
    acq/pki/server.key | acq/pki/sealing.key | acq/pki/acknowledgement.key | acq/issuers/*/acquirer.key) echo serves telepay-acquirer acq ;;
    acq/pki/ca.key) echo telepay-acquirer terminal add --contract 000000000000123 --id "$(unused)" --out "$(unused)" ;;
    acq/centre/client.key) echo telepay-acquirer submit ;;
    acq/seal.key | acq/ledger.db) echo telepay-acquirer audit ;;
    centre/pki/server.key | centre/seal.key | centre/centre.db) echo serves telepay-centre centre ;;
    centre/pki/ca.key) echo telepay-centre acquirer add --dir centre --id "$(unused)" --out "$(unused)" ;;
    service/pki/server.key | service/seal.key | service/service.db) echo serves telepay-service service ;;
    service/pki/ca.key) echo telepay-service mediator add --id "$(unused)" --out "$(unused)" ;;
    iss/pki/server.key | iss/issuer.keys | iss/seal.key | iss/issuer.db) echo serves telepay-issuer iss ;;
    med/pki/server.key | med/challenge.key | med/mediator.db) echo serves telepay-mediator med ;;
    port/*.key | med/acquirers/*/*.key) echo telepay-mediator acquirer add "${1%/*}" --dir med ;;
    shop/client.key | med/services/*/client.key)
        echo telepay-mediator service add "${1%/*}" --name "n$(unused)" --contract 000000000000123 --dir med
        ;;
    iss/pki/ca.key) echo telepay-issuer acquirer add --dir iss --id "$(unused)" --out "$(unused)" ;;
    given/acquirer.key) # by an acquirer that has not taken it yet
        rm -rf another
        telepay-acquirer init another >/dev/null
        echo telepay-acquirer issuer add --dir another --from given
        ;;
    terminal/terminal.key) echo telepay pay --amount 1.00 --currency EUR --wait 1 --config terminal/telepay.conf ;;
    terminal/journal.db | terminal/journal.db-wal | terminal/journal.db.key) echo telepay journal list --config terminal/telepay.conf ;;
    scheme/*) echo telepay-perso card "$(unused)" --scheme scheme --pan 9990140000000015 --name DUPONT/MARIE --expiry 2030-12 --pin 1234 ;;
    card/*) echo timeout --foreground 2 telepay-simcard card --vpcd 127.0.0.1:1 ;;
    */store.conf) echo telepay-acquirer list --dir "${1%/*}" ;;
    esac
}
unused() { date +1%7N; } # a number, and a folder, of this try

opened() { # FILE
    local what
    what=$(reader "$1")
    [ -n "$what" ] || {
        fail "$1 is neither public nor read by a program that this test knows"
        return
    }
    chmod 644 "$1"
    # shellcheck disable=SC2086 # a command in words
    expect 5 "chmod 600" $what
    said "$1"
    chmod 600 "$1"
    what=$(reader "$1") # with a folder of this try
    $what >out 2>&1
    unsaid "chmod 600"
}

tried=0
while read -r file; do
    public "$file" || { opened "${file#./}" && tried=$((tried + 1)); }
done < <(find . -type f | sort)
[ "$tried" -ge 20 ] || fail "only $tried files were tried"

printf '[store]\nurl = postgresql://nobody:secret@127.0.0.1:1/nothing\n' >acq/store.conf
opened acq/store.conf
verdict
