#!/usr/bin/env python3
"""write_letter.py ORDER [CREDENTIAL]: the body that opens a dispute, signed with a key of its own (Python's cryptography), for who did not pay."""
import base64
import json
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


key = ec.generate_private_key(ec.SECP256R1())
numbers = key.public_key().public_numbers()
jwk = {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}
payload = {"version": 1, "order": sys.argv[1], "reason": "not-mine", "at": "2026-11-29T12:00:00Z"}
if len(sys.argv) > 2:
    payload["credential"] = encode(sys.argv[2].encode().ljust(32, b"x")[:32])
signed = encode(text({"alg": "ES256", "typ": "telepay-dispute", "jwk": jwk})) + "." + encode(text(payload))
r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
print(json.dumps({"letter": signed + "." + encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}))
