#!/usr/bin/env python3
"""telepay get on a terminal: what is paid is shown and asked, and after a refusal nothing is signed again without a yes. BASE MODE_FILE LOG [purse]:
with the last word from an empty purse, whose no leads to the card."""
import os
import pty
import select
import sys
import time

base, mode_file, log = sys.argv[1:4]


def fail(what, seen):
    sys.exit(f"FAIL: {what}: {seen!r}")


def mode(word):
    with open(mode_file, "w") as file:
        file.write(word + "\n")


def payments():
    with open(log) as file:
        return sum("/payment " in line for line in file)


class Get:
    """One run of telepay with a terminal of its own."""

    def __init__(self):
        self.seen = b""
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            os.execvp("telepay", ["telepay", "get", "--cacert", "mediator/tls.pem", "--home", "home", "--wait", "5", base + "/s/shop/chart"])

    def read(self, seconds):
        if not select.select([self.tty], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.tty, 4096)
        except OSError:  # EIO: the program has ended
            data = b""
        self.seen += data
        return data != b""

    def answer(self, question, text):
        end = time.monotonic() + 20
        while question not in self.seen:
            if time.monotonic() > end or (not self.read(1) and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
                fail(f"no {question!r}", self.seen)
        self.seen = self.seen.split(question, 1)[1]
        time.sleep(0.1)
        os.write(self.tty, text)

    def end(self, code, text):
        while self.read(20):
            pass
        got = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if got != code or text not in self.seen:
            fail(f"exit {got}, not {code}, or no {text!r}", self.seen)
        os.close(self.tty)


DEMAND = base.encode() + b"\r\n  Librairie du Port\r\n  Carte marine 7066\r\nPay 12.50 EUR (y/N): "

if sys.argv[4:] == ["purse"]:
    g = Get()
    g.answer(DEMAND.replace(b"EUR", b"EUR from your purse at Bourse"), b"n\n")
    g.end(1, b"not wanted: nothing was paid")
    g = Get()
    g.answer(DEMAND.replace(b"EUR", b"EUR from your purse at Bourse"), b"y\n")
    g.answer(b"Code of the key of default: ", b"let me out\n")
    g.answer(b"Code of the key of default: ", b"let me in\n")
    g.answer(b"Declined: the purse holds less than that: telepay purse fill (51, BALANCE). Pay by card instead (y/N): ", b"y\n")
    g.answer(b"PIN (3 tries left): ", b"1234\n")
    g.end(0, b"the chart")
    if payments() != 2:
        fail("not once by purse and once by card", b"")
    print("get-terminal.py: from a purse, too")
    sys.exit(0)

mode("ok")
for no in (b"n\n", b"\n", b"yes please\n"):
    g = Get()
    g.answer(DEMAND, no)
    g.end(1, b"not wanted: nothing was paid")
if payments():
    fail("paid without a yes", b"")
g = Get()
g.answer(DEMAND, b"\x03")  # Ctrl-C
g.end(1, b"nothing was paid")
g = Get()
g.answer(DEMAND, b"y\n")
g.answer(b"PIN (3 tries left): ", b"1234\n")
g.end(0, b"the chart")
if payments() != 1:
    fail("not paid once", b"")

mode("refused")  # nothing is signed again without a yes
g = Get()
g.answer(DEMAND, b"y\n")
g.answer(b"PIN (3 tries left): ", b"1234\n")
g.answer(b"Sign the order again, with this card or another (y/N): ", b"\n")
g.end(1, b"not enough funds")
if payments() != 2:
    fail("signed again by itself", b"")

mode("refused-once")  # and with one, the same order under its new challenge
g = Get()
g.answer(DEMAND, b"y\n")
g.answer(b"PIN (3 tries left): ", b"1234\n")
g.answer(b"Sign the order again, with this card or another (y/N): ", b"y\n")
g.answer(b"PIN (3 tries left): ", b"1234\n")
g.end(0, b"the chart")
if payments() != 4:
    fail("not signed again", b"")

mode("refused-dearer")  # … and not for more than was agreed to
g = Get()
g.answer(DEMAND, b"y\n")
g.answer(b"PIN (3 tries left): ", b"1234\n")
g.answer(b"Sign the order again, with this card or another (y/N): ", b"y\n")
g.end(1, b"another order is demanded than was refused")
if payments() != 5:
    fail("signed for more", b"")
print("get-terminal.py: all as it should be")
