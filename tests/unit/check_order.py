#!/usr/bin/env python3
"""Signatures and seals of src/order against another implementation: Python's cryptography, with the steps of RFC 7515, 7516 and 7518 written out
here. Each side takes what the other one made; the key agreement also gives what RFC 7518, appendix C, says."""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
except ImportError:
    print("python3-cryptography is missing: ./quickstart packages check")
    sys.exit(77)

SAMPLE = os.path.abspath("tests/unit/order_sample")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def run(*arguments, fails=False):
    done = subprocess.run([SAMPLE, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, (arguments, done)
    return done.stdout.strip()


def public_key(jwk):
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(decode(jwk["x"]), "big"), int.from_bytes(decode(jwk["y"]), "big"), ec.SECP256R1())
    return numbers.public_key()


def jwk_of(key):
    numbers = key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}


def agree(own, other, algorithm, size, apu=b"", apv=b""):
    info = b"".join(len(part).to_bytes(4, "big") + part for part in (algorithm, apu, apv)) + (size * 8).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), size, info).derive(own.exchange(ec.ECDH(), other))


def check_appendix_c():
    alice = ec.derive_private_key(int.from_bytes(decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"), "big"), ec.SECP256R1())
    bob = public_key({"x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"})
    assert encode(agree(alice, bob, b"A128GCM", 16, b"Alice", b"Bob")) == "VqqN6vgjbSBcIijNcacQGg"


def load(path):
    with open(path, "rb") as file:
        return file.read()


def check_signatures(folder):
    files = [f"{folder}/order.pem", f"{folder}/order.key"]
    key = serialization.load_pem_private_key(load(files[1]), None)
    head, body, signature = run("sign", *files).split(".")
    header = json.loads(decode(head))
    certificate = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
    raw = decode(signature)
    pair = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    certificate.public_key().verify(pair, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    assert decode(body) == b'{"a":"b"}' and header["alg"] == "ES256" and set(header) == {"alg", "typ", "x5c"}
    for payload, fails in ((b'{"c":"d"}', False), (b'{"c":"d","c":"e"}', True)):
        signed = f"{encode(json.dumps(header).encode())}.{encode(payload)}"
        r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        token = f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
        assert run("verify", f"{folder}/ca.pem", token, fails=fails) == ("" if fails else payload.decode())


def check_purse_tokens(folder):
    """One that src/order made, and each kind as doc/protocol.md has it, made here."""
    key, at = serialization.load_pem_private_key(load(f"{folder}/order.key"), None), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    chain = [base64.b64encode(x509.load_pem_x509_certificate(load(f"{folder}/order.pem")).public_bytes(serialization.Encoding.DER)).decode()]
    contract, order, session = "000000000000123", "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba"
    digest = encode(hashlib.sha256(b"").digest())
    voucher = f"{encode(b'{}')}.{encode(b'{}')}.{encode(bytes(64))}"
    reversal = {"version": 1, "acquirer": "ACQ1", "contract": contract, "order": order, "amount": "150", "currency": "eur", "payment": digest, "reason": "not delivered"}
    head, body, _ = run("reversal", f"{folder}/order.pem", f"{folder}/order.key").split(".")
    assert json.loads(decode(body)) == {**reversal, "at": "2026-11-29T14:00:00Z"}
    assert json.loads(decode(head)) == {"alg": "ES256", "typ": "telepay-purse-reversal", "x5c": chain}
    kinds = [("purse-reversal", reversal),
             ("purse-presentation", {"version": 1, "acquirer": "ACQ1", "session": session, "contract": contract, "currency": "eur", "sum": "450", "voucher": voucher}),
             ("purse-end", {"version": 1, "acquirer": "ACQ1", "session": session}),
             ("voucher-acknowledgement", {"version": 1, "r": digest, "order": order, "contract": contract, "amount": "150", "currency": "eur", "session": session,
                                          "sum": "450", "number": "3", "voucher": digest, "mediator": "sample", "outcome": "acknowledged", "code": "00",
                                          "reference": f"{session}-3"})]
    for kind, (name, members) in enumerate(kinds):
        payload = json.dumps({**members, "at": at}, sort_keys=True, separators=(",", ":"))
        signed = f"{encode(json.dumps({'alg': 'ES256', 'typ': f'telepay-{name}', 'x5c': chain}).encode())}.{encode(payload.encode())}"
        r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        token = f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
        assert run("token", f"{folder}/ca.pem", str(kind), token) == payload, name


def check_seals(folder):
    files = [f"{folder}/sealing.pem", f"{folder}/sealing.key"]
    key = serialization.load_pem_private_key(load(files[1]), None)
    head, none, iv, ciphertext, tag = run("seal", f"{folder}/ca.pem", *files).split(".")
    header = json.loads(decode(head))
    assert none == "" and set(header) == {"alg", "enc", "epk", "typ"}
    cek = agree(key, public_key(header["epk"]), b"A256GCM", 32)
    assert AESGCM(cek).decrypt(decode(iv), decode(ciphertext) + decode(tag), head.encode()) == b'{"a":"b"}'
    once = ec.generate_private_key(ec.SECP256R1())
    head = encode(json.dumps({"typ": "sample", "epk": jwk_of(once.public_key()), "enc": "A256GCM", "alg": "ECDH-ES"}).encode())
    iv = os.urandom(12)
    for payload, fails in ((b'{"c":"d"}', False), (b'["c"]', True), (b'{"c":1,"c":2}', True)):
        out = AESGCM(agree(once, key.public_key(), b"A256GCM", 32)).encrypt(iv, payload, head.encode())
        jwe = f"{head}..{encode(iv)}.{encode(out[:-16])}.{encode(out[-16:])}"
        assert run("open", *files, jwe, fails=fails) == ("" if fails else payload.decode())


with tempfile.TemporaryDirectory() as scratch:
    check_appendix_c()
    run("make", f"{scratch}/pki")
    check_signatures(f"{scratch}/pki")
    check_purse_tokens(f"{scratch}/pki")
    check_seals(f"{scratch}/pki")
