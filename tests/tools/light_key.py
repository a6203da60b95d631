#!/usr/bin/env python3
"""The key of a user, at next to no cost: light_key.py FILE CODE enciphers it anew, under the same code. scrypt as telepay has it takes a second of the processor and
128 MiB, of each command that signs. A file says its own cost, which a test that is not about it may choose. Written after doc/telepay.1, FILES, apart from src/."""
import hashlib
import os
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

COST, SALT, NONCE, NAME = 14, 17, 33, 45  # where they begin


def under(head, code):
    """The cipher that the start of a file and a code come to."""
    log_n, r, p = head[COST:SALT]
    return AESGCM(hashlib.scrypt(code, salt=head[SALT:NONCE], n=1 << log_n, r=r, p=p, maxmem=1 << 30, dklen=32))


path, code = sys.argv[1], os.fsencode(sys.argv[2])
with open(path, "rb") as file:
    data = file.read()
assert data.startswith(b"telepay key 1\n"), data[:COST]
head = data[:NAME + 1 + data[NAME]]
key = under(head, code).decrypt(head[NONCE:NAME], data[len(head):], head)
head = head[:COST] + bytes((1, 8, 1)) + os.urandom(NAME - SALT) + head[NAME:]
with open(path, "wb") as file:
    file.write(head + under(head, code).encrypt(head[NONCE:NAME], key, head))
