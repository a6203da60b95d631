#!/bin/bash
# shellcheck disable=SC2034,SC2154 # what common.sh launched is known there, and what is set here is used by who sources this
# What the tests of the purse share, beside common.sh: a purse with a contract and a mediator, a payer whose signatures are not made by our code.
contract=000000000000123
bank=DE89370400440532013000

python3 -c 'import cryptography' 2>/dev/null || {
    echo "python3-cryptography is missing: ./quickstart packages check"
    exit 77
}
start_payer() {
    launch payer.log listening python3 "$here/../tools/purse_payer.py" serve
    read -r payer_port payer_word < <(sed -n 's/listening on \(.*\), word/\1/p' payer.log)
}
payer() { # the words of purse_payer.py
    local given='' said=''
    case $1 in credential | voucher) IFS= read -r -d '' given ;; esac # up to its end
    {
        printf '%s\0' $(($# + 3)) "$payer_word" "$PWD" "$given" "$@" >&9
        IFS= read -r -d '' said <&9
    } 9<>"/dev/tcp/127.0.0.1/$payer_port" || fail "purse_payer.py $*: $(cat "$dir/payer.log")"
    printf %s "$said"
}

make_purse() { # with TELEPAY_TEST_STORE=postgresql its books are in the database of with-postgres
    local store=()
    if [ "${TELEPAY_TEST_STORE-}" = postgresql ]; then
        psql -qX "$TELEPAY_TEST_POSTGRES" -c "CREATE DATABASE purse" || fail "CREATE DATABASE"
        store=(--store "postgresql:///purse?host=$WITH_POSTGRES_DIR&user=postgres")
    fi
    expect 0 "made the purse" telepay-purse init purse --iban FR7630006000011234567890189 "${store[@]}"
    expect 0 "is open" telepay-purse contract add --id $contract --name "Librairie du Port" --currency EUR --iban $bank
    expect 0 "is in med" telepay-purse mediator add --name med --contract $contract --out med
    start_payer
}

# At the port that it had before; the process is $purse.
serve_purse() {
    launch purse.log listening telepay-purse serve --listen "127.0.0.1:${purse_port:-0}"
    purse=$launched
    purse_port=$(sed -n 's/.*listening on .*://p' purse.log)
}

# Its status; the answer is in the file named.
post() { # path, file of the answer, curl options…
    curl -sS --max-time 30 --cacert purse/pki/ca.pem -o "$2" -w '%{http_code}' "${@:3}" "https://127.0.0.1:$purse_port$1" 2>>curl.log
}

open_account() { # name: its key is NAME.pem, its number $number
    number=$(payer key "./$1.pem")
    payer opening "./$1.pem" "$acquirer" eur >signed-opening
    [ "$(post /accounts answer --data-binary @signed-opening)" = 200 ] || fail "no account: $(cat answer)"
    [ "$(jq -r .account answer)" = "$number" ] || fail "another account: $(cat answer)"
}
