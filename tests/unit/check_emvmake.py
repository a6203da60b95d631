#!/usr/bin/env python3
"""What emvmake.h makes, checked with Python's integers and hashlib alone against EMV 4.4 Book 2, tables 6, 7, 14, 17 and 24."""
import hashlib
import os
import subprocess
import sys

STATIC = bytes.fromhex("5A0899901400000000181980")
DYNAMIC = bytes([8, 1, 2, 3, 4, 5, 6, 7, 8, 0x40, 9, 8, 7, 6, 5, 4, 3, 2])
UN = bytes.fromhex("12345779")


def sample(*args):
    program = os.path.join(os.environ["TESTS_BUILDDIR"], "tests/unit/emv_sample")
    out = subprocess.run([program, *map(str, args)], check=True, capture_output=True, text=True).stdout
    return {(w := line.split(" "))[0]: bytes.fromhex(w[1]) for line in out.splitlines()}


def recover(signed, modulus, exponent):
    assert len(signed) == len(modulus)
    n = int.from_bytes(modulus, "big")
    s = int.from_bytes(signed, "big")
    assert s < n
    block = pow(s, int.from_bytes(exponent, "big"), n).to_bytes(len(modulus), "big")
    assert block[0] == 0x6A and block[-1] == 0xBC
    return block


def check_hash(block, *outside):
    assert hashlib.sha1(block[1:-21] + b"".join(outside)).digest() == block[-21:-1]


def check_cert(v, name, signer, key, fmt, identifier, expiry, static):
    block = recover(v[name + "_cert"], v[signer + "_modulus"], v[signer + "_exponent"])
    modulus, exponent, remainder = v[key + "_modulus"], v[key + "_exponent"], v[name + "_remainder"]
    check_hash(block, remainder, exponent, static)
    head = bytes([0x6A, fmt]) + identifier + expiry + bytes.fromhex("0A0B0C") + bytes([1, 1, len(modulus), len(exponent)])
    assert block[:len(head)] == head, (block[:len(head)].hex(), head.hex())
    room = len(block) - len(head) - 21
    inside = block[len(head):len(head) + room]
    assert inside == modulus[:room].ljust(room, b"\xBB")
    assert remainder == modulus[room:]


def check(*args):
    v = sample(*args)
    for key, bits in zip(("ca", "issuer", "icc"), args):
        assert int.from_bytes(v[key + "_modulus"], "big").bit_length() == bits
        assert int.from_bytes(v[key + "_exponent"], "big") == args[3]
    assert v["ca_sha1"] == hashlib.sha1(bytes.fromhex("F00000001401") + v["ca_modulus"] + v["ca_exponent"]).digest()
    pan = bytes.fromhex("9990140000000018FFFF")
    check_cert(v, "issuer", "ca", "issuer", 2, bytes.fromhex("999014FF"), bytes.fromhex("1230"), b"")
    check_cert(v, "icc", "issuer", "icc", 4, pan, bytes.fromhex("1129"), STATIC)
    check_cert(v, "pin", "issuer", "icc", 4, pan, bytes.fromhex("1129"), b"")
    ssad = recover(v["ssad"], v["issuer_modulus"], v["issuer_exponent"])
    check_hash(ssad, STATIC)
    assert ssad[1:5] == bytes.fromhex("0301DAC0") and set(ssad[5:-21]) <= {0xBB}
    sdad = recover(v["sdad"], v["icc_modulus"], v["icc_exponent"])
    check_hash(sdad, UN)
    assert sdad[1:4] == bytes([5, 1, len(DYNAMIC)]) and sdad[4:4 + len(DYNAMIC)] == DYNAMIC and set(sdad[4 + len(DYNAMIC):-21]) <= {0xBB}


for case in ((1984, 1408, 1152, 3), (1984, 1408, 1152, 65537), (1984, 1984, 1984, 3), (1408, 1152, 1024, 65537), (1152, 1152, 768, 3)):
    check(*case)
    print("ok", *case)
sys.exit(0)
