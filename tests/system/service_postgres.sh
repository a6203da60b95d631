#!/bin/bash
# A service whose books are in PostgreSQL: what is sold while the database goes and comes back is sold once, and who cannot be answered now is told to ask again.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"

query() { psql -qXAt -v ON_ERROR_STOP=1 "postgresql:///shop?host=$WITH_POSTGRES_DIR&user=postgres" -c "$1" || fail "$1"; }
server() { $WITH_POSTGRES_CTL "$@" >/dev/null 2>&1 || fail "pg_ctl $*: $(cat "$WITH_POSTGRES_DIR/data/ctl.log")"; }
post() { # PATH CURL-OPTIONS…: its status; the answer is in `answer`, its head in `heads`
    curl -sS --max-time 60 --cacert mediator/ca.pem --cert mediator/client.pem --key mediator/client.key -o answer -D heads -w '%{http_code}' \
        "${@:2}" "https://127.0.0.1:$port$1" 2>curl.err
}
quote() { # of the mug
    [ "$(post /quote -d '{"method":"GET","path":"/mug"}')" = 200 ] || fail "no quote: $(cat answer curl.err; heard)"
    cp answer quote
}
deliver() { # STATUS ORDER
    local status
    printf '{"order":"%s","acknowledgement":"acknowledged","quote":%s}' "$2" "$(cat quote)" >body
    status=$(post /deliver -H "Idempotency-Key: $2" --data-binary @body)
    [ "$status" = "$1" ] || fail "order $2: $status, not $1: $(cat answer curl.err; heard)"
}
left() { telepay-service check --dir service --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["articles"][0]["left"])'; }

inside() {
    local serve port n
    cd "$dir" || exit 1
    psql -qX "$TELEPAY_TEST_POSTGRES" -c 'CREATE DATABASE shop' || fail "CREATE DATABASE"
    expect 0 "made the service" telepay-service init service --store "postgresql:///shop?host=$WITH_POSTGRES_DIR&user=postgres&password=hidden-word"
    [ ! -e service/service.db ] || fail "there is a file beside the database"
    expect 2 "holds something already" telepay-service init other --store "postgresql:///shop?host=$WITH_POSTGRES_DIR&user=postgres"
    expect 0 "may ask" telepay-service mediator add --dir service --id one --out mediator
    expect 2 "a mediator's already" telepay-service mediator add --dir service --id two --certificate mediator/client.pem
    printf '[mug]\nprice = 12.00 EUR\ndelivery = shipped\nstock = 5\n' >service/catalogue.ini
    launch service.log listening telepay-service serve --dir service --listen 127.0.0.1:0
    serve=$launched
    port=$(sed -n 's/.*listening on .*://p' service.log)
    quote
    deliver 200 FIRST
    cp answer first
    deliver 200 FIRST
    cmp answer first || fail "not the same answer"
    query "SELECT designation FROM sale" | grep -qx mug || fail "the sale is not in the database"

    server stop -m immediate
    deliver 503 SECOND
    grep -qi '^retry-after: 5' heads || fail "when to ask again is not said: $(cat heads)"
    server start
    for n in {100..0}; do # it finds its way back by itself
        [ "$(post /quote -d '{"method":"GET","path":"/mug"}')" = 200 ] && break
        [ "$n" = 0 ] && fail "it does not come back: $(cat answer; heard)"
        pause 0.1
    done
    deliver 200 SECOND
    deliver 200 SECOND
    deliver 200 FIRST
    cmp answer first || fail "not the same answer"
    for n in 3 4 5; do deliver 200 "ORDER-$n"; done
    deliver 410 ORDER-6
    [ "$(left)" = 0 ] || fail "$(left) are left"
    [ "$(query "SELECT count(*) FROM sale")" = 5 ] || fail "not five sales: $(query "SELECT * FROM sale")"
    psql -qX "postgresql:///shop?host=$WITH_POSTGRES_DIR&user=postgres" -c "DELETE FROM sale" >out 2>&1 && fail "a sale can be deleted"
    said "what was sold is kept"
    expect 0 "FIRST" telepay-service list --dir service
    expect 0 "" telepay-service mediator close --dir service --id one
    [ "$(post /quote -d '{"method":"GET","path":"/mug"}')" = 403 ] || fail "who was closed is served: $(cat answer)"
    kill "$serve"
    wait "$serve" || fail "serve does not end cleanly: $(cat service.log)"
    ! grep -rn hidden-word ./*.log out answer || fail "the password is told"
}

if [ $# = 2 ] && [ "$1" = inside ]; then
    dir=$2
    inside
    exit 0
fi
own_folder
"$here/with-postgres" "$here/service_postgres.sh" inside "$dir" || exit 1
echo "service_postgres.sh: sold once, whatever the database did"
