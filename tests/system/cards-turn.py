#!/usr/bin/env python3
"""Many cards made at once, and put into one reader in turn: plays vpcd to telepay-simcard --cards and looks whose number each card says."""
import os
import re
import socket
import subprocess
import sys
import tempfile

BUILD = os.environ.get("TESTS_BUILDDIR", ".")
SELECT = bytes.fromhex("00A4040007F000000014101000")
OPTIONS = bytes.fromhex("80A80000028300 00")
RECORD = bytes.fromhex("00B2011400")


def program(name, *arguments):
    return subprocess.run([os.path.join(BUILD, name), *arguments], check=True, stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE)


class Reader:
    """The virtual reader's end: 16 bits of length, then so many bytes; one byte is a control."""

    def __init__(self, server):
        self.connection, _ = server.accept()
        self.connection.settimeout(20)

    def put(self, message):
        self.connection.sendall(len(message).to_bytes(2, "big") + message)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.connection.recv(n - len(data))
            if not more:
                return b""
            data += more
        return data

    def get(self):
        length = self.exactly(2)
        return self.exactly(int.from_bytes(length, "big")) if length else b""

    def transmit(self, command):
        self.put(command)
        return self.get()

    def number(self):
        self.put(b"\x01")
        assert self.transmit(SELECT)[-2:] == b"\x90\x00"
        assert self.transmit(OPTIONS)[-2:] == b"\x90\x00"
        record = self.transmit(RECORD)
        at = record.index(b"\x5A\x08") + 2
        return record[at:at + 8].hex()

    def left(self):
        """True when the card is gone at the next look for it."""
        self.put(b"\x04")
        return self.get() == b""


def main():
    with tempfile.TemporaryDirectory() as home, socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        scheme, cards = os.path.join(home, "scheme"), os.path.join(home, "cards")
        program("telepay-perso", "init", "--authority-bits", "1152", "--issuer-bits", "1024", scheme)
        made = program("telepay-perso", "cards", "--count", "3", "--scheme", scheme, "--pan-from", "9990140000000015", "--expiry", "2030-12", "--pin", "1234",
                       "--bits", "768", "--pdol", "", cards)
        assert re.search(r": 3 made, [0-9.]+ a second; 0 were there$", made.stdout.strip()), made.stdout
        assert made.stderr == "", "progress although nobody watches: " + made.stderr
        assert oct(os.stat(os.path.join(cards, "000002", "card.key")).st_mode)[-3:] == "600"

        port = str(server.getsockname()[1])
        card = subprocess.Popen([os.path.join(BUILD, "telepay-simcard"), "--cards", cards, "--vpcd", "127.0.0.1:" + port], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL)
        try:
            numbers = []
            for turn in range(4):
                reader = Reader(server)
                numbers.append(reader.number())
                if turn % 2 == 0:
                    reader.put(b"\x00")  # used, and powered down: the next look finds it gone
                    assert reader.left()
                else:
                    card.stdin.write(b"\n")  # Enter
                    card.stdin.flush()
                    assert reader.get() == b""
            assert numbers == ["9990140000000015", "9990140000000023", "9990140000000031", "9990140000000015"], numbers
            reader = Reader(server)
            card.stdin.close()  # nobody will press Enter any more: the same card comes back, and stays
            assert reader.get() == b""
            reader = Reader(server)
            assert reader.number() == "9990140000000023"
        finally:
            card.terminate()
            assert card.wait(timeout=20) == 0

        once = subprocess.Popen([os.path.join(BUILD, "telepay-simcard"), "--cards", cards, "--once", "--vpcd", "127.0.0.1:" + port], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL)
        for _ in range(3):
            reader = Reader(server)
            reader.number()
            reader.put(b"\x00")
            assert reader.left()
        assert once.wait(timeout=20) == 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
