#!/usr/bin/env python3
"""Writes tests/vectors/xda-cards.json: whole cards by elliptic curves (P-256 and P-521) and what they sign for one terminal, made by tests/tools/curve.py from EMV 4.4 Book 2, 11.2, 12,
A2.2 and Book 3, 10.3. tests/pair/test_kernel_xda.c puts them before the terminal. The keys are drawn anew each time: the file is made once and kept."""
import hashlib
import json
import os
import secrets
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from curve import SUITES, multiply, private  # noqa: E402

AID = bytes.fromhex("F0000000141010")
PAN = "9990140000000015"
CDOL1 = bytes.fromhex("9F02069F03069F1A0295055F2A029A039C019F37049F3303")
CDOL2 = bytes.fromhex("8A029F020695055F2A029A039C019F37049F3403")
PDOL = bytes.fromhex("9F3303")
CAPABILITIES = "2099CC"


def tlv(tag, value):
    n = len(value)
    return bytes.fromhex(tag) + (bytes([n]) if n < 128 else bytes([0x81, n])) + value


def sign(c, d, message):
    k = secrets.randbelow(c["n"] - 1) + 1
    x = multiply(c, k, c["g"])[0].to_bytes(c["field"], "big")
    r = c["hash"](x + message).digest()
    return r + ((k + int.from_bytes(r, "big") * d) % c["n"]).to_bytes(c["field"], "big")


def certificate(c, d, body):
    return body + sign(c, d, body)


def values(tvr):
    """What the terminal of tests/pair/paper.c gives for CDOL1: 12.50 EUR in France on 2026-06-01."""
    return bytes.fromhex("000000001250" "000000000000" "0250" + tvr + "0978" "260601" "00" "DEADBEEF" + CAPABILITIES)


def answer(c, d, cid, ac, signed_values):
    objects = tlv("9F27", bytes([cid])) + tlv("9F36", b"\x00\x07") + tlv("9F26", bytes.fromhex(ac)) + tlv("9F10", bytes.fromhex("06011203A0B800"))
    sdad = b"\x15" + sign(c, d, b"\x15" + signed_values + objects)
    return tlv("77", objects + tlv("9F4B", sdad)).hex().upper()


def card(name):
    c = SUITES[name]
    (ca, ca_x), (issuer, issuer_x), (icc, icc_x) = (private(c) for _ in range(3))
    place = bytes.fromhex("F00000001402")
    suite = bytes([c["signature"]])
    fixed = (tlv("5A", bytes.fromhex(PAN)) + tlv("5F24", bytes.fromhex("301231")) + tlv("5F34", b"\x01") + tlv("8C", CDOL1) + tlv("8D", CDOL2)
             + tlv("9F0D", bytes.fromhex("FC50FC8906")) + tlv("9F0E", bytes.fromhex("0010000000")) + tlv("9F0F", bytes.fromhex("FC78FC9906")))
    aip = bytes.fromhex("8800")
    iccd = fixed + tlv("82", aip) + tlv("9F06", AID) + tlv("9F38", PDOL)
    of_issuer = certificate(c, ca, bytes.fromhex("1200" "999014FFFF") + suite + bytes.fromhex("20301231" "000001") + place + issuer_x)
    of_icc = certificate(c, issuer, b"\x14\x00" + suite + bytes.fromhex("20301231" "2359" "000000000007" "00" "02") + hashlib.sha256(iccd).digest() + icc_x)
    pdol_values, first, online = bytes.fromhex(CAPABILITIES), values("0100000000"), values("0100008000")
    second = bytes.fromhex("3030" "000000001250" "0100008000" "0978" "260601" "00" "DEADBEEF" "3F0000")
    return {
        "suite": name,
        "authority": certificate(c, ca, b"\x20\x00" + place + suite + ca_x).hex().upper(),
        "select": tlv("6F", tlv("84", AID) + tlv("A5", tlv("9F38", PDOL))).hex().upper(),
        "options": tlv("77", tlv("82", aip) + tlv("94", bytes.fromhex("0801010110010200"))).hex().upper(),
        "records": {"00B2010C": tlv("70", fixed).hex().upper(),
                    "00B20114": tlv("70", tlv("8F", b"\x02") + tlv("90", of_issuer)).hex().upper(),
                    "00B20214": tlv("70", tlv("9F46", of_icc)).hex().upper()},
        "iccd": iccd.hex().upper(),
        "offline": {"cdol1_values": first.hex().upper(), "80AE48": answer(c, icc, 0x40, "A1A2A3A4A5A6A7A8", pdol_values + first)},
        "online": {"cdol1_values": online.hex().upper(), "cdol2_values": second.hex().upper(),
                   "80AE88": answer(c, icc, 0x80, "B1B2B3B4B5B6B7B8", pdol_values + online),
                   "80AE48": answer(c, icc, 0x40, "C1C2C3C4C5C6C7C8", second)},
    }


json.dump({"about": __doc__.replace("\n", " "), "cards": [card(name) for name in ("10", "11")]}, sys.stdout, indent=1)
print()
