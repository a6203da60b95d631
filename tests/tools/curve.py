"""Elliptic curves of EMV in Python's integers, hashlib and python3-cryptography's AES: EMV 4.4 Book 2, A2.2, A2.3, B2.2. For tests; no line is shared with our C."""
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

# p, b, n, the base point, bytes of a coordinate, hash: Book 2, tables 45, 46, 48
P256 = dict(
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    g=(0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
       0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5),
    field=32, hash=hashlib.sha256, signature=0x10, ode=0x00)
P521 = dict(
    p=2**521 - 1,
    b=0x51953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
    n=0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
    g=(0xC6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,
       0x11839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650),
    field=66, hash=hashlib.sha512, signature=0x11, ode=0x01)
SUITES = {"10": P256, "11": P521}


def add(c, a, b):
    if a is None or b is None:
        return a or b
    p = c["p"]
    if a[0] == b[0]:
        if (a[1] + b[1]) % p == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, p) % p
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, p) % p
    x = (slope * slope - a[0] - b[0]) % p
    return x, (slope * (a[0] - x) - a[1]) % p


def multiply(c, k, point):
    out = None
    for bit in bin(k)[2:]:
        out = add(c, out, out)
        if bit == "1":
            out = add(c, out, point)
    return out


def point(c, x):
    x = int.from_bytes(x, "big")
    square = (x**3 - 3 * x + c["b"]) % c["p"]
    y = pow(square, (c["p"] + 1) // 4, c["p"])
    assert y * y % c["p"] == square, "x is on no point"
    return x, min(y, c["p"] - y)


def verify(c, x, signature, message):
    size = c["hash"]().digest_size
    assert len(signature) == size + c["field"]
    r, s = signature[:size], int.from_bytes(signature[size:], "big")
    assert 0 < s < c["n"]
    e = int.from_bytes(r, "big") % c["n"]
    q = add(c, multiply(c, s, c["g"]), multiply(c, c["n"] - e, point(c, x)))
    assert c["hash"](q[0].to_bytes(c["field"], "big") + message).digest() == r


def signed(c, x, whole):
    size = c["hash"]().digest_size + c["field"]
    verify(c, x, whole[-size:], whole[:-size])
    return whole[:-size]


def private(c):
    """A key pair whose y is the lesser: B2.2.4."""
    d = secrets.randbelow(c["n"] - 3) + 2
    x, y = multiply(c, d, c["g"])
    return (d if y < (c["p"] + 1) // 2 else c["n"] - d), x.to_bytes(c["field"], "big")


def cmac(key, data):
    c = CMAC(algorithms.AES(key))
    c.update(data)
    return c.finalize()


def aes(key, block):
    e = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return e.update(block) + e.finalize()


def ode_keys(c, d, x, un):
    """K1 and K2 that the private key d and the public key x agree on."""
    z = multiply(c, d, point(c, x))[0].to_bytes(32 if c["field"] == 32 else 80, "big")
    kdk = cmac(bytes(16), z)
    return tuple(aes(kdk, bytes([i, 1, 0]) + un + bytes.fromhex("A5A5A50200")) for i in (1, 2))


def ode_encipher(keys, count, plain):
    start = count.to_bytes(2, "big") + bytes(14)
    e = Cipher(algorithms.AES(keys[0]), modes.CTR(start)).encryptor()
    c = e.update(plain) + e.finalize()
    return c + cmac(keys[1], bytes(8) + start + c)[:8]
