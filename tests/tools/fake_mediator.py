#!/usr/bin/env python3
"""A mediator and its acquirer that behave as a test wants: fake_mediator.py make DIR CONF AUTHORITY, then fake_mediator.py serve DIR [PORT].

`make` puts into DIR the keys of an acquirer's authority and its roles (ca.pem, order, sealing, acknowledgement), those of a stranger, a TLS authority (tls.pem)
and the parameters, whose applications are those of the telepay.conf CONF and whose keys are those of AUTHORITY. `serve` says on which port it listens, reads
the file DIR/mode anew for each request, and tells each on stdout; `payment SHA256 …` is one of E, with the hash of its bytes.

Modes: ok; refused (51); unreached (503, nothing consumed); close (no answer to E); lost N, busy N (no answer, or 503, N times, then ok); late (as close, but
what was sent is kept); garbage, bad-ack, other-ack (what comes as an acknowledgement is none of this payment); gone (410); wrong-arpc; delivery-CODE with what its problem
says; dispute-CODE; refused-dearer (declined, and then demanded for more); old-parameters, stranger-parameters; and orders that no payer may pay: see forge.

The file DIR/means says by what an order may be paid, in that order: emv (without the file), purse. The acquirer is a purse, too, at /purse, /accounts and
/balance: what it holds is the file DIR/balance, in cents. Of its modes: other-payment (what comes acknowledges another statement); bad-provision (the purse's
word of a session is by a stranger), no-session (it refuses one); empty-CODE (of /emptyings: 402 as a purse refuses, others without a word of it). At /who it asks
who asks, for a service whose name is none. The means session is a purse's, too: by the vouchers of a session that a provision began.

Everything here is written apart from src/: JOSE from RFC 7515, 7516 and 7518, messages from doc/protocol.md."""
import base64
import datetime
import hashlib
import http.server
import json
import os
import secrets
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import iso8583_vectors as iso

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:
    print("python3-cryptography is missing: ./quickstart packages check")
    sys.exit(77)

CONTRACT, TERMINAL, ACQUIRER = "000000000000123", "M0000001", "0123456789ABCDEF"
ROLES = "2.25.215980706153799454954526073739923810814.%d"
PRICE = "1250"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def canonical(value):
    """RFC 8785, of what has no number but small integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# ---- keys ----

def name(common, organisation=None):
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certify(subject, key, issuer, signer, extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(hours=1),
                                      now + datetime.timedelta(days=10))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


def write(path, content, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)


def save(folder, stem, key, certificate):
    write(f"{folder}/{stem}.key", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    write(f"{folder}/{stem}.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def make_authority(folder, stem, common):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = certify(name(common), key, name(common), key, [(x509.BasicConstraints(True, None), True), (x509.KeyUsage(
        False, False, False, False, False, True, True, False, False), True)])
    save(folder, stem, key, certificate)
    return key, certificate


def make_role(folder, stem, authority, common, organisation, role, agrees=False):
    """By the openssl command: the arcs of these roles are too large for cryptography."""
    subject = (f"/O={organisation}" if organisation else "") + f"/CN={common}"
    usage = "keyAgreement" if agrees else "digitalSignature"
    write(f"{folder}/{stem}.ext", f"keyUsage=critical,{usage}\nextendedKeyUsage=critical,{ROLES % role}\n".encode())
    run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True)
    run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/{stem}.key", "-out", f"{folder}/{stem}.csr",
        "-subj", subject)
    run("x509", "-req", "-in", f"{folder}/{stem}.csr", "-CA", f"{folder}/{authority}.pem", "-CAkey", f"{folder}/{authority}.key", "-days", "10", "-extfile",
        f"{folder}/{stem}.ext", "-out", f"{folder}/{stem}.pem")


def make(folder, conf, authority_file):
    os.makedirs(folder, exist_ok=True)
    for stem, prefix in (("ca", ""), ("stranger", "stranger-")):
        make_authority(folder, stem, f"{stem} of tests")
        make_role(folder, prefix + "order", stem, "fake", CONTRACT, 1)
        make_role(folder, prefix + "sealing", stem, ACQUIRER, None, 2, agrees=True)
        make_role(folder, prefix + "acknowledgement", stem, ACQUIRER, None, 3)
    make_role(folder, "other-order", "ca", "fake", "000000000000999", 1)
    make_role(folder, "other-sealing", "ca", "FEDCBA9876543210", None, 2, agrees=True)
    tls = make_authority(folder, "tls", "TLS of tests")
    key = ec.generate_private_key(ec.SECP256R1())
    import ipaddress
    save(folder, "server", key, certify(name("localhost"), key, tls[1].subject, tls[0], [
        (x509.BasicConstraints(False, None), True), (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)]))
    with open(conf) as file:
        text = file.read()
    with open(authority_file) as file:
        keys = json.load(file)
    write(f"{folder}/parameters.json", json.dumps({"applications": text[text.index("[application"):], "authorities": [keys]}).encode())
    write(f"{folder}/mode", b"ok\n")


def load(folder, stem):
    with open(f"{folder}/{stem}.key", "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    with open(f"{folder}/{stem}.pem", "rb") as file:
        return key, x509.load_pem_x509_certificate(file.read())


def x5c(pair):
    return [base64.b64encode(pair[1].public_bytes(serialization.Encoding.DER)).decode()]


def sign(pair, kind, payload):
    head = encode(canonical({"alg": "ES256", "typ": kind, "x5c": x5c(pair)}))
    signed = f"{head}.{encode(canonical(payload))}"
    r, s = utils.decode_dss_signature(pair[0].sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


# ---- seals ----

def public_key(jwk):
    return ec.EllipticCurvePublicNumbers(int.from_bytes(decode(jwk["x"]), "big"), int.from_bytes(decode(jwk["y"]), "big"), ec.SECP256R1()).public_key()


def jwk_of(key):
    numbers = key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}


def agree(own, other):
    info = b"".join(len(part).to_bytes(4, "big") + part for part in (b"A256GCM", b"", b"")) + (256).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), 32, info).derive(own.exchange(ec.ECDH(), other))


def unseal(key, text):
    head, none, iv, body, tag = text.split(".")
    header = json.loads(decode(head))
    assert none == "" and header["alg"] == "ECDH-ES" and header["enc"] == "A256GCM" and header["typ"] == "telepay-transaction", header
    return json.loads(AESGCM(agree(key, public_key(header["epk"]))).decrypt(decode(iv), decode(body) + decode(tag), head.encode()))


def seal(jwk, payload):
    own = ec.generate_private_key(ec.SECP256R1())
    head = encode(canonical({"alg": "ECDH-ES", "enc": "A256GCM", "epk": jwk_of(own.public_key()), "typ": "telepay-answer"}))
    iv = secrets.token_bytes(12)
    sealed = AESGCM(agree(own, public_key(jwk))).encrypt(iv, canonical(payload), head.encode())
    return f"{head}..{encode(iv)}.{encode(sealed[:-16])}.{encode(sealed[-16:])}"


# ---- messages ----

def unpack(raw):
    def digits(n, odd_left=True):
        nonlocal at
        size = (n + 1) // 2
        text = raw[at:at + size].hex()
        at += size
        return text[-n:] if odd_left else text[:n]

    def take(n):
        nonlocal at
        at += n
        return raw[at - n:at]

    mti, at = raw[:2].hex(), 2
    bits = int.from_bytes(take(8), "big") << 64
    if bits >> 127:
        bits |= int.from_bytes(take(8), "big")
    fields = {}
    for number in range(2, 129):
        if not bits >> (128 - number) & 1:
            continue
        if number in iso.NUMERIC:
            fields[number] = digits(iso.NUMERIC[number])
        elif number in iso.LLNUM:
            fields[number] = digits(int(digits(2)), False)
        elif number in iso.CHAR:
            fields[number] = take(iso.CHAR[number]).decode()
        elif number in iso.LLLBINARY:
            fields[number] = take(int(digits(4)))
        else:
            raise ValueError(f"field {number}")
    assert at == len(raw)
    return mti, fields


def objects(data):
    found, at = {}, 0
    while at < len(data):
        start = at
        at += 2 if data[at] & 0x1F == 0x1F else 1
        tag = data[start:at].hex().upper()
        size = data[at]
        at += 1
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[at:at + count], "big")
            at += count
        found[tag] = data[at:at + size]
        at += size
    return found


def bound(challenge):
    names = ("id", "realm", "method", "intent", "request", "expires", "digest", "opaque")
    return hashlib.sha256("|".join(["telepay-1", *(challenge.get(n, "") for n in names)]).encode()).digest()


# ---- orders ----

def moment(seconds=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Mediator:
    def __init__(self, folder):
        self.folder = folder
        self.orders = {}
        self.lock = threading.Lock()
        self.stan = int(time.time()) % 900000
        self.counted = {}
        self.used = {}  # counters, by account
        self.sessions = {}

    def means(self):
        try:
            with open(f"{self.folder}/means") as file:
                return file.read().split()
        except FileNotFoundError:
            return ["emv"]

    def offers(self, order_id, method, url, digest, mode):
        """By each means a challenge and its order."""
        return {means: self.challenge(order_id, method, url, digest, mode, means) for means in self.means()}

    def balance(self, change=0):
        with open(f"{self.folder}/balance") as file:
            now = int(file.read()) + change
        if change:
            with open(f"{self.folder}/balance", "w") as file:
                file.write(str(now))
        return now

    def mode(self):
        with open(f"{self.folder}/mode") as file:
            return file.read().split() or ["ok"]

    def key(self, stem):
        return load(self.folder, stem)

    def price(self, path):
        return path.split("price=")[1] if "price=" in path else PRICE

    def challenge(self, order_id, method, url, digest, mode, means):
        """A demand; what makes it one that nobody may pay is the mode's."""
        self.stan += 1
        price = self.price(url)
        order = {
            "version": 1, "order": order_id, "contract": CONTRACT, "merchant": "Librairie du Port", "item": "Carte marine 7066", "amount": price,
            "currency": "eur", "delivery": "network", "quote": encode(secrets.token_bytes(32)), "nonce": encode(secrets.token_bytes(16)),
            "issued": moment(), "valid_until": moment(300), "means": [{"name": "purse" if means == "session" else means, "ceiling": "100000"}], "resource": {"method": method, "url": url},
            "return": url, "acquirer": ACQUIRER}
        if means == "emv":
            order.update({"terminal": TERMINAL, "stan": "%06d" % self.stan, "date": time.strftime("%Y%m%d"), "time": time.strftime("%H%M%S"),
                          "country": "250", "mcc": "5942"})
        if digest:
            order["resource"]["digest"] = digest
        request = {"amount": price, "currency": "eur", "recipient": CONTRACT, "externalId": order_id, "description": "Carte marine 7066"}
        signer, kind, sealing, version = "order", "telepay-order", "sealing", str(self.version(mode))
        signer, kind, sealing = forge(mode, order, request, signer, kind, sealing)
        token = sign(self.key(signer), kind, order)
        if mode == "altered":
            head, body, signature = token.split(".")
            token = f"{head}.{encode(canonical({**order, 'item': 'Other'}))}.{signature}"
        request["methodDetails"] = {"order": token, **({"acquirer": x5c(self.key(sealing)), "parameters": version} if means == "emv" else {"purse": self.at})}
        if means == "session":
            request["unitType"] = "page"
        challenge = {"id": encode(secrets.token_bytes(32)), "realm": "fake", "method": "purse" if means == "session" else means,
                     "intent": "session" if means == "session" else "charge", "request": encode(canonical(request)),
                     "expires": moment(-100 if mode == "challenge-expired" else 300), "opaque": encode(b"{}")}
        return challenge, order

    def version(self, mode):
        return {"old-parameters": 1700000000, "new-parameters": 1900000000}.get(mode, 1800000000)

    def parameters(self):
        mode = self.mode()[0]
        with open(f"{self.folder}/parameters.json") as file:
            more = json.load(file)
        stem = {"stranger-parameters": "stranger-acknowledgement", "order-parameters": "order"}.get(mode, "acknowledgement")
        acquirer = "FEDCBA9876543210" if mode == "other-parameters" else ACQUIRER
        version = 1700000000 if mode == "served-old-parameters" else self.version(mode)
        return sign(self.key(stem), "telepay-parameters", {"version": version, "acquirer": acquirer, "issued": moment(),
                                                           "capabilities": "2098C8", "type": "35", "additional": "6000F0A001", **more})

    def counts(self, order_id, limit):
        """Whether this is one of the first `limit` times."""
        self.counted[order_id] = self.counted.get(order_id, 0) + 1
        return self.counted[order_id] <= limit


def forge(mode, order, request, signer, kind, sealing):
    """Each is one thing that is wrong."""
    simple = {"other-amount": ("amount", "125"), "other-item": ("item", "Other"), "other-order": ("order", "b" * 26), "other-contract": ("contract", "000000000000999")}
    if mode in simple:
        order[simple[mode][0]] = simple[mode][1]
    elif mode == "other-currency":
        request["currency"] = "usd"
    elif mode == "expired":
        order["issued"], order["valid_until"] = moment(-700), moment(-200)
    elif mode == "future":
        order["issued"], order["valid_until"] = moment(200), moment(500)
    elif mode == "other-url":
        order["resource"]["url"] = order["resource"]["url"].replace("/s/", "/t/")
    elif mode == "other-method":
        order["resource"]["method"] = "PUT"
    elif mode == "other-digest":
        order["resource"]["digest"] = "sha-256=:" + base64.b64encode(hashlib.sha256(b"other").digest()).decode() + ":"
    elif mode == "other-origin":
        order["resource"]["url"] = order["resource"]["url"].replace("localhost", "127.0.0.1")
    elif mode == "ceiling":
        order["means"][0]["ceiling"] = "100"
    elif mode == "no-card":
        order["means"][0]["name"] = "purse"
        for name in ("terminal", "stan", "date", "time", "country", "mcc"):
            del order[name]
    elif mode == "dearer":
        order["amount"] = request["amount"] = "1300"
    elif mode == "typ":
        kind = "telepay-acknowledgement"
    signer = {"stranger": "stranger-order", "role": "acknowledgement", "contract-key": "other-order"}.get(mode, signer)
    sealing = {"stranger-sealing": "stranger-sealing", "other-sealing": "other-sealing", "role-sealing": "order"}.get(mode, sealing)
    return signer, kind, sealing


# ---- the acquirer ----

def check_transaction(mediator, entry, credential):
    """Opens what is sealed and holds it to the order, as an acquirer must. Returns fields, DE 55, the answer's key."""
    challenge, order = entry["challenge"], entry["order"]
    assert {k: v for k, v in credential["challenge"].items() if k != "description"} == challenge, "another challenge"
    r = bound(challenge)
    opened = unseal(mediator.key("sealing")[0], credential["payload"]["transaction"])
    assert opened["version"] == 1 and set(opened) == {"version", "message", "answer_key"} and set(opened["answer_key"]) == {"kty", "crv", "x", "y"}
    raw = decode(opened["message"])
    mti, fields = unpack(raw)
    expected = {3: "000000", 4: order["amount"].zfill(12), 11: order["stan"], 12: order["time"], 13: order["date"][4:], 18: order["mcc"], 41: order["terminal"],
                42: order["contract"], 49: "978"}
    assert mti == "0200" and all(fields[n] == v for n, v in expected.items()), fields
    card = objects(fields[55])
    assert card["9F37"] == r[:4] and card["9F1E"] == order["terminal"].encode() and card["9F1A"] == bytes.fromhex("0" + order["country"]), card
    signed = "card" if "9F7C" in card else "device"
    assert signed == "device" or card["9F7C"] == r
    assert (signed == "device") == ("device" in credential["payload"])
    if signed == "device":
        check_device(credential["payload"]["device"], r, raw)
    return fields, card, opened["answer_key"], signed


def check_device(token, r, raw):
    head, body, signature = token.split(".")
    header, payload = json.loads(decode(head)), json.loads(decode(body))
    assert header["alg"] == "ES256" and header["typ"] == "telepay-device" and set(header) == {"alg", "typ", "jwk"}
    assert payload == {"version": 1, "r": encode(r), "transaction": encode(hashlib.sha256(raw).digest())}
    pair = decode(signature)
    der = utils.encode_dss_signature(int.from_bytes(pair[:32], "big"), int.from_bytes(pair[32:], "big"))
    public_key(header["jwk"]).verify(der, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))


def signed_by_account(text, kind):
    """The account whose key signed it, its payload, and the key."""
    head, body, signature = text.split(".")
    header, payload = json.loads(decode(head)), json.loads(decode(body))
    jwk = header["jwk"]
    assert set(header) == {"alg", "typ", "jwk"} and set(jwk) == {"crv", "kty", "x"} and jwk["crv"] == "Ed25519" and jwk["kty"] == "OKP", header
    assert header["alg"] == "EdDSA" and header["typ"] == f"telepay-purse-{kind}" and canonical(payload) == decode(body), header
    ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"])).verify(decode(signature), f"{head}.{body}".encode())
    return encode(hashlib.sha256(canonical(jwk)).digest()), payload, jwk["x"]


def digest(text):
    return encode(hashlib.sha256(text.encode()).digest())


def take_provision(mediator, account, text, mode):
    """The purse's word of a session that is to begin."""
    by, provision, key = signed_by_account(text, "provision")
    assert by == account == provision["account"] and provision["acquirer"] == ACQUIRER and provision["mediator"] == "fake", provision
    assert int(provision["counter"]) not in mediator.used[account]
    mediator.used[account].add(int(provision["counter"]))
    refused = mode == "no-session" or int(provision["amount"]) > mediator.balance()
    if not refused:
        mediator.sessions[provision["session"]] = {"account": account, "left": int(provision["amount"]), "by": {}, "over": False}
    print(f"provision {'refused' if refused else 'open'} {provision['amount']}", flush=True)
    word = {"version": 1, "acquirer": ACQUIRER, "account": account, "key": key, **{n: provision[n] for n in ("mediator", "session", "amount", "currency", "until")},
            "outcome": "refused" if refused else "acknowledged", "code": "51" if refused else "00", "provision": digest(text), "at": moment()}
    if refused:
        word["reason"] = "BALANCE"
    return sign(mediator.key("stranger-acknowledgement" if mode == "bad-provision" else "acknowledgement"), "telepay-purse-provision-acknowledgement", word)


def decide_voucher(mediator, entry, credential, mode):
    challenge, order = entry["challenge"], entry["order"]
    assert {k: v for k, v in credential["challenge"].items() if k != "description"} == challenge, "another challenge"
    text = credential["payload"]["voucher"]
    account, voucher, _ = signed_by_account(text, "voucher")
    session = mediator.sessions[voucher["session"]]
    assert voucher["account"] == account == session["account"] and voucher["r"] == encode(bound(challenge)) and voucher["order"] == order["order"], voucher
    assert voucher["contract"] == order["contract"] and voucher["currency"] == "eur"
    known = session["by"].setdefault(order["contract"], [0, 0])
    assert int(voucher["number"]) == known[1] + 1 and int(voucher["sum"]) == known[0] + int(order["amount"]), (voucher, known)
    session["left"] -= int(order["amount"])
    assert session["left"] >= 0 and not session["over"]
    known[:] = [int(voucher["sum"]), int(voucher["number"])]
    print(f"voucher {voucher['number']} sum {voucher['sum']}", flush=True)
    word = {"version": 1, "r": voucher["r"], "order": order["order"], "contract": order["contract"], "amount": order["amount"], "currency": "eur",
            "session": voucher["session"], "sum": voucher["sum"], "number": voucher["number"], "voucher": digest(text + ("x" if mode == "other-payment" else "")),
            "mediator": "fake", "outcome": "acknowledged", "code": "00", "reference": f"{voucher['session']}-{voucher['number']}", "at": moment()}
    signed = sign(mediator.key("stranger-order" if mode == "bad-ack" else "order"), "telepay-voucher-acknowledgement", word)
    return {"code": "00", "reason": None, "acknowledgement": signed, "answer": None, "completion": False, "reference": word["reference"]}


def check_statement(entry, credential):
    """The account that signed the payment, and its counter."""
    challenge, order = entry["challenge"], entry["order"]
    assert {k: v for k, v in credential["challenge"].items() if k != "description"} == challenge, "another challenge"
    assert set(credential["payload"]) <= {"payment", "claim", "provision"}
    account, payload, _ = signed_by_account(credential["payload"]["payment"], "payment")
    assert payload == {
        "version": 1, "account": account, "r": encode(bound(challenge)), "order": order["order"], "amount": order["amount"], "currency": order["currency"],
        "counter": payload["counter"]}, payload
    return account, int(payload["counter"])


def decide_purse(mediator, entry, credential, mode):
    account, counter = check_statement(entry, credential)
    amount = int(entry["order"]["amount"])
    code, reason, used = "00", None, mediator.used.setdefault(account, set())
    if counter in used:
        code, reason = "94", "COUNTER_USED"
    elif amount > mediator.balance() or mode == "refused":
        code, reason = "51", "BALANCE"
    else:
        mediator.balance(-amount)
    used.add(counter)
    print(f"purse {code} counter {counter}", flush=True)
    statement = hashlib.sha256((b"other" if mode == "other-payment" else b"") + credential["payload"]["payment"].encode()).digest()
    signed = None if reason == "COUNTER_USED" else acknowledge(mediator, entry, {11: "%06d" % counter}, code, reason, mode, {"payment": encode(statement)})
    word = take_provision(mediator, account, credential["payload"]["provision"], mode) if "provision" in credential["payload"] and code == "00" else None
    return {"code": code, "reason": reason, "acknowledgement": signed, "answer": None, "completion": False, "reference": "632700%06d" % counter, "provision": word}


def acknowledge(mediator, entry, fields, code, reason, mode, more=None):
    order = entry["order"]
    statement = {"version": 1, "r": encode(bound(entry["challenge"])), "order": order["order"], "contract": order["contract"], "amount": order["amount"],
                 "currency": order["currency"], "reference": "632700" + fields[11], "code": code, "outcome": "acknowledged" if code == "00" else "refused",
                 "at": moment(), **(more or {})}
    if reason:
        statement["reason"] = reason
    if mode == "other-ack":
        statement["r"] = encode(hashlib.sha256(b"other").digest())
    return sign(mediator.key("stranger-acknowledgement" if mode == "bad-ack" else "acknowledgement"), "telepay-acknowledgement", statement)


def decide(mediator, entry, credential, mode):
    if entry["challenge"]["method"] == "purse":
        return (decide_voucher if entry["challenge"]["intent"] == "session" else decide_purse)(mediator, entry, credential, mode)
    fields, card, answer_key, signed = check_transaction(mediator, entry, credential)
    asks = card["9F27"][0] & 0xC0 == 0x80
    code, reason = ("51", "ISSUER_REFUSED") if mode in ("refused", "refused-dearer") or (mode == "refused-once" and mediator.counts("refused", 1)) else ("00", None)
    answer = {n: fields[n] for n in (3, 4, 7, 11, 12, 13, 41, 42, 49)}
    answer.update({37: "632700" + fields[11], 39: code})
    if reason:
        answer[44] = reason
    if asks and code == "00":
        answer[38] = "A12345"
        answer[55] = bytes.fromhex("8A023030" + ("91080102030405060708" if mode == "wrong-arpc" else ""))
    packed = iso.pack("0210", answer)
    print(f"acquirer {code} signed by the {signed}{', asks' if asks else ''}", flush=True)
    return {"code": code, "reason": reason, "acknowledgement": acknowledge(mediator, entry, fields, code, reason, mode),
            "answer": seal(answer_key, {"version": 1, "message": encode(packed)}), "completion": asks and code == "00", "reference": "632700" + fields[11]}


# ---- HTTP ----

def header_of(challenge):
    return "Payment " + ", ".join(f'{k}="{v}"' for k, v in challenge.items())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mediator = None

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", fields=(), kind="application/json"):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        for key, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *fields):
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def drop(self):
        self.close_connection = True
        self.connection.close()

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def origin(self):
        return f"{self.server.scheme}://{self.headers['Host']}"

    def handle_one(self):
        body = self.body()
        parts = self.path.split("?")[0].strip("/").split("/")
        credential = self.headers.get("Authorization", self.headers.get("Payment-Authorization"))
        extra = " with a credential" if credential else ""
        extra += " with a cookie" if self.headers.get("Cookie") else ""
        if parts[0] == "orders" and parts[-1] == "payment":
            extra = " " + hashlib.sha256(body).hexdigest()
        print(f"{self.command} {self.path}{extra}", flush=True)
        if parts[0] == "free":
            return self.answer(200, b"free: " + self.command.encode() + b" " + body, kind="text/plain")
        if parts[0] == "to":
            return self.answer(302, b"", [("Location", self.path[len("/to/"):])])
        if parts[0] == "loop":
            return self.answer(302, b"", [("Location", "/loop")])
        if parts[0] == "status":
            return self.answer(int(parts[1]), b"status" * (100000 if "large" in self.path else 1))
        if parts[0] == "parameters":
            return self.answer(200, self.mediator.parameters().encode(), kind="application/jose")
        if parts[0] == "sessions" and parts[2] == "end":
            account, said, _ = signed_by_account(body.decode(), "session-end")
            if parts[1] not in self.mediator.sessions:
                return self.answer(404, {"title": "no such session"})
            assert said == {"version": 1, "account": account, "session": parts[1]} and self.mediator.sessions[parts[1]]["account"] == account
            self.mediator.sessions[parts[1]]["over"] = True
            print("session ended", flush=True)
            return self.answer(200, {})
        if parts[0] == "who":
            return self.answer(401, {}, [("WWW-Authenticate", f'Telepay-Identity request="{"a" * 26}"')])
        if parts[0] == "identity":
            return self.answer(200, {"mediator": self.origin(), "request": parts[1], "service": "journal=x\r\nX-Told: yes", "reason": "the club", "code": "AAA-BBB"})
        if self.path == "/emptyings":
            status = int(self.mediator.mode()[0].removeprefix("empty-"))
            said = {200: {"code": "00", "reference": "000000000001"}, 402: {"code": "51", "reason": "BALANCE"}}
            return self.answer(status, said.get(status, b"<html>"))
        if self.path in ("/purse", "/accounts", "/balance"):
            return self.of_account(body)
        if parts[0] == "s":
            return self.sell(body, credential)
        if parts[0] == "orders" and len(parts) >= 2 and parts[1] in self.mediator.orders:
            return self.of_order(self.mediator.orders[parts[1]], parts[2] if len(parts) > 2 else "", body, credential)
        return self.answer(404, {"title": "Not found"})

    do_GET = do_POST = do_PUT = do_HEAD = handle_one

    def of_account(self, body):
        if self.path == "/purse":
            return self.answer(200, {"acquirer": ACQUIRER, "name": "Bourse", "currencies": [{"currency": "EUR", "payment": 15000, "day": 50000, "balance": 100000}]})
        head, payload, signature = body.decode().split(".")
        jwk, payload = json.loads(decode(head))["jwk"], json.loads(decode(payload))
        ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"])).verify(decode(signature), body.rsplit(b".", 1)[0])
        account = encode(hashlib.sha256(canonical(jwk)).digest())
        assert payload["acquirer"] == ACQUIRER
        if self.path == "/accounts":
            return self.answer(200, {"account": account, "code": "00"})
        assert payload["account"] == account and len(payload["at"]) == 20
        return self.answer(200, {"account": account, "currency": "eur", "balance": self.mediator.balance(), "reserved": 0, "state": "open",
                                 "counter": max(self.mediator.used.get(account, {0}))})

    def sell(self, body, credential):
        mode = self.mediator.mode()[0]
        if credential and mode == "delivery-404":
            return self.answer(200, b"the chart, from its own address", kind="text/plain")
        if mode == "other-means":
            return self.answer(402, b"other", [("WWW-Authenticate", 'Payment id="a", realm="r", method="tempo", intent="charge", request="e30"')])
        order_id = base64.b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=")
        digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":" if body else None
        self.mediator.at = self.origin()
        offers = self.mediator.offers(order_id, self.command, self.origin() + self.path, digest, mode)
        challenge, order = next(iter(offers.values()))
        self.mediator.orders[order_id] = {"offers": offers, "challenge": challenge, "order": order, "state": "requested", "path": self.path, "method": self.command, "digest": digest}
        print(f"order {order_id}", flush=True)
        return self.answer(402, {"type": "https://paymentauth.org/problems/payment-required", "title": "Payment required", "status": 402,
                                 "order": f"{self.origin()}/orders/{order_id}"},
                           [("WWW-Authenticate", header_of(c)) for c, _ in offers.values()] + [("Cache-Control", "no-store")], "application/problem+json")

    def of_order(self, entry, verb, body, credential):
        if verb == "payment":
            return self.pay(entry, body)
        if verb == "completion":
            told = json.loads(body)
            assert set(told) == {"credential", "completed"}
            if told["credential"] != entry["hash"]:
                return self.answer(409, {"title": "of another credential"})
            print(f"completed {told['completed']}", flush=True)
            entry["state"] = "acknowledged" if told["completed"] else "reversed"
            if self.mediator.mode()[0] == "lost-completion" and self.mediator.counts("completion", 1):
                return self.drop()
            return self.answer(200, {"state": entry["state"]}, [("Payment-Receipt", receipt(entry))] if told["completed"] else [])
        if verb == "claim":
            claim = json.loads(body)["claim"]
            assert len(decode(claim)) == 16
            if entry.setdefault("claim", claim) != claim:
                return self.answer(409, {"title": "claimed"})
            return self.answer(200, {"state": "claimed", "code": "K7QX"})
        if verb == "dispute":
            return self.answer(int(self.mediator.mode()[0].removeprefix("dispute-")), {})
        if verb == "release":
            if entry.get("claim") != json.loads(body)["claim"] or entry["state"] not in ("requested", "claimed"):
                return self.answer(409, {"title": "not given back"})
            del entry["claim"]
            return self.answer(200, {"state": "requested"})
        if verb == "delivery":
            return self.deliver(entry, credential)
        state = {"order": entry["order"]["order"], "state": entry["state"], "merchant": "Librairie du Port", "item": "Carte marine 7066"}
        if entry["state"] in ("requested", "claimed", "refused"):
            state["challenge"] = header_of(entry["challenge"])
            state["challenges"] = [header_of(challenge) for challenge, _ in entry["offers"].values()]
        return self.answer(200, state)

    def deliver(self, entry, credential):
        mode, *words = self.mediator.mode()
        if mode == "delivery-402":
            return self.sell(b"", None)
        if mode == "delivery-503" and self.mediator.counts("delivery", 1):
            return self.answer(503, {}, [("Retry-After", "1")])
        if mode.startswith("delivery-") and mode != "delivery-503":
            told = {"title": "mode"} | ({"detail": " ".join(words)} if words else {})
            return self.answer(int(mode[len("delivery-"):]), told, kind="application/problem+json")
        if credential is None or json.loads(decode(credential.split()[1])) != entry.get("credential"):
            return self.answer(402, {"title": "who are you?"})
        if entry["state"] != "acknowledged":
            return self.answer(410, {"title": entry["state"]})
        return self.answer(200, b"the chart\n", [("Payment-Receipt", receipt(entry))], "text/plain")

    def pay(self, entry, body):
        mode, *words = self.mediator.mode()
        count = int(words[0]) if words and words[0].isdecimal() else 0
        if mode == "close" or (mode == "lost-before" and self.mediator.counts(entry["order"]["order"], count)):
            return self.drop()
        if mode == "unreached":
            return self.answer(503, {"title": "no acquirer", "consumed": False}, [("Retry-After", "1")])
        if mode == "busy" and self.mediator.counts(entry["order"]["order"], count):
            return self.answer(503, {"title": "not known"}, [("Retry-After", "1")])
        if mode in ("gone", "not-found", "bad-request", "conflict"):
            return self.answer({"gone": 410, "not-found": 404, "bad-request": 400, "conflict": 409}[mode], {"title": mode, "detail": "mode " + mode})
        if mode == "payment-expired":
            return self.answer(402, {"type": "https://paymentauth.org/problems/payment-expired", "title": "Expired", "status": 402, "detail": "it has expired"})
        credential = json.loads(body)
        with self.mediator.lock:
            if "credential" in entry and entry["credential"] != credential and entry["result"]["code"] == "00":
                print("another credential", flush=True)
                return self.answer(409, {"title": "another credential"})
            if entry.get("credential") != credential:
                entry["challenge"], entry["order"] = entry["offers"]["session" if credential["challenge"]["intent"] == "session" else credential["challenge"]["method"]]
                entry["result"] = decide(self.mediator, entry, credential, mode)
                entry["credential"] = credential
                entry["hash"] = encode(hashlib.sha256(canonical({k: v for k, v in credential.items()})).digest())
                entry["state"] = "refused" if entry["result"]["code"] != "00" else "submitting" if entry["result"]["completion"] else "acknowledged"
        if mode == "late" or (mode == "lost" and self.mediator.counts(entry["order"]["order"], count)):
            return self.drop()
        if mode == "garbage":
            return self.answer(200, b"garbage")
        return self.tell(entry)

    def tell(self, entry):
        result, order = entry["result"], entry["order"]
        if entry["state"] == "reversed":
            return self.answer(200, {"order": order["order"], "state": "reversing" if self.mediator.counts("told", 1) else "reversed"})
        if result["code"] != "00":
            means = entry["challenge"]["method"]
            again = "dearer" if self.mediator.mode()[0] == "refused-dearer" else "ok"
            entry["offers"][means] = self.mediator.challenge(order["order"], entry["method"], order["resource"]["url"], entry["digest"], again, means)
            signed = {name: result[name] for name in ("acknowledgement", "answer") if result[name]}
            return self.answer(402, {"type": "https://paymentauth.org/problems/verification-failed", "title": "Declined", "status": 402, "code": result["code"],
                                     "reason": result["reason"], **signed},
                               [("WWW-Authenticate", header_of(challenge)) for challenge, _ in entry["offers"].values()], "application/problem+json")
        answer = {"order": order["order"], "state": entry["state"], "reference": result["reference"], "acknowledgement": result["acknowledgement"]}
        if result.get("provision"):
            answer["provision"] = result["provision"]
        if result["answer"]:
            answer.update({"answer": result["answer"], "completion": result["completion"]})
        return self.answer(200, answer, [] if result["completion"] else [("Payment-Receipt", receipt(entry))])


def receipt(entry):
    return encode(canonical({"status": "success", "method": entry["challenge"]["method"], "timestamp": moment(), "reference": entry["result"]["reference"]}))


class Server(http.server.ThreadingHTTPServer):
    scheme = "https"
    daemon_threads = True

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, ssl.SSLError, ValueError)) or "closed file" not in str(error):
            print(f"error {error!r}", flush=True)


def serve(folder, port):
    Handler.mediator = Mediator(folder)
    server = Server(("127.0.0.1", port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:5])
    else:
        serve(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
