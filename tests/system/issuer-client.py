#!/usr/bin/env python3
"""An acquirer and a card in Python alone: asks an issuer over TLS with messages, cryptograms and script checks worked out here and in
tests/unit/check_cryptogram.py (Python and the openssl command), none of it by our code.

issuer-client.py FOLDER PORT SCHEME PAN PSN ATC AMOUNT RRN [reverse]: prints DE 39, then DE 38 or -, then right or wrong for the ARPC or none, then a line for
each script with the plain command's head and, deciphered, its data."""
import datetime
import os
import socket
import ssl
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))
import check_cryptogram as emv  # noqa: E402

# number: (kind, length; 0 with LL or LLL): doc/protocol.md
FIELDS = {2: ("n", "LL"), 3: ("n", 6), 4: ("n", 12), 7: ("n", 10), 11: ("n", 6), 12: ("n", 6), 13: ("n", 4), 14: ("n", 4), 18: ("n", 4), 22: ("n", 3), 23: ("n", 3),
          25: ("n", 2), 32: ("n", "LL"), 37: ("an", 12), 38: ("an", 6), 39: ("an", 2), 41: ("an", 8), 42: ("an", 15), 44: ("an", "LL"), 49: ("an", 3), 55: ("b", "LLL"),
          90: ("n", 42)}


def bcd(text, right=False):
    if len(text) % 2:
        text = text + "0" if right else "0" + text
    return bytes.fromhex(text)


def pack(mti, fields):
    bits = bytearray(16)
    body = b""
    for n in sorted(fields):
        kind, length = FIELDS[n]
        v = fields[n]
        bits[(n - 1) // 8] |= 0x80 >> (n - 1) % 8
        if length == "LL":
            body += bcd(f"{len(v):02}")
        elif length == "LLL":
            body += bcd(f"{len(v):04}")
        body += bcd(v, length == "LL") if kind == "n" else v if kind == "b" else v.encode()
    second = any(n > 64 for n in fields)
    if second:
        bits[0] |= 0x80
    return bcd(mti) + bytes(bits[:16 if second else 8]) + body


def unpack(raw):
    fields, at = {}, 10
    bits = raw[2:10]
    for n in range(2, 65):
        if not bits[(n - 1) // 8] & 0x80 >> (n - 1) % 8:
            continue
        kind, length = FIELDS[n]
        if length == "LL":
            length, at = int(raw[at:at + 1].hex()), at + 1
        elif length == "LLL":
            length, at = int(raw[at:at + 2].hex()), at + 2
        size = (length + 1) // 2 if kind == "n" else length
        fields[n] = raw[at:at + size].hex() if kind == "n" else raw[at:at + size]
        at += size
    assert at == len(raw), "bytes behind the last field"
    return raw[:2].hex(), fields


def tlv(tag, value):
    return bytes.fromhex(tag) + bytes([len(value)]) + value


def read_tlvs(raw):
    out = []
    while raw:
        n = 2 if raw[0] & 0x1F == 0x1F else 1
        length = raw[n]
        assert length < 128
        out.append((raw[:n].hex().upper(), raw[n + 1:n + 1 + length]))
        raw = raw[n + 1 + length:]
    return out


def exchange(folder, port, message):
    ctx = ssl.create_default_context(cafile=folder + "/ca.pem")
    ctx.load_cert_chain(folder + "/acquirer.pem", folder + "/acquirer.key")
    with socket.create_connection(("127.0.0.1", int(port)), 10) as s, ctx.wrap_socket(s, server_hostname="127.0.0.1") as t:
        t.sendall(struct.pack(">H", len(message)) + message)
        raw = b""
        while len(raw) < 2 or len(raw) < 2 + struct.unpack(">H", raw[:2])[0]:
            got = t.recv(4096)
            assert got, "no answer"
            raw += got
    return unpack(raw[2:])


def main():
    folder, port, scheme, pan, psn, atc, amount, rrn = sys.argv[1:9]
    secret = open(scheme + "/issuer.secret", "rb").read()
    mk = [emv.master("18", secret[i * 16:i * 16 + 16], pan, psn) for i in range(3)]
    atc_b = struct.pack(">H", int(atc))
    today = datetime.date.today()
    date = today.strftime("%y%m%d")
    values = {"9F02": bcd(f"{amount:0>12}"), "9F03": bytes(6), "9F1A": b"\x02\x50", "95": b"\x80\0\0\0\0", "5F2A": b"\x09\x78", "9A": bcd(date), "9C": b"\0",
              "9F37": os.urandom(4), "82": b"\x18\0", "9F36": atc_b, "9F10": bytes.fromhex("06011203A00000")}
    c = emv.TDES()
    session = c.common(mk[0], atc_b + bytes(6))
    ac = c.mac(session, b"".join(values.values()))
    values.update({"9F26": ac, "9F27": b"\x80", "9F34": b"\x1f\0\2", "5F34": bcd(psn)})
    fields = {2: pan, 3: "000000", 4: f"{amount:0>12}", 7: "1124211500", 11: rrn[-6:], 12: "221500", 13: date[2:], 32: "00000000001", 37: rrn, 41: "00000001",
              42: "000000000000123", 49: "978"}
    if sys.argv[9:] == ["reverse"]:
        fields[90] = "0100" + rrn[-6:] + "1124211500" + "0" * 22
        mti, answer = exchange(folder, port, pack("0400", fields))
        assert mti == "0410"
    else:
        fields.update({14: "3012", 18: "5942", 22: "051", 23: f"{psn:0>3}", 25: "00", 55: b"".join(tlv(t, values[t]) for t in values)})
        mti, answer = exchange(folder, port, pack("0100", fields))
        assert mti == "0110"
    print(answer[39].decode(), answer[38].decode() if 38 in answer else "-", end=" ")
    objects = read_tlvs(answer.get(55, b""))
    auth = dict(objects).get("91")
    print("none" if auth is None else "right" if c.mac(session, ac + auth[4:])[:4] == auth[:4] else "wrong")
    x = bytes(6) + atc_b + bytes(6) + emv.xor(atc_b, b"\xff\xff")
    smi, smc = emv.odd(emv.xor(mk[1], x)), emv.odd(emv.xor(mk[2], x))
    for tag, template in objects:
        if tag not in ("71", "72"):
            continue
        command = dict(read_tlvs(template))["86"]
        assert c.mac(smi, command[:5] + atc_b + ac + command[5:-8]) == command[-8:], "the MAC of a script is wrong"
        plain = emv.ecb("des-ede", smc, command[5:-8], True) if command[1:4] == b"\x24\0\2" else command[5:-8]
        if plain:
            block = plain[1:9] if command[1] == 0x24 else plain
            plain = emv.xor(block, bytes(4) + mk[0][4:8]) if command[1] == 0x24 else plain
        print(tag, command[:4].hex().upper(), plain.hex().upper())


main()
