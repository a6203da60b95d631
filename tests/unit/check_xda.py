#!/usr/bin/env python3
"""What ecmake.h and ode.h make, checked with Python's integers and hashlib, and with python3-cryptography's AES, against EMV 4.4 Book 2, 11.2, 12, 13, A2.2, A2.3."""
import hashlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
from curve import SUITES, multiply, ode_encipher, ode_keys, point, signed, verify  # noqa: E402

def check_icc(v, name, issuer, icc, suite, hashed, indicator):
    body = signed(issuer, v["issuer_x"], v[name])
    want = bytes([0x14, 0, suite]) + bytes.fromhex("20291130" "2359" "010203040506" "00") + bytes([indicator])
    assert body == want + hashed(b"iccd").digest() + v["icc_x"], name


def check_ode(v, icc):
    keys = ode_keys(icc, int.from_bytes(v["icc_d"], "big"), v["ephemeral_x"], bytes(range(1, 9)))
    assert v["first"] == ode_encipher(keys, 0, b"first")
    assert v["second"] == ode_encipher(keys, 1, b"seventeen bytes..")


def check(*args):
    program = os.path.join(os.environ["TESTS_BUILDDIR"], "tests/unit/ec_sample")
    out = subprocess.run([program, *args], check=True, capture_output=True, text=True).stdout
    v = {(w := line.split(" "))[0]: bytes.fromhex(w[1]) for line in out.splitlines()}
    ca, issuer, icc = (SUITES[a] for a in args)
    for name, c in (("ca", ca), ("issuer", issuer), ("icc", icc), ("ephemeral", icc)):
        d = int.from_bytes(v[name + "_d"], "big")
        assert 1 < d < c["n"] - 1 and multiply(c, d, c["g"]) == point(c, v[name + "_x"]), name
    place = bytes.fromhex("F00000001402")
    assert signed(ca, v["ca_x"], v["authority"]) == bytes([0x20, 0]) + place + bytes([ca["signature"]]) + v["ca_x"]
    body = signed(ca, v["ca_x"], v["90"])
    assert body == bytes.fromhex("1200999014FFFF") + bytes([issuer["signature"]]) + bytes.fromhex("203012310A0B0C") + place + v["issuer_x"]
    check_icc(v, "9F46", issuer, icc, icc["signature"], hashlib.sha256, 2)
    check_icc(v, "9F46_sha512", issuer, icc, icc["signature"], hashlib.sha512, 3)
    check_icc(v, "9F2D", issuer, icc, icc["ode"], hashlib.sha256, 2)
    assert v["9F4B"][0] == 0x15
    verify(icc, v["icc_x"], v["9F4B"][1:], b"\x15pdolcdolanswer")
    check_ode(v, icc)


for case in (("10", "10", "10"), ("11", "11", "11"), ("10", "11", "10"), ("11", "10", "11")):
    check(*case)
    print("ok", *case)
sys.exit(0)
