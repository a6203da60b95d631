#!/usr/bin/env python3
"""check_letters.py DISPUTE.json CA.pem: the letters of a dispute against another implementation (Python's cryptography, RFC 7515 written out here): each is
signed by whom it says, with a certificate of the authority where it is the merchant's, is about this order, and answers a letter that stands before it."""
import base64
import hashlib
import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_key(jwk):
    assert set(jwk) == {"kty", "crv", "x", "y"} and jwk["crv"] == "P-256"
    return ec.EllipticCurvePublicNumbers(int.from_bytes(decode(jwk["x"]), "big"), int.from_bytes(decode(jwk["y"]), "big"), ec.SECP256R1()).public_key()


def certified(x5c, authority, contract):
    (der,) = x5c
    cert = x509.load_der_x509_certificate(base64.b64decode(der))
    authority.public_key().verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(cert.signature_hash_algorithm))
    assert cert.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)[0].value == contract
    return cert.public_key()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        dispute = json.load(file)
    with open(sys.argv[2], "rb") as file:
        authority = x509.load_pem_x509_certificate(file.read())
    before, payer = set(), None
    for letter in dispute["letters"]:
        head, body, signature = letter["letter"].split(".")
        header, payload, raw = json.loads(decode(head)), json.loads(decode(body)), decode(signature)
        assert header["alg"] == "ES256" and len(header) == 3
        assert payload["order"] == dispute["order"] and payload["version"] == 1
        if letter["by"] == "payer":
            assert header["typ"] == {"dispute": "telepay-dispute", "evidence": "telepay-dispute-evidence"}[letter["act"]]
            assert payer in (None, header["jwk"])
            payer = header["jwk"]
            key = public_key(header["jwk"])
        else:
            assert header["typ"] == "telepay-dispute-answer" and payload["act"] == letter["act"]
            key = certified(header["x5c"], authority, payload["contract"])
        der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.verify(der, (head + "." + body).encode(), ec.ECDSA(hashes.SHA256()))
        assert letter["act"] == "dispute" or payload["answers"] in before, payload
        if letter["act"] == "settled":
            assert payload["amount"] == dispute["amount"] and payload["currency"] == dispute["currency"].lower()
        before.add(base64.urlsafe_b64encode(hashlib.sha256((head + "." + body).encode()).digest()).rstrip(b"=").decode())
    print(len(dispute["letters"]), "letters verify")


main()
