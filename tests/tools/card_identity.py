#!/usr/bin/env python3
"""Identification by card against another implementation: RFC 7516 and 7518 (ECDH-ES, A256GCM) with Python's cryptography, EMV 4.4 Book 2 (tables 6, 14 and 17) with
Python's integers and hashlib, FIPS 198 with hmac.
card_identity.py judge REQUEST JWE ACQ AUTHORITY.json MEDIATOR ORIGIN: opens what was sealed of a card, with the acquirer's key, and checks that this card signed this
request; prints the name that the mediator of that origin is to know it by.
card_identity.py forge KIND JWE ACQ: the body that POST /identity/ID takes, of the same, changed (KIND: genuine, signature, records, request, key, plain)."""
import base64
import hashlib
import hmac
import json
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

CURVE = ec.SECP256R1()


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def content_key(private, public):
    def sized(data):
        return len(data).to_bytes(4, "big") + data

    info = sized(b"A256GCM") + sized(b"") + sized(b"") + (256).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), 32, info).derive(private.exchange(ec.ECDH(), public))


def unseal(jwe, acq):
    head, none, iv, text, tag = jwe.split(".")
    header = json.loads(decode(head))
    assert header["alg"] == "ECDH-ES" and header["enc"] == "A256GCM" and header["typ"] == "telepay-card-evidence" and none == ""
    epk = ec.EllipticCurvePublicNumbers(*(int.from_bytes(decode(header["epk"][c]), "big") for c in "xy"), CURVE).public_key()
    with open(os.path.join(acq, "pki/sealing.key"), "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    return json.loads(AESGCM(content_key(key, epk)).decrypt(decode(iv), decode(text) + decode(tag), head.encode()))


def seal(plain, public):
    key = ec.generate_private_key(CURVE)
    numbers = key.public_key().public_numbers()
    epk = {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}
    head = encode(text({"alg": "ECDH-ES", "enc": "A256GCM", "epk": epk, "typ": "telepay-card-evidence"}))
    iv = os.urandom(12)
    out = AESGCM(content_key(key, public)).encrypt(iv, text(plain), head.encode())
    return ".".join([head, "", encode(iv), encode(out[:-16]), encode(out[-16:])])


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def objects(data):
    """BER-TLV, in order: tag, value, where the value begins."""
    found, at = [], 0
    while at < len(data):
        start = at
        at += 1
        if data[start] & 0x1F == 0x1F:
            while data[at] & 0x80:
                at += 1
            at += 1
        tag = data[start:at].hex().upper()
        n = data[at]
        at += 1
        if n & 0x80:
            n, at = int.from_bytes(data[at : at + (n & 0x7F)], "big"), at + (n & 0x7F)
        found.append((tag, data[at : at + n], at))
        at += n
    return found


def recover(signed, modulus, exponent, form):
    assert len(signed) == len(modulus)
    block = pow(int.from_bytes(signed, "big"), int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).to_bytes(len(modulus), "big")
    assert block[0] == 0x6A and block[1] == form and block[-1] == 0xBC
    return block


def certified(block, head, remainder, exponent, *more):
    """The key in a certificate whose head, up to both lengths, is so long."""
    assert hashlib.sha1(block[1:-21] + remainder + exponent + b"".join(more)).digest() == block[-21:-1]
    assert block[head - 4 : head - 2] == b"\x01\x01" and block[head - 1] == len(exponent)
    return (block[head:-21] + remainder)[: block[head - 2]]


def judge(request, jwe, acq, authority, mediator, origin):
    plain = unseal(jwe, acq)
    asked = hashlib.sha256(request.rsplit(".", 1)[0].encode()).digest()
    assert plain["version"] == 1 and len(plain) == 4 and decode(plain["request"]) == asked
    aid, card = decode(plain["application"]), {tag: value for tag, value, _ in objects(decode(plain["evidence"]))}
    with open(authority, encoding="utf-8") as file:
        (key,) = [k for k in json.load(file)["keys"] if bytes.fromhex(k["rid"]) == aid[:5] and bytes.fromhex(k["index"]) == card["8F"]]
    records = {tag: value for tag, value, _ in objects(card["DF01"][:-2])}  # 9F4A asks for the AIP behind them
    assert records["9F4A"] == b"\x82" and records["9F49"] == bytes.fromhex("9F3704")
    # table 6: format, issuer's digits, expiry, serial, algorithms, lengths
    block = recover(card["90"], bytes.fromhex(key["modulus"]), bytes.fromhex(key["exponent"]), 2)
    issuer = certified(block, 15, card.get("92", b""), card["9F32"])
    number = records["5A"].hex().rstrip("f")
    assert number.startswith(block[2:6].hex().rstrip("f"))
    # table 14: format, card number, expiry, serial, algorithms, lengths
    block = recover(card["9F46"], issuer, card["9F32"], 4)
    own = certified(block, 21, card.get("9F48", b""), card["9F47"], card["DF01"])
    assert block[2:12].hex().rstrip("f") == number
    # table 17, and what the terminal sent: the request's first four bytes
    block = recover(card["DF09"], own, card["9F47"], 5)
    assert card["DF08"] == asked[:4] and hashlib.sha1(block[1:-21] + card["DF08"]).digest() == block[-21:-1]
    with open(os.path.join(acq, "seal.key"), "rb") as file:
        look_up = file.read()[15 + 32 :]
    name = encode(hmac.new(look_up, f"telepay-card-1|{mediator}|{number}".encode(), "sha256").digest())
    print(encode(hashlib.sha256(f"telepay-card-user-1|{origin}|{name}".encode()).digest()))


def forge(kind, jwe, acq):
    plain = unseal(jwe, acq)
    with open(os.path.join(acq, "pki/sealing.pem"), "rb") as file:
        public = x509.load_pem_x509_certificate(file.read()).public_key()
    evidence = bytearray(decode(plain["evidence"]))
    place = {tag: (at, value) for tag, value, at in objects(evidence)}
    if kind == "signature":
        evidence[place["DF09"][0] + 20] ^= 1
    elif kind == "records":  # its expiry date, ten years on
        at = place["DF01"][0] + bytes(place["DF01"][1]).index(b"\x5f\x24\x03") + 3
        evidence[at] += 0x10
    elif kind == "request":
        plain["request"] = encode(bytes(32))
    elif kind == "key":
        public = ec.generate_private_key(CURVE).public_key()
    elif kind == "plain":
        plain["more"] = 1
    else:
        assert kind == "genuine"
    plain["evidence"] = encode(bytes(evidence))
    print(json.dumps({"card": seal(plain, public)}))


if sys.argv[1] == "judge":
    judge(*sys.argv[2:])
else:
    forge(*sys.argv[2:])
