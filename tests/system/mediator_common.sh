#!/bin/bash
# shellcheck disable=SC2034,SC2154 # what common.sh launched is known there, and what is started here is used by who sources this
# What the tests of a mediator share: sourced after common.sh. All run in the private network of with-pcscd, in a folder of their own: med, acq, journal (a
# service), home (of the payer).
origin=https://localhost:18843

get() { printf '%s' "${pin-1234}" | telepay get --cacert med/pki/ca.pem --home home --pin-fd 0 --wait 5 --up-to "1000 EUR" "$@"; }
ask() { curl -s --max-time 70 --cacert med/pki/ca.pem "$@"; }
order_of() { telepay-mediator order list --state delivered --json | jq -r ".orders[-1].order"; } # the last that was delivered
states() { telepay-mediator order list --json | jq -r '[.orders[].state] | join(" ")'; }
paid() { telepay-acquirer list --json | jq '[.transactions[] | select(.state != "reversed")] | length'; }

serve_acquirer() { launch acquirer.log listening telepay-acquirer serve --listen 127.0.0.1:18583 && acquirer=$launched; }
serve_mediator() { launch mediator.log listening telepay-mediator serve && mediator=$launched; }
serve_service() { launch service.log listening telepay-service serve --dir journal --listen 127.0.0.1:18743 && service=$launched; }
reached() { # the last that was said of it
    local left
    for left in {300..0}; do
        grep 'acquirer.* reached' mediator.log | tail -1 | grep -q 'is reached' && return
        pause 0.05
    done
    fail "the acquirer is not reached: $(cat mediator.log)"
}

set_up_acquirer() { # and a card that it takes, and a contract
    expect 0 "" telepay-perso init scheme/
    expect 0 "" telepay-perso card cards/marie --scheme scheme/ --pan 9990140000000015 --name "DUPONT/MARIE" --expiry 2030-12 --pin 1234
    expect 0 "" telepay-acquirer init acq/ --authority scheme/authority.json
    expect 0 "" telepay-acquirer contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR
}

further=() # contracts of the acquirer that the mediator gets, too
set_up_mediator() { # of an acquirer that is made, with its contract
    expect 0 "" telepay-acquirer mediator add --name port --contract 000000000000123 "${further[@]/#/--contract=}" --out forport --port 18583
    expect 0 "" telepay-mediator init med --listen 127.0.0.1:18843 --origin $origin
    expect 2 "journal, which is to be the folder that telepay-acquirer mediator add made" telepay-mediator acquirer add journal
    expect 0 "$((${#further[@]} + 1)) contract" telepay-mediator acquirer add forport
    expect 0 "" telepay-service init journal
    expect 0 "" telepay-service mediator add --dir journal --id port --out jp --url https://127.0.0.1:18743
    expect 0 "" telepay-mediator service add jp --name journal --contract 000000000000123
    expect 0 "" telepay authority add --home home acq/pki/ca.pem
}

serve_shop() {
    serve_service
    serve_acquirer
    serve_mediator
    reached
}

# Another client pays: curl with what telepay credential made of its challenge.
challenge() { ask -o /dev/null -D - "$@" | tr -d '\r' | sed -n 's/^[Ww][Ww][Ww]-[Aa]uthenticate: //p'; }
credential() { telepay credential --header --cacert med/pki/ca.pem --home home --pin-fd 3 --wait 5 --up-to "1000 EUR" 3< <(printf '%s' "${pin-1234}"); }
buy() { # resource: its credential is $bought
    bought=$(challenge "$1" | credential 2>credential.log) || fail "no credential for $1: $(cat credential.log)"
}
pay() { ask -w '\n%{http_code}\n' -D heads -H "Authorization: $bought" "$@"; } # the status comes last
