"""What tests that play vpcd to telepay-simcard share: the card at the other end, and its objects."""
import os
import subprocess

BUILD = os.environ.get("TESTS_BUILDDIR", ".")


def program(name, *arguments):
    return subprocess.run([os.path.join(BUILD, name), *arguments], check=True, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL).stdout


def objects(data):
    """(tag, value, raw) of each object, constructed ones opened after themselves."""
    found, at = [], 0
    while at < len(data):
        start, tag = at, data[at]
        at += 1
        if tag & 0x1F == 0x1F:
            tag = tag << 8 | data[at]
            at += 1
        length = data[at]
        at += 1
        if length > 0x80:
            n = length & 0x7F
            length, at = int.from_bytes(data[at:at + n], "big"), at + n
        value = data[at:at + length]
        assert len(value) == length, "an object runs past the end"
        at += length
        found.append((tag, value, data[start:at]))
        first = data[start]
        if first & 0x20:
            found += objects(value)
    return found


class Card:
    def __init__(self, connection):
        self.connection = connection

    def put(self, message):
        # as vpcd does: length and payload apart
        self.connection.sendall(len(message).to_bytes(2, "big"))
        self.connection.sendall(message)

    def get(self):
        n = int.from_bytes(self.exactly(2), "big")
        return self.exactly(n)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.connection.recv(n - len(data))
            assert more, "the card hung up"
            data += more
        return data

    def send(self, hex_or_bytes, sw=0x9000):
        command = bytes.fromhex(hex_or_bytes) if isinstance(hex_or_bytes, str) else hex_or_bytes
        self.put(command)
        answer = self.get()
        got = int.from_bytes(answer[-2:], "big")
        assert got == sw, f"{command.hex()} gives {got:04X}, not {sw:04X}"
        return answer[:-2]
