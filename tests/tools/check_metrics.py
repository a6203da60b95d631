#!/usr/bin/env python3
"""check_metrics.py METRICS STATUS: holds what status --metrics printed against the grammar that collectors read (OpenMetrics 1.0: HELP, TYPE, samples of one
family together, # EOF last), and its numbers against status --json."""
import json
import re
import sys
from decimal import Decimal

NAME = r"telepay_mediator_[a-z_]+"
LABEL = r'([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})\{{({LABEL}(?:,{LABEL})*)\}} (\d+(?:\.\d+)?)")
UNESCAPED = {r"\n": "\n", r"\"": '"', r"\\": "\\"}


def unescaped(text):
    return re.sub(r'\\["\\n]', lambda m: UNESCAPED[m.group()], text)


def read(text):
    """The samples of each family, by their labels."""
    assert text.endswith("\n# EOF\n"), "no # EOF at its end"
    families, family = {}, None
    for line in text[: -len("# EOF\n")].splitlines():
        if described := re.fullmatch(rf"# HELP ({NAME}) (?:[^\\\n]|\\[\\n])+", line):
            assert family is None or typed, f"{family} has no TYPE"
            family, typed = described.group(1), False
            assert family not in families, f"{family} comes twice"
            families[family] = {}
        elif line.startswith("# "):
            assert line == f"# TYPE {family} gauge" and not typed, f"not of {family}: {line}"
            typed = True
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample and typed and sample.group(1) == family, f"not of {family}: {line}"
            labels = re.findall(LABEL, sample.group(2))
            key = tuple(unescaped(value) for _, value in labels)
            assert len(dict(labels)) == len(labels) and key not in families[family], f"twice: {line}"
            families[family][key] = Decimal(sample.group(7))
    return {name.removeprefix("telepay_mediator_"): samples for name, samples in families.items()}


families = read(open(sys.argv[1], encoding="utf-8").read())
states = json.load(open(sys.argv[2], encoding="utf-8"))["states"]
assert families["orders"] == {(s["state"], s["currency"], s["means"] or ""): s["order_count"] for s in states}, (families, states)
assert families["orders_amount"] == {(s["state"], s["currency"], s["means"] or ""): Decimal(s["amount"]) for s in states}, (families, states)
waiting = {"submitting", "unknown", "approved", "acknowledged", "reversing", "owed"}
assert set(families["orders_oldest_timestamp_seconds"]) == {k for k in families["orders"] if k[0] in waiting}, families
for family, samples in families.items():
    for key, value in samples.items():
        print(family, *key, value)
