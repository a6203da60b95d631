#!/usr/bin/env python3
"""telepay pay on a terminal: the prompt counts the tries, nothing typed is echoed, and the echo is back whichever way it ends."""
import os
import pty
import re
import select
import signal
import sys
import termios
import time

COMMAND = ["telepay", "pay", "--config", "terminal/telepay.conf", "--amount", "12.50", "--currency", "EUR", "--wait", "10"]


def fail(what, seen):
    sys.exit(f"FAIL: {what}: {seen!r}")


class Payment:
    """One run of telepay with a terminal of its own."""

    def __init__(self):
        self.seen = b""
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            os.execvp(COMMAND[0], COMMAND)

    def read(self, seconds):
        if not select.select([self.tty], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.tty, 4096)
        except OSError:  # EIO: the program has ended
            data = b""
        self.seen += data
        return data != b""

    def until(self, text):
        end = time.monotonic() + 20
        while text not in self.seen:
            if time.monotonic() > end or not self.read(1) and self.ended():
                fail(f"no {text!r}", self.seen)
        time.sleep(0.05)  # the prompt is written before the echo goes off, then what waits is thrown away

    def ended(self):
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def echoes(self):
        return bool(termios.tcgetattr(self.tty)[3] & termios.ECHO)

    def type(self, text):
        end = time.monotonic() + 5
        while self.echoes():
            if time.monotonic() > end:
                fail("the echo stays on while the PIN is asked", self.seen)
            time.sleep(0.01)
        time.sleep(0.05)
        os.write(self.tty, text)

    def end(self, code, *texts):
        while self.read(20):
            pass
        got = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if got != code:
            fail(f"exit {got}, not {code}", self.seen)
        for text in texts:
            if text not in self.seen:
                fail(f"no {text!r}", self.seen)
        for pin in (b"1234", b"9999", b"4321"):
            # by itself: a payment's random number may have the same four digits in a row
            if re.search(rb"(?<![0-9A-F])" + pin + rb"(?![0-9A-F])", self.seen):
                fail("a PIN is on the screen", self.seen)
        if not self.echoes():
            fail("the echo is not given back", self.seen)
        os.close(self.tty)


p = Payment()  # right at once; typed ahead before that, as soon as the terminal is quiet, which is never seen and not taken for the answer
p.type(b"4321\n")
p.until(b"12.50 EUR to Librairie du Port. PIN (3 tries left): ")
p.type(b"1234\n")
p.end(0, b"APPROVED")

p = Payment()  # wrong, then no PIN at all, then right
p.until(b"PIN (3 tries left): ")
p.type(b"9999\n")
p.until(b"Wrong PIN. PIN (2 tries left): ")
p.type(b"1\n")
p.until(b"A PIN has 4 to 12 digits. PIN (2 tries left): ")
p.type(b"1234\n")
p.end(0, b"APPROVED")

for way in (lambda q: q.type(b"43\x03"), lambda q: os.kill(q.pid, signal.SIGTERM)):  # Ctrl-C half-way; ended from outside
    p = Payment()
    p.until(b"PIN (3 tries left): ")
    way(p)
    p.end(1, b"nothing was paid")

p = Payment()  # Enter alone: the cardholder pays without PIN, and this card insists on one
p.until(b"PIN (3 tries left): ")
p.type(b"\n")
p.end(1, b"DECLINED")

p = Payment()  # down to the last try, and past it
p.until(b"PIN (3 tries left): ")
p.type(b"9999\n")
p.until(b"PIN (2 tries left): ")
p.type(b"4321\n")
p.until(b"Wrong PIN. PIN (last try): ")
p.type(b"9999\n")
p.end(1, b"DECLINED")

p = Payment()  # blocked: not even asked
p.end(1, b"DECLINED")
if b"PIN (" in p.seen:
    fail("a blocked PIN is asked for", p.seen)
print("pin-terminal.py: all as it should be")
