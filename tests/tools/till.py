#!/usr/bin/env python3
"""A till that drives `telepay pay --events` as doc/till.md says: till.py CONFIG CARD. Puts the card in and takes it out, types PINs, sends signals when an event says
that it may; ends with 1 when an event is missing, comes in another order, or the end is another than the events said."""
import json
import os
import signal
import subprocess
import sys
import time

config, folder = sys.argv[1:3]
card = None


def put_in():
    global card
    with open("simcard.log", "w", encoding="ascii") as log:
        card = subprocess.Popen(["telepay-simcard", folder], stdout=log, stderr=log)


def take_out():
    global card
    if card is not None:
        card.terminate()
        card.wait()
        card = None
    for _ in range(600):
        listed = subprocess.run(["telepay", "readers"], capture_output=True, text=True, check=False).stdout
        if any("Virtual PCD 00 00" in line and "none" in line for line in listed.splitlines()):
            return
        time.sleep(0.05)
    sys.exit("the card never left: " + listed)


def journal():
    out = subprocess.run(["telepay", "journal", "list", "--json", "--config", config], capture_output=True, text=True, check=True).stdout
    return json.loads(out)["payments"]


class Sale:
    """One payment; on: what to do at an event, by its name."""

    def __init__(self, words, pins=("1234",), on=None):
        reading, self.keys = os.pipe()
        self.pins, self.events, self.on = list(pins), [], on or {}
        self.on.setdefault("pin", Sale.type_pin)
        self.process = subprocess.Popen(
            ["telepay", *words, "--config", config, "--events", "--json", "--no-pinpad", "--pin-fd", str(reading), "--wait", "60"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[reading],
        )
        os.close(reading)
        for line in self.process.stdout:
            self.take(json.loads(line))
        self.process.stdout.close()
        os.close(self.keys)
        said = self.process.stderr.read()
        self.code = self.process.wait()
        self.names = [e["event"] for e in self.events if "event" in e]
        self.report = self.events[-1]
        ended = self.events[-2]
        if ended.get("event") != "ended" or "event" in self.report or ended["exit"] != self.code or ended["outcome"] != self.report["outcome"]:
            sys.exit(f"{words}: the end is not as it was said, exit {self.code}: {self.events} {said}")

    def take(self, event):
        self.events.append(event)
        act = self.on.get(event.get("event"))
        if act is not None:
            act(self)

    def type_pin(self):
        os.write(self.keys, (self.pins.pop(0) + "\n").encode())

    def leave(self):
        self.process.send_signal(signal.SIGTERM)

    def of(self, name):
        return [e for e in self.events if e.get("event") == name]


def same(what, is_, wanted):
    if is_ != wanted:
        sys.exit(f"{what}: {is_}, not {wanted}")


# the card comes while the till waits, and pays alone
take_out()
sale = Sale(["pay", "--amount", "12.50"], on={"waiting": lambda _: put_in()})
same("a payment", sale.names, ["begun", "waiting", "card", "application", "pin", "pin entered", "signing", "signed", "sending", "answered", "receipt", "ended"])
same("what is paid", sale.of("begun"), [{"event": "begun", "kind": "purchase", "amount": "12.50", "currency": "EUR", "merchant": "Librairie du Port"}])
same("who pays", sale.of("application")[0]["aid"], "F0000000141010")
same("the PIN", (sale.of("pin")[0]["wrong_before"], sale.of("pin")[0]["keypad"]), (False, False))
same("the card", sale.of("signed")[0]["cryptogram"], "TC")
same("the delivery", sale.of("sending")[0]["question"], False)
same("the answer", sale.of("answered")[0]["answer"], "00")
receipt = sale.of("receipt")[0]["payment"]
same("the receipt", (receipt["state"], receipt["amount"], sale.code), ("acknowledged", "12.50", 0))
same("the report", sale.report["payment"], receipt)
if "9990140000000015" in json.dumps(sale.events) or "1234" in "".join(str(e.get("pin", "")) for e in sale.events):
    sys.exit("a secret is said")

# the card asks its issuer
sale = Sale(["pay", "--amount", "60.00"])
same("an online payment", sale.names, ["begun", "card", "application", "pin", "pin entered", "signing", "signed", "sending", "answered", "receipt", "ended"])
same("the question", (sale.of("signed")[0]["cryptogram"], sale.of("sending")[0]["question"]), ("ARQC", True))

# a wrong PIN first
sale = Sale(["pay", "--amount", "5.00"], pins=["9999", "1234"])
same("PINs", [p["wrong_before"] for p in sale.of("pin")], [False, True])
same("tries", sale.of("pin")[1]["tries_left"], 2)
same("its end", (sale.code, len(sale.of("pin entered"))), (0, 2))

# refused by the acquirer
sale = Sale(["pay", "--amount", "2000.00"])
same("refused", (sale.code, sale.of("answered")[0]["answer"], sale.of("receipt")[0]["payment"]["state"]), (1, "61", "refused"))

# a refund
sale = Sale(["refund", "last", "--amount", "1.00"])
same("a refund", (sale.code, sale.of("begun")[0]["kind"], sale.of("receipt")[0]["payment"]["kind"]), (0, "refund", "refund"))

# left: while no card is there, and at the PIN; nothing is paid, and nothing kept
before = journal()
sale = Sale(["pay", "--amount", "5.00"], on={"pin": Sale.leave})
same("left at the PIN", (sale.code, sale.names[-1], sale.of("signing"), sale.of("receipt")), (1, "ended", [], []))
if "nothing was paid" not in sale.of("ended")[0]["error"]["text"]:
    sys.exit(f"left at the PIN: {sale.events}")
take_out()
sale = Sale(["pay", "--amount", "5.00"], on={"waiting": Sale.leave})
same("left without a card", (sale.code, sale.names), (1, ["begun", "waiting", "ended"]))
same("the journal", journal(), before)

# too late: once the card has signed, a signal ends nothing
sale = Sale(["pay", "--amount", "6.00"], on={"waiting": lambda _: put_in(), "signing": Sale.leave})
same("too late to leave", (sale.code, sale.of("receipt")[0]["payment"]["state"]), (0, "acknowledged"))
same("the journal", len(journal()), len(before) + 1)
take_out()

# what is wrong from the first ends in the same way
sale = Sale(["pay", "--amount", "nothing"])
same("no amount", (sale.code, sale.names), (2, ["ended"]))
print("till.py: every sale as its events said")
