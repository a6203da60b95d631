#!/usr/bin/env python3
"""A witness in another language: plays vpcd to telepay-simcard with cards by elliptic curves, and checks certificates and signatures, and enciphers a PIN, by tests/tools/curve.py.

EMV 4.4 Book 2: tables 31, 35, 36 (certificates), 37, 38 (XDA), 13 (ODE); Book 3, 10.3 (ICCD, and 9F33 that chooses).
"""
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
from curve import SUITES, multiply, ode_encipher, ode_keys, private, point, signed, verify  # noqa: E402
from vpcd_card import BUILD, Card, objects, program  # noqa: E402

UN = bytes.fromhex("11223344")
PDOL_VALUES = bytes.fromhex("2099CC025035")
AID = bytes.fromhex("F0000000141010")
REST = bytes.fromhex("000000001250 000000000000 0250 0100000000 0978 261129 00") + UN + bytes.fromhex("35 410302 2099CC 3132333435363738 0001 00000001") + AID + bytes(range(32))
SECOND = b"00" + REST + bytes(8)  # 8A, the values of CDOL1 again, no 91


def tlv(tag, value):
    head = bytes.fromhex("%02X" % tag)
    assert len(value) < 128
    return head + bytes([len(value)]) + value


def begin(card, pdol_values):
    card.put(b"\x01")  # power on
    selected = dict((t, v) for t, v, _ in objects(card.send("00A4040007F000000014101000")))
    options = dict((t, v) for t, v, _ in objects(card.send(bytes.fromhex("80A80000088306") + pdol_values + b"\0")))
    records, static_data = {}, b""
    afl = options[0x94]
    for i in range(0, len(afl), 4):
        sfi, first, last, authenticated = afl[i] >> 3, afl[i + 1], afl[i + 2], afl[i + 3]
        for record in range(first, last + 1):
            found = objects(card.send(bytes([0x00, 0xB2, record, sfi << 3 | 4, 0])))
            if record < first + authenticated:
                static_data += found[0][1]
            records.update((t, v) for t, v, _ in found)
    return selected, options, records, static_data


def authority_key(scheme, index):
    key = next(k for k in json.load(open(os.path.join(scheme, "authority.json")))["keys"] if int(k["index"], 16) == index)
    c = SUITES[key["suite"]]
    x, y = bytes.fromhex(key["x"]), bytes.fromhex(key["y"])
    assert point(c, x)[1].to_bytes(c["field"], "big") == y, "y is the lesser one"
    assert c["hash"](bytes.fromhex(key["rid"] + key["index"] + key["suite"]) + x + y).hexdigest().upper() == key["checksum"]
    return c, x


def chain(scheme, suite, selected, options, records, static_data):
    """The card's keys: its own, and that for PINs."""
    iccd = static_data + tlv(0x82, options[0x82]) + tlv(0x9F06, AID) + tlv(0x9F38, selected[0x9F38])
    c, ca = authority_key(scheme, records[0x8F][0])
    body = signed(c, ca, records[0x90])
    assert body[:8] == bytes.fromhex("1200999014FFFF" + suite) and body[15:21] == bytes.fromhex("F000000014") + records[0x8F]
    issuer, keys = body[21:], []
    for tag, number in ((0x9F46, c["signature"]), (0x9F2D, c["ode"])):
        body = signed(c, issuer, records[tag])
        assert body[:9] == bytes([0x14, 0, number]) + bytes.fromhex("203012312359") and body[15:17] == b"\x00\x02"
        assert body[17:49] == hashlib.sha256(iccd).digest(), "hash of the ICCD"
        keys.append(body[49:])
    for tag in (0x92, 0x9F32, 0x9F47, 0x9F48, 0x93):
        assert tag not in records, "a mixture of RSA and a curve"
    return c, keys[0], keys[1]


def encipher_pin(card, c, x, digits, keys, d_x, count):
    un = card.send("0084000000")
    keys = keys or ode_keys(c, d_x[0], x, un)
    block = bytes([0x20 | len(digits)]) + bytes.fromhex(digits.ljust(14, "F"))
    return keys, d_x[1] + ode_encipher(keys, count, b"\x7f" + block + un)


def verify_pin(card, c, x):
    d_x, keys = private(c), None
    for count, (digits, sw) in enumerate((("9999", 0x63C8), ("1234", 0x9000))):
        keys, data = encipher_pin(card, c, x, digits, keys, d_x, count)
        assert len(data) == (57 if c["field"] == 32 else 91)
        card.send(bytes([0x00, 0x20, 0x00, 0x88, len(data)]) + data, sw)
    # what is not enciphered for this challenge, altered or cut: 6984
    keys, data = encipher_pin(card, c, x, "1234", keys, d_x, 2)
    card.send(bytes([0x00, 0x20, 0x00, 0x88, len(data)]) + data[:-1] + bytes([data[-1] ^ 1]), 0x6984)
    card.send("0084000000")
    card.send(bytes([0x00, 0x20, 0x00, 0x88, c["field"]]) + data[:c["field"]], 0x6984)
    card.send("0020008808241234FFFFFFFFFF", 0x6985)  # without a challenge
    # what was not deciphered is not counted as a message (A2.3.4), but as a try
    keys, data = encipher_pin(card, c, x, "1234", keys, d_x, 2)
    card.send(bytes([0x00, 0x20, 0x00, 0x88, len(data)]) + data)


def generate(card, c, key, p1, values, signed_values, cid):
    answer = objects(card.send(bytes([0x80, 0xAE, p1, 0x00, len(values)]) + values + b"\0"))
    assert answer[0][0] == 0x77
    response = dict((t, v) for t, v, _ in answer)
    assert response[0x9F27] == bytes([cid]) and len(response[0x9F26]) == 8
    assert response[0x9F4B][0] == 0x15
    verify(c, key, response[0x9F4B][1:], b"\x15" + signed_values + b"".join(raw for t, _, raw in answer[1:] if t != 0x9F4B))


def pay(card, scheme, suite):
    """A TC; an ARQC and the TC after it; an AAC, which is signed too."""
    for asked, second in ((0x48, None), (0x88, 0x48), (0x08, None)):
        parts = begin(card, PDOL_VALUES)
        assert parts[1][0x82][0] == 0x98, "XDA and no method of RSA"
        c, own, pin = chain(scheme, suite, *parts)
        if second is None:
            verify_pin(card, c, pin)
        generate(card, c, own, asked, REST, PDOL_VALUES + REST, asked & 0xC0)
        if second is not None:
            generate(card, c, own, second, SECOND, SECOND, second & 0xC0)


def without_xda(card):
    """A terminal that cannot: the same card is one of RSA."""
    _, options, records, _ = begin(card, bytes.fromhex("2098C8025035"))
    assert options[0x82][0] & 0x81 == 0x01 and 0x9F32 in records and 0x9F47 in records
    card.send(bytes([0x80, 0xAE, 0x48, 0x00, len(REST)]) + REST + b"\0", 0x6A86)


def main():
    for suite in ("10", "11"):
        with tempfile.TemporaryDirectory() as work, socket.create_server(("127.0.0.1", 0)) as listening:
            scheme, folder = os.path.join(work, "scheme"), os.path.join(work, "card")
            listening.settimeout(20)
            program("telepay-perso", "init", scheme, "--suite", suite)
            program("telepay-perso", "card", folder, "--scheme", scheme, "--pan", "9990140000000015", "--expiry", "2030-12", "--pin", "1234",
                    "--method", "cda,xda", "--cvm", "enciphered-pin", "--pin-tries", "9")
            assert json.loads(program("telepay-perso", "inspect", folder, "--json"))["authentication_method"] == "CDA, XDA"
            for name, key in (("card.xda-key", "xda"), ("card.ode-key", "ode")):
                path = os.path.join(folder, name)
                assert os.stat(path).st_mode & 0o77 == 0, key
                d = int.from_bytes(open(path, "rb").read(), "big")
                c = SUITES[suite]
                assert multiply(c, d, c["g"])[1] < (c["p"] + 1) // 2, "the key rule"
            simcard = subprocess.Popen([os.path.join(BUILD, "telepay-simcard"), folder, "--vpcd", "127.0.0.1:%d" % listening.getsockname()[1]],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                connection, _ = listening.accept()
                connection.settimeout(20)
                with connection:
                    pay(Card(connection), scheme, suite)
                    without_xda(Card(connection))
            finally:
                simcard.terminate()
                code = simcard.wait(10)
            assert code == 0, f"telepay-simcard ended with {code}"


main()
