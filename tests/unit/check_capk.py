#!/usr/bin/env python3
"""Recomputes the check sum of every authority key of data/capk.json with Python's hashlib: SHA-1 over RID, index, modulus and exponent (EMV 4.4 Book 2,
table 30). And each is marked live or test, carries an exponent of 3 or 2^16 + 1, and stands there once."""
import collections
import hashlib
import json
import os
import sys

with open(os.path.join(os.environ["TELEPAY_DATADIR"], "capk.json"), encoding="utf-8") as file:
    keys = json.load(file)["keys"]
failures = 0
for key in keys:
    name = f'{key["rid"]} {key["index"]}'
    value = bytes.fromhex(key["rid"] + key["index"] + key["modulus"] + key["exponent"])
    wrong = [
        what
        for what, good in (
            ("SHA-1", hashlib.sha1(value).hexdigest().upper() == key["sha1"]),
            ("environment", key["environment"] in ("live", "test")),
            ("exponent", int(key["exponent"], 16) in (3, 65537)),
            ("sources", len(key["sources"]) > 0),
            ("modulus", 512 <= int(key["modulus"], 16).bit_length() == 4 * len(key["modulus"]) <= 1984),
        )
        if not good
    ]
    for what in wrong:
        print(f"{name}: {what} is wrong")
        failures += 1

twice = [name for name, n in collections.Counter((k["rid"], k["index"], k["modulus"]) for k in keys).items() if n > 1]
live = collections.Counter(k["rid"] for k in keys if k["environment"] == "live")
# Visa, Mastercard, Amex, JCB, Discover, UnionPay, TPN
for rid, least in {"A000000003": 4, "A000000004": 4, "A000000025": 4, "A000000065": 3, "A000000152": 2, "A000000333": 3, "A000000677": 3}.items():
    if live[rid] < least:
        print(f"{rid}: {live[rid]} live keys, not {least}")
        failures += 1
if twice:
    print(f"twice: {twice}")
sys.exit(1 if failures or twice else 0)
