#!/bin/bash
# The whole way of a payment with the books of acquirer, issuer and centre in PostgreSQL: offline and online, reversed, kept by a terminal and sent later,
# collected, proved, audited. Then the server is killed and is back while payments come: each is answered, and none that was acknowledged is lost.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

pay() { printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --currency EUR "$@"; }
query() { psql -qXAt -v ON_ERROR_STOP=1 "postgresql:///$1?host=$WITH_POSTGRES_DIR&user=postgres" -c "$2" || fail "$1: $2"; }
url() {
    query postgres "CREATE DATABASE $1"
    store="postgresql:///$1?host=$WITH_POSTGRES_DIR&user=postgres&password=hidden-word"
}
server() { $WITH_POSTGRES_CTL "$@" >/dev/null 2>&1 || fail "pg_ctl $*: $(cat "$WITH_POSTGRES_DIR/data/ctl.log")"; }

make_all() {
    expect 0 "" telepay-perso init scheme/
    expect 0 "" telepay-perso card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234
    url iss
    expect 0 "" telepay-issuer init iss/ --scheme scheme/ --name banque --store "$store"
    printf 9990140000000015 | expect 0 "" telepay-issuer account add --dir iss --expiry 2030-12 --balance 900.00 --currency EUR
    expect 0 "" telepay-issuer acquirer add --dir iss --id 00000000001 --out from-issuer
    url acq
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json --store "$store"
    printf '\n[issuers]\ntimeout = 2\n' >>acq/acquirer.conf
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR
    expect 0 "" telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out terminal/
    sed -i 's/^\[acquirer\]/&\ntimeout=4/' terminal/telepay.conf # longer than the acquirer's own
    expect 0 "banque" telepay-acquirer issuer add --from from-issuer
    url centre
    expect 0 "" telepay-centre init centre/ --store "$store"
    expect 0 "" telepay-centre acquirer add --dir centre --id 12345678901 --out acq/centre
    expect 2 "holds something already" telepay-acquirer init other/ --authority scheme/authority.json --store "${store/centre/acq}"
    ls acq/*.db iss/*.db centre/*.db >out 2>/dev/null && fail "there are files beside the databases: $(cat out)"
}

the_way() {
    local rrn
    expect 4 "THE CARD HAS SIGNED" pay --amount 3.00
    launch issuer.log listening telepay-issuer serve --dir iss
    launch acquirer.log "is reached" telepay-acquirer serve
    serve=$launched
    expect 0 "acknowledged" telepay journal send --config terminal/telepay.conf
    expect 0 "APPROVED" pay --amount 12.50
    expect 0 "APPROVED" pay --amount 60.00
    rrn=$(sed -n 's/^Reference *//p' out)
    expect 0 "the issuer" telepay-acquirer show "$rrn"
    expect 0 "approved by the issuer under" telepay-acquirer prove "$rrn"
    expect 0 "APPROVED" pay --amount 61.00
    rrn=$(sed -n 's/^Reference *//p' out)
    expect 1 "(51" pay --amount 950.00
    expect 0 "reversed" telepay-acquirer reverse "$rrn"
    local left
    for left in {200..0}; do
        [ "$(query acq "SELECT count(*) FROM authorisation WHERE state = 4")" = 1 ] && break
        telepay-acquirer authorisations --state reversed | grep -q "$rrn" && break
        [ "$left" = 0 ] && fail "not reversed: $(telepay-acquirer authorisations; heard)"
        pause 0.05
    done
    match=-E expect 0 "900.00 +60.00" telepay-issuer account list --dir iss
    launch centre.log listening telepay-centre serve --dir centre
    expect 0 "accepted" telepay-acquirer collect --now
    expect 0 "000000000000123" telepay-centre list --dir centre
    expect 0 "60.00" telepay-centre show --dir centre 000000000000123 1
    expect 0 "collected" telepay-acquirer list
    expect 0 "books and evidence agree" telepay-acquirer audit
    expect 0 "" "$here/no-plain-pan.py" acq centre iss terminal
}

# Two would take each other's questions for unanswered.
one_serves() {
    cp -a acq again
    expect 74 "another program serves the books of postgresql:///acq already" telepay-acquirer serve --dir again --listen 127.0.0.1:0
    rm -rf again
}

# The server keeps what was asked and goes before it can say so: that question is never asked, and does not stay open.
the_commit_is_lost() {
    local left asked paying
    mkdir between
    launch cut.log listening "$here/../tools/cut_commit.py" between "$WITH_POSTGRES_DIR/.s.PGSQL.5432"
    kill "$serve"
    wait "$serve" || fail "serve does not end cleanly: $(cat acquirer.log)"
    cp acq/store.conf store.conf
    sed -i "s|host=[^&]*|host=$dir/between|" acq/store.conf
    launch acquirer.log "is reached" telepay-acquirer serve
    serve=$launched
    asked=$(query acq "SELECT count(*) FROM authorisation")
    echo 1 >between/armed.new # the 0800's goes by
    mv between/armed.new between/armed
    printf 1234 | telepay pay --config terminal/telepay.conf --pin-fd 0 --wait 5 --currency EUR --amount 70.00 >pay.cut 2>&1 &
    paying=$!
    for left in {2000..0}; do
        [ -e between/armed.cut ] && break
        [ "$left" = 0 ] && fail "no COMMIT was cut: $(cat pay.cut; heard)"
        pause 0.005
    done
    kill -KILL "$paying" # before it reverses its question itself
    wait "$paying"
    until_said "went away at the commit" acquirer.log
    [ "$(query acq "SELECT count(*) FROM authorisation")" -gt "$asked" ] || fail "the question was not kept: the test missed its mark"
    for left in {200..0}; do
        [ "$(query acq "SELECT count(*) FROM authorisation WHERE state IN (0, 3)")" = 0 ] && break
        [ "$left" = 0 ] && fail "stays asked: $(query acq "SELECT * FROM authorisation"; heard)"
        pause 0.05
    done
    match=-E expect 0 "70.00" telepay-acquirer authorisations --state reversed
    expect 0 "APPROVED" pay --amount 70.00
    cp store.conf acq/store.conf
    kill "$serve"
    wait "$serve" || fail "serve does not end cleanly: $(cat acquirer.log)"
    launch acquirer.log "is reached" telepay-acquirer serve
    serve=$launched
}

# Payments come while the server is killed and started again, by hand and by the terminal's journal.
the_server_goes() {
    local n approved=0 answer before
    before=$(telepay-acquirer list | wc -l)
    for n in 1 2 3 4 5 6 7 8; do
        [ "$n" = 3 ] && server stop -m immediate
        [ "$n" = 6 ] && server start
        pay --amount "2.0$n" >"pay.$n" 2>&1
        answer=$?
        case $answer in
        0) approved=$((approved + 1)) ;;
        4) ;; # signed, to be sent
        *) fail "payment $n: exit $answer: $(cat "pay.$n"; heard)" ;;
        esac
        case $n in [345]) [ "$answer" = 4 ] || fail "payment $n was acknowledged without books: $(cat "pay.$n")" ;; esac
    done
    [ "$approved" -ge 4 ] || fail "$approved of 8 were acknowledged: $(cat pay.*; heard)"
    kill -0 "$serve" || fail "serve has ended: $(cat acquirer.log)"
    expect 0 "" telepay journal send --config terminal/telepay.conf
    expect 0 "everything is delivered" telepay journal send --config terminal/telepay.conf
    [ "$(telepay-acquirer list | wc -l)" = $((before + 8)) ] || fail "not eight more: $(telepay-acquirer list)"
    for n in 1 2 3 4 5 6 7 8; do
        [ "$(telepay-acquirer list | grep -cE "(^| )2\.0$n( |$)")" = 1 ] || fail "2.0$n is not there once: $(telepay-acquirer list)"
    done
    expect 0 "books and evidence agree" telepay-acquirer audit
    ! grep -rn hidden-word ./*.log out || fail "the password is told"
}

inside() {
    cd "$dir" || exit 1
    local serve
    make_all
    insert cards/marie
    the_way
    one_serves
    the_commit_is_lost
    the_server_goes
    kill "$serve"
    wait "$serve" || fail "serve does not end cleanly: $(cat acquirer.log)"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-postgres" "$here/with-pcscd" "$here/postgres_way.sh" inside "$dir" || exit 1
echo "postgres_way.sh: paid, proved, collected, and the server came back"
