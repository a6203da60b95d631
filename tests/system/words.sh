#!/bin/bash
# Every option that takes a name or a text refuses characters that change how a line is shown, and bytes that are none; so do configurations as they are read.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
match=-E
own_folder
no_text=($'a\e[31mred' $'a\u202egnp' $'a\u2028b' $'caf\xe9')

refused() { # command… with WORD in place of the text
    local word
    for word in "${no_text[@]}"; do
        expect 2 "control characters|UTF-8|letters, digits|digits|takes|knows no|no beginnings|not.*characters|is no |no contract|not known" "${@/WORD/$word}"
        ! grep -q $'\e' "$dir/out" || fail "$*: the escape is shown"
    done
}

telepay-perso init scheme >/dev/null || fail "perso init"
telepay-acquirer init acq --authority scheme/authority.json >/dev/null || fail "acquirer init"
telepay-issuer init iss --scheme scheme >/dev/null || fail "issuer init"
telepay-centre init centre >/dev/null || fail "centre init"
telepay-service init service >/dev/null || fail "service init"
telepay-purse init purse >/dev/null || fail "purse init"
telepay-acquirer contract add --id 000000000000123 --name Shop --mcc 5942 --currency EUR >/dev/null || fail "contract add"
telepay-acquirer terminal add --contract 000000000000123 --id 00000001 --out term >/dev/null || fail "terminal add"

refused telepay-acquirer init new --name WORD
refused telepay-acquirer init new --listen WORD:1
refused telepay-acquirer contract add --id 000000000000124 --name WORD --mcc 5942 --currency EUR
refused telepay-acquirer contract add --id WORD --name Shop --mcc 5942 --currency EUR
refused telepay-acquirer terminal add --contract 000000000000123 --id WORD --out new
refused telepay-acquirer terminal add --contract 000000000000123 --id 00000002 --out new --host WORD
refused telepay-acquirer suspense settle 1 --note WORD
refused telepay-issuer init new --scheme scheme --name WORD
refused telepay-issuer init new --scheme scheme --listen WORD:1
refused telepay-issuer init new --scheme scheme --host WORD
refused telepay-issuer acquirer add --dir iss --id WORD --out new
refused telepay-issuer acquirer add --dir iss --id 2 --out new --host WORD
refused telepay-centre init new --name WORD
refused telepay-centre acquirer add --dir centre --id WORD --out new
refused telepay-centre acquirer add --dir centre --id B --out new --url https://WORD
refused telepay-service init new --name WORD
refused telepay-service init new --host WORD
refused telepay-service mediator add --dir service --id WORD --out new
refused telepay-service mediator add --dir service --id B --out new --url https://WORD
refused telepay-service mediator close --dir service --id WORD
refused telepay-purse init new --name WORD
refused telepay-purse init new --host WORD
refused telepay-purse init new --listen WORD:1
refused telepay-purse init new --currency WORD
refused telepay-purse contract add --id 000000000000124 --name WORD --currency EUR --iban DE89370400440532013000
refused telepay-purse contract close --id WORD
refused telepay-purse mediator add --name WORD --contract 000000000000124 --out new
refused telepay-purse mediator add --name B --contract WORD --out new
refused telepay-purse mediator add --name B --contract 000000000000124 --out new --url https://WORD
refused telepay-purse mediator close --name WORD
refused telepay-purse seller add --name WORD --out new
refused telepay-purse seller add --name B --out new --url https://WORD
refused telepay-purse seller close --name WORD
refused telepay-purse trust close --contract WORD
refused telepay-purse account show --account WORD
refused telepay-purse account stop --account kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --reason WORD
refused telepay-centre contract assign --dir centre --contract WORD --acquirer B
refused telepay-perso card new --scheme scheme --pan 9990140000000015 --expiry 2030-12 --pin 1234 --name WORD
refused telepay-perso card new --scheme scheme --pan 9990140000000015 --expiry 2030-12 --pin 1234 --name A/B --label WORD
refused telepay-perso card new --scheme scheme --pan 9990140000000015 --expiry 2030-12 --pin 1234 --name A/B --preferred WORD
[ ! -e new ] || fail "something was made: $(ls new)"

# ---- values of configurations
for word in "${no_text[@]}"; do
    cp term/telepay.conf was
    sed -i "s/^name *=.*/name = $word/" term/telepay.conf
    expect 2 "telepay.conf, section .terminal.: name must" telepay journal list --config term/telepay.conf
    cp was term/telepay.conf
    printf '[serve]\nlisten = %s:1\n' "$word" >acq/acquirer.conf
    expect 2 "acquirer.conf, section .serve.: listen must" telepay-acquirer serve
    printf '[issuer]\nname = %s\n' "$word" >iss/issuer.conf
    expect 2 "issuer.conf, section .issuer.: name must" telepay-issuer serve --dir iss
done
verdict
