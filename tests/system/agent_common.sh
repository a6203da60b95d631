#!/bin/bash
# What the tests of telepay agent share: sourced after mediator_common.sh. A card in the reader, a mediator, and an agent that asks a double of pinentry.
# shellcheck disable=SC2034,SC2154,SC2119,SC2120 # what those that source this use, and give
at_agent=http://127.0.0.1:27502 # where pages lead
article=$origin/s/journal/article-1

person() { # what the person at the window does: at the question, and at the PIN (tests/tools/pinentry_double.py)
    printf 'CONFIRM %s\nGETPIN %s\n' "$1" "${2-1234}" >person/does.new
    mv person/does.new person/does
}
serve_agent() { launch agent.log listening telepay agent --home home --cacert med/pki/ca.pem --pinentry "$dir/person/pinentry" -v "$@" && agent=$launched; }
state() { telepay-mediator order list --json | jq -r --arg id "$order" '.orders[] | select(.order == $id) | .state'; } # of $order

set_up_home() {
    set_up_acquirer
    set_up_mediator
    expect 0 "" telepay authority add --home home2 acq/pki/ca.pem
    mkdir person
    printf '#!/bin/sh\nexec "%s" "%s"\n' "$here/../tools/pinentry_double.py" "$dir/person" >person/pinentry
    chmod +x person/pinentry
    person yes 1234
    serve_service
    serve_acquirer
    serve_mediator
    serve_agent
    insert cards/marie
    reached
}
