#!/bin/bash
# The holder of an account and a real purse: it is opened and found again, asked how it stands, emptied to a bank account, once whatever gets lost; and its history
# is shown from what was signed, with every word of the purse that does not hold.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
# shellcheck source=tests/system/purse_common.sh
. "$here/purse_common.sh"
failures=0
own_folder
make_purse
serve_purse
at() { printf '%b' "${codes-let me in\n}" | telepay purse "$@" --home home --cacert purse/pki/ca.pem --code-fd 0; }
patient() { printf 'let me in\n' | telepay purse "$@" --home home --cacert purse/pki/ca.pem --code-fd 0 --patience "${patience?}"; }
fill() { expect 0 "came into" telepay-purse account fill --account "$account" --amount "$1" --reference "$2"; }
holds() {
    local got
    got=$(telepay-purse account show --account "$account" --json | jq -r '.accounts[0].balance')
    [ "$got" = "$1" ] || fail "it holds $got, not $1: $(heard)"
}

expect 2 "say at which purse" at open
expect 2 "the purse has EUR" at open --at "https://127.0.0.1:$purse_port" --currency USD
expect 4 "" at open --at https://127.0.0.1:1 --currency EUR
expect 5 "" telepay purse open --home home --at "https://127.0.0.1:$purse_port" --currency EUR # whose certificate nobody vouches for
expect 0 "to pay by it, trust its authority" at open --at "https://127.0.0.1:$purse_port"
expect 0 "" telepay authority add --home home purse/pki/ca.pem
expect 0 "is open, in EUR" at open --at "https://127.0.0.1:$purse_port" --currency EUR
light_key home/device.jwk "let me in"
account=$(telepay purse list --home home --json | jq -r '.purses[0].account')
[ "$(telepay-purse account list --json | jq -r '.accounts[].account')" = "$account" ] || fail "not one account, $account: $(telepay-purse account list)"
fill 10.00 T1
expect 0 "10.00" at balance
[ "$(at balance --json | jq -r '.balances[0] | .balance + " " + .reserved + " " + .state')" = "10.00 0.00 open" ] || fail "balance --json"
codes='somebody else\n\n' expect 5 "the code is wrong" at balance

# ---- to a bank account

sends() { expect 0 "leave your account at the purse" at empty "$@" --iban "$bank" --name "Marie Dupont" --yes; }
expect 2 "say where to" at empty
expect 2 "check digits" at empty --iban DE89370400440532013001 --name Marie --yes
expect 2 "is in EUR" at empty 3.00 USD --iban $bank --name Marie --yes
expect 2 "takes an amount and its currency" at empty 3.00 --iban $bank --name Marie --yes
expect 2 "one word too many" at empty 3.00 EUR now --iban $bank --name Marie --yes
expect 2 "no terminal to ask on: --yes" setsid telepay purse empty --iban $bank --name Marie --home home --cacert purse/pki/ca.pem --code-fd 3 3< <(echo let me in)
holds 10.00
bank="DE89 3704 0044 0532 0130 00" sends 3.00 EUR # as people write it
holds 7.00
expect 2 "the purse holds less than that" at empty 7.01 EUR --iban $bank --name Marie --yes
# the purse does not answer: what is signed goes out once, with the same bytes
kill -STOP "$purse"
patience=2 expect 4 "it is signed and kept" patient empty 2.00 EUR --iban $bank --name Marie --yes &
waits=$!
pause 4
kill -KILL "$purse"
wait "$waits" || fail "$(heard)"
wait "$purse" 2>/dev/null
patience=1 expect 4 "it is signed and kept" patient empty 2.00 EUR --iban $bank --name Marie --yes
serve_purse
expect 0 "2.00 EUR leave your account" at empty 2.00 EUR --iban $bank --name Marie --yes
said "what was signed before is sent first"
holds 5.00
sends
holds 0.00
expect 2 "there is nothing in it" at empty --iban $bank --name Marie --yes

# ---- from what was signed

fill 20.00 T2
expect 0 "" at history
[ "$(at history --json | jq -r '[.records[] | select(.verified) | .kind + " " + .amount + " " + .code] | join(", ")')" = \
    "filled 10.00 00, emptying -3.00 00, emptying 0.00 51, emptying -2.00 00, emptying -5.00 00, filled 20.00 00" ] || fail "$(at history --json)"
tells() { # what, SQL: the purse's books, changed behind the back of their rules; what is said of it
    cp purse/purse.db kept.db
    sqlite3 purse/purse.db "$(sqlite3 purse/purse.db "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger'") $2" || fail "$2"
    serve_purse
    expect 5 "$3" at history
    kill "$purse"
    wait "$purse"
    cp kept.db purse/purse.db
    echo "ok   $1"
}
kill "$purse"
wait "$purse"
sqlite3 purse/purse.db 'PRAGMA wal_checkpoint(TRUNCATE)' >checkpoint.log
tells "a cent is gone" "UPDATE account SET balance = balance - 1" "the records come to 20.00 EUR, and the purse says that 19.99 are there"
tells "another amount went out" "UPDATE emptying SET amount = 301 WHERE amount = 300" "you signed another amount"
tells "a refusal that took money" "UPDATE emptying SET code = '00' WHERE code = '51'" "the records come to"
tells "another amount came in" "UPDATE booking SET amount = 1001 WHERE amount = 1000" "the purse has signed something else"
tells "what came in is kept from us" "DELETE FROM booking WHERE reference = 'T2'" "the records come to"
tells "what went out is kept from us" "DELETE FROM emptying WHERE amount = 200" "of what went to a bank account"
serve_purse
expect 0 "" at history
# the user's folder is lost, but not the key: the account is found again
cp home/device.jwk key
rm -rf home
expect 0 "" telepay authority add --home home purse/pki/ca.pem
cp key home/device.jwk
expect 0 "$account" at open --at "https://127.0.0.1:$purse_port" --currency EUR
expect 0 "20.00" at balance
sends 1.00 EUR # with a counter that was not used before
holds 19.00
# whoever has an account at a purse is not removed by mistake
printf 'paul has one\n' | expect 0 "is added" telepay user add paul --home home --code-fd 0
printf 'paul has one\n' | expect 0 "is open" telepay purse open --home home --user paul --cacert purse/pki/ca.pem --code-fd 0 --at "https://127.0.0.1:$purse_port"
expect 2 "telepay purse balance --user paul tells how much" telepay user remove paul --home home
expect 0 "paul is removed" telepay user remove paul --home home --with-purses --yes
verdict
