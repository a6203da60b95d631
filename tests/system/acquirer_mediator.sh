#!/bin/bash
# Mediators as an acquirer's operator keeps them: the folder that each is given, its keys and what they are certified for, the parameters that its payers need; listed, closed.
set -u
# shellcheck source=tests/system/common.sh
. "${TESTS_SRCDIR:?}/system/common.sh"
failures=0
match=-E

own_folder
a() { telepay-acquirer "$@"; }

telepay-perso init scheme >out 2>&1 || { cat out; fail "perso init"; }
expect 0 "made the acquirer" a init acq --authority scheme/authority.json --listen 127.0.0.1:8599
expect 0 "is open" a contract add --id 000000000000123 --name "Librairie du Port" --mcc 5942 --currency EUR --floor 40 --ceiling 900
expect 0 "is open" a contract add --id 000000000000124 --name Kiosque --mcc 5994 --currency EUR --floor 25 --country 056
expect 0 "is open" a contract add --id 00000000000-125 --name Odd --mcc 5994 --currency EUR
expect 2 "needs --name, --contract and --out" a mediator add
expect 2 "letters, digits and -" a mediator add --name "two words" --contract 000000000000123 --out m
expect 2 "named twice" a mediator add --name frontal --contract 000000000000123 --contract 000000000000123 --out m
expect 2 "no contract" a mediator add --name frontal --contract 000000000000999 --out m
expect 2 "15 letters and digits" a mediator add --name frontal --contract 00000000000-125 --out m
a mediator list >out 2>&1 || fail "an empty list"
unsaid frontal

# a folder of before gets its keys with the first mediator
rm acq/pki/sealing.* acq/pki/acknowledgement.*
expect 0 "mediator frontal is in m" a mediator add --name frontal --contract 000000000000123 --contract 000000000000124 --out m
[ "$(stat -c %a m m/mediator.key m/order-000000000000123.key acq/pki/sealing.key acq/pki/acknowledgement.key | tr '\n' ' ')" = "700 600 600 600 600 " ] ||
    fail "modes: $(stat -c '%a %n' m m/* acq/pki/*)"
cmp -s m/sealing.pem acq/pki/sealing.pem || fail "another sealing certificate"
cmp -s m/ca.pem acq/pki/ca.pem || fail "another authority"
cp m/mediator.conf out
for words in '^id = [0-9A-F]{16}$' '^host = 127.0.0.1$' '^port = 8599$' '^\[contract 000000000000123\]$' '^terminal = M0000001$' '^terminal = M0000002$' \
    '^merchant = Librairie du Port$' '^currency = EUR$' '^country = 250$' '^country = 056$' '^mcc = 5942$' '^ceiling = 90000$' '^certificate = order-000000000000124.pem$'; do
    said "$words"
done
subject() { openssl x509 -in "$1" -noout -subject -nameopt RFC2253; }
[ "$(subject m/mediator.pem)" = "subject=CN=frontal,O=telepay-mediator" ] || fail "$(subject m/mediator.pem)"
[ "$(subject m/order-000000000000124.pem)" = "subject=CN=frontal,O=000000000000124" ] || fail "$(subject m/order-000000000000124.pem)"
openssl x509 -in acq/pki/acknowledgement.pem -noout -ext extendedKeyUsage | grep -q "2\.25\.215980706153799454954526073739923810814\.3$" || fail "the acknowledgement key's purpose"
expect 2 "there already|name another folder" a mediator add --name second --contract 000000000000123 --out m
expect 2 "a mediator frontal already" a mediator add --name frontal --contract 000000000000123 --out m2
expect 0 "second is in m3" a mediator add --name second --contract 000000000000123 --out m3
expect 0 "^frontal +000000000000124 M0000002 open" a mediator list
said "^second +000000000000123 M0000003 open"
expect 2 "has a terminal M0000003 already" a terminal add --contract 000000000000123 --id M0000003 --out t

# the parameters: signed by the acknowledgement key, which the authority certified for that
expect 2 "name the file" a parameters
expect 0 "are in new.jws" a parameters --out new.jws
cat >check.py <<'PY'
import base64, json, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
def b64(t): return base64.urlsafe_b64decode(t + "=" * (-len(t) % 4))
head, body, signature = open(sys.argv[1]).read().split(".")
header, p, s = json.loads(b64(head)), json.loads(b64(body)), b64(signature)
assert header["alg"] == "ES256" and header["typ"] == "telepay-parameters", header
leaf = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
ca = x509.load_pem_x509_certificate(open("acq/pki/ca.pem", "rb").read())
ca.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))
leaf.public_key().verify(utils.encode_dss_signature(int.from_bytes(s[:32], "big"), int.from_bytes(s[32:], "big")), (head + "." + body).encode(), ec.ECDSA(hashes.SHA256()))
assert sorted(p) == ["acquirer", "additional", "applications", "authorities", "capabilities", "issued", "type", "version"], sorted(p)
assert (p["capabilities"], p["type"], p["additional"]) == ("2099CC", "35", "6000F0A001"), p
assert p["authorities"] == [json.load(open("scheme/authority.json"))]
assert "floor = 2500\n" in p["applications"] and "@FLOOR@" not in p["applications"] # the lowest of the two contracts
assert "id = " + p["acquirer"] in open("m/mediator.conf").read()
print(p["version"])
PY
old=$(python3 check.py m/parameters.jws) && new=$(python3 check.py new.jws) && [ "$new" -ge "$old" ] || fail "the parameters are not as they should be"

expect 2 "no mediator third" a mediator close --name third
expect 0 "is closed" a mediator close --name second
expect 0 "^second +000000000000123 M0000003 closed" a mediator list
expect 0 '"state": ?"open"' a mediator list --json
verdict
