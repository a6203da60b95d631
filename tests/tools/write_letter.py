#!/usr/bin/env python3
"""write_letter.py ORDER [CREDENTIAL]: the body that opens a dispute, signed with a key of its own (Python's cryptography), for who did not pay.
write_letter.py --identity MEDIATOR REQUEST SERVICE REASON: the body that says who asks."""
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
TYPE, payload = "telepay-dispute", {"version": 1, "at": "2026-11-29T12:00:00Z"}
if sys.argv[1] == "--identity":
    TYPE = "telepay-identity"
    payload |= dict(zip(("mediator", "request", "service", "reason"), sys.argv[2:]))
else:
    payload |= {"order": sys.argv[1], "reason": "not-mine"}
    if len(sys.argv) > 2:
        payload["credential"] = encode(sys.argv[2].encode().ljust(32, b"x")[:32])
signed = encode(text({"alg": "ES256", "typ": TYPE, "jwk": jwk})) + "." + encode(text(payload))
r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
print(json.dumps({"letter": signed + "." + encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}))
