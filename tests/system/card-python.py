#!/usr/bin/env python3
"""A witness in another language: plays vpcd to telepay-simcard, pays, and checks the chain and the signature with nothing but integers and SHA-1.

EMV 4.4 Book 2: tables 6 and 14 (certificates), 6.6.2 (CDA). No line is shared with our C.
"""
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
from vpcd_card import BUILD, Card, objects, program  # noqa: E402

UN = bytes.fromhex("11223344")
PDOL_VALUES = bytes.fromhex("2098C8025035")
CDOL1_VALUES = bytes.fromhex("000000001250 000000000000 0250 0000000000 0978 261123 00") + UN + bytes.fromhex("35 410302 2098C8 3132333435363738 0001 00000001 F0000000141010") + bytes(range(32))


def recover(signature, modulus, exponent):
    n = len(modulus)
    assert len(signature) == n
    block = pow(int.from_bytes(signature, "big"), int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).to_bytes(n, "big")
    assert block[0] == 0x6A and block[-1] == 0xBC, "header or trailer"
    return block


def key_of(block, fixed, remainder, exponent, static_data, key_length):
    body, digest = block[1:-21], block[-21:-1]
    assert hashlib.sha1(body + remainder + exponent + static_data).digest() == digest, "hash of a certificate"
    return (block[fixed:-21] + remainder)[:key_length]


def pay(card, scheme, pan):
    card.put(b"\x01")  # power on
    card.put(b"\x04")  # ATR
    atr = card.get()
    check = 0
    for b in atr[1:]:
        check ^= b
    assert atr[:1] == b"\x3B" and check == 0
    card.send("00A4040007F000000014101000")
    options = dict((t, v) for t, v, _ in objects(card.send(bytes.fromhex("80A80000088306") + PDOL_VALUES + b"\0")))
    records, static_data = {}, b""
    afl = options[0x94]
    for i in range(0, len(afl), 4):
        sfi, first, last, signed = afl[i] >> 3, afl[i + 1], afl[i + 2], afl[i + 3]
        for record in range(first, last + 1):
            found = objects(card.send(bytes([0x00, 0xB2, record, sfi << 3 | 4, 0])))
            assert found[0][0] == 0x70
            if record < first + signed:
                static_data += found[0][1]
            records.update((t, v) for t, v, _ in found)
    assert records[0x9F4A] == b"\x82"
    static_data += options[0x82]

    authority = next(k for k in json.load(open(os.path.join(scheme, "authority.json")))["keys"] if int(k["index"], 16) == records[0x8F][0])
    ca_modulus, ca_exponent = bytes.fromhex(authority["modulus"]), bytes.fromhex(authority["exponent"])
    assert hashlib.sha1(bytes.fromhex(authority["rid"] + authority["index"]) + ca_modulus + ca_exponent).hexdigest().upper() == authority["sha1"]
    block = recover(records[0x90], ca_modulus, ca_exponent)
    assert block[1] == 0x02 and block[2:6].hex().rstrip("f") == pan[:6]
    issuer = key_of(block, 15, records.get(0x92, b""), records[0x9F32], b"", block[13])
    block = recover(records[0x9F46], issuer, records[0x9F32])
    assert block[1] == 0x04 and block[2:12].hex().rstrip("f") == pan and records[0x5A].hex() == pan
    icc = key_of(block, 21, records.get(0x9F48, b""), records[0x9F47], static_data, block[19])

    card.send("0020008008241234FFFFFFFFFF")
    answer = objects(card.send(bytes([0x80, 0xAE, 0x50, 0x00, len(CDOL1_VALUES)]) + CDOL1_VALUES + b"\0"))
    assert answer[0][0] == 0x77
    response = dict((t, v) for t, v, _ in answer)
    assert 0x9F26 not in response and response[0x9F27] == b"\x40"
    block = recover(response[0x9F4B], icc, records[0x9F47])
    assert block[1] == 0x05 and block[2] == 0x01
    assert hashlib.sha1(block[1:-21] + UN).digest() == block[-21:-1], "hash of the signature"
    dynamic = block[4:4 + block[3]]
    number, rest = dynamic[1:1 + dynamic[0]], dynamic[1 + dynamic[0]:]
    assert 2 <= len(number) <= 8 and rest[0] == 0x40 and len(rest) == 29
    data = PDOL_VALUES + CDOL1_VALUES + b"".join(raw for t, _, raw in answer[1:] if t != 0x9F4B)
    assert hashlib.sha1(data).digest() == rest[9:29], "transaction data hash"
    return int.from_bytes(response[0x9F36], "big")


def main():
    with tempfile.TemporaryDirectory() as work, socket.create_server(("127.0.0.1", 0)) as listening:
        scheme, folder, pan = os.path.join(work, "scheme"), os.path.join(work, "card"), "9990140000000015"
        listening.settimeout(20)
        program("telepay-perso", "init", scheme, *sys.argv[1:])
        program("telepay-perso", "card", folder, "--scheme", scheme, "--pan", pan, "--expiry", "2030-12", "--pin", "1234")
        simcard = subprocess.Popen([os.path.join(BUILD, "telepay-simcard"), folder, "--vpcd", "127.0.0.1:%d" % listening.getsockname()[1]],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for wanted in (1, 2):  # the second time after the reader hung up: the card comes again by itself
                connection, _ = listening.accept()
                connection.settimeout(20)
                with connection:
                    atc = pay(Card(connection), scheme, pan)
                assert atc == wanted, f"ATC {atc}, not {wanted}"
        finally:
            simcard.terminate()
            code = simcard.wait(10)
        assert code == 0, f"telepay-simcard ended with {code}"
        # in the words of the factory: counters, no secret, no whole card number
        shown = program("telepay-perso", "inspect", folder, "--json")
        assert json.loads(shown)["counters"]["atc"] == 2
        assert pan not in shown and open(os.path.join(folder, "card.secret"), "rb").read()[:16].hex().upper() not in shown.upper()


main()
