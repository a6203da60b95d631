#!/usr/bin/env python3
"""A second statement of the packing of doc/protocol.md, written apart from src/wire/iso8583.c (from the field list of jPOS ISO87BPackager and the classes it
names: IFB_NUMERIC, IFB_LLNUM, IFB_AMOUNT, IF_CHAR, IFB_LLCHAR, IFB_LLLCHAR, IFB_BINARY). Prints seeded random messages: the packed bytes in hex, a bar,
the message type, then number=value (binary values as x'hex'). tests/vectors/iso8583.txt is its output; test_iso8583 holds the codec against it."""
import random

NUMERIC = {3: 6, 4: 12, 5: 12, 6: 12, 7: 10, 8: 8, 9: 8, 10: 8, 11: 6, 12: 6, 13: 4, 14: 4, 15: 4, 16: 4, 17: 4, 18: 4, 19: 3, 20: 3, 21: 3,
           22: 3, 23: 3, 24: 3, 25: 2, 26: 2, 27: 1, 53: 16, 66: 1, 67: 2, 68: 3, 69: 3, 70: 3, 71: 4, 72: 4, 73: 6, 74: 10, 75: 10, 76: 10,
           77: 10, 78: 10, 79: 10, 80: 10, 81: 10, 82: 12, 83: 12, 84: 12, 85: 12, 86: 16, 87: 16, 88: 16, 89: 16, 90: 42}
LLNUM = {2: 19, 32: 11, 33: 11, 35: 37, 99: 11, 100: 11}
AMOUNT = {28: 9, 29: 9, 30: 9, 31: 9, 97: 17}
CHAR = {37: 12, 38: 6, 39: 2, 40: 3, 41: 8, 42: 15, 43: 40, 49: 3, 50: 3, 51: 3, 91: 1, 92: 2, 93: 6, 94: 7, 95: 42, 98: 25}
LLCHAR = {34: 28, 44: 25, 45: 76, 101: 17, 102: 28, 103: 28}
LLLCHAR = {36: 104, 54: 120, 104: 100, **{n: 999 for n in (46, 47, 48, 56, 57, 58, 59, 60, *range(105, 128))}}
BINARY = {52: 8, 64: 8, 65: 1, 96: 16, 128: 8}
LLLBINARY = {55: 999, 61: 999, 62: 999, 63: 999}


def bcd(digits):
    """Nibble by nibble; '=' is D, as track 2 has it."""
    return bytes(int(a, 16) << 4 | int(b, 16) for a, b in zip(*[iter(digits.replace("=", "D"))] * 2))


def left(digits):
    return bcd("0" * (len(digits) % 2) + digits)


def right(digits):
    return bcd(digits + "0" * (len(digits) % 2))


def pack_field(number, value):
    if number in NUMERIC:
        return left(value)
    if number in LLNUM:
        return left("%02d" % len(value)) + right(value)
    if number in AMOUNT:
        return value[:1].encode() + left(value[1:])
    if number in CHAR:
        return value.encode()
    if number in LLCHAR:
        return left("%02d" % len(value)) + value.encode()
    if number in LLLCHAR:
        return left("%04d" % len(value)) + value.encode()
    if number in BINARY:
        return value
    return left("%04d" % len(value)) + value


def pack(mti, fields):
    bits = 0
    for number in fields:
        bits |= 1 << (128 - number)
    bitmap = (bits | 1 << 127).to_bytes(16, "big") if max(fields) > 64 else (bits >> 64).to_bytes(8, "big")
    return left(mti) + bitmap + b"".join(pack_field(n, fields[n]) for n in sorted(fields))


def value_of(rng, number):
    digits = lambda n: "".join(rng.choice("0123456789") for _ in range(n))
    if number in NUMERIC:
        return digits(NUMERIC[number])
    if number in LLNUM:
        text = digits(rng.randint(1, LLNUM[number]))
        return text[: len(text) // 2] + "=" + text[len(text) // 2 + 1:] if number == 35 else text
    if number in AMOUNT:
        return rng.choice("CD") + digits(AMOUNT[number] - 1)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    if number in CHAR:
        return "".join(rng.choice(letters) for _ in range(CHAR[number]))
    for table in (LLCHAR, LLLCHAR):
        if number in table:
            return "".join(rng.choice(letters + "/-._") for _ in range(rng.randint(0, min(table[number], 40))))
    if number in BINARY:
        return rng.randbytes(BINARY[number])
    return rng.randbytes(rng.choice((0, 1, 99, 100, 255, 999)))


def main():
    rng = random.Random(8583)
    numbers = [n for n in range(2, 129)]
    for i in range(40):
        count = (1, 2, 5, 20, 60)[i % 5]
        chosen = numbers if i == 39 else rng.sample(numbers if i % 2 else [n for n in numbers if n <= 64], min(count, 63))
        fields = {n: value_of(rng, n) for n in sorted(chosen)}
        mti = rng.choice(("0100", "0110", "0200", "0201", "0210", "0400", "0401", "0410", "0500", "0510", "0800", "0810"))
        shown = ["%d=%s" % (n, v if isinstance(v, str) else "x'" + v.hex().upper() + "'") for n, v in fields.items()]
        print(pack(mti, fields).hex().upper(), "|", int(mti), *shown)


if __name__ == "__main__":
    main()
