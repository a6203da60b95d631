#!/usr/bin/env python3
"""check_json.py DOC FILE…: holds what commands printed as JSON against the vocabulary that doc/json.md lists. In a file NAME.events each line is a document."""
import json
import re
import sys

AMOUNT = re.compile(r"-?(0|[1-9]\d*)(\.\d{1,4})?")
FORMS = {
    "text": lambda v: isinstance(v, str) and v != "",
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "bool": lambda v: isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
    "list": lambda v: isinstance(v, list),
    "amount": lambda v: isinstance(v, str) and AMOUNT.fullmatch(v),
    "currency": lambda v: isinstance(v, str) and re.fullmatch("[A-Z]{3}", v),
    "time": lambda v: isinstance(v, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", v),
    "local time": lambda v: isinstance(v, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", v),
    "date": lambda v: isinstance(v, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", v),
}
DIGITS = {"stan": 6, "card_sequence": 2}
faults = []


def vocabulary(path):
    rows = re.findall(r"^\| `(\w+)` \| ([a-z ]+) \| [^|]+ \| [^|]+ \|$", open(path, encoding="utf-8").read(), re.M)
    members = dict(rows)
    assert len(rows) > 250, f"{path}: {len(rows)} members are listed"
    assert len(members) == len(rows), f"{path}: listed twice: {sorted(n for n, _ in rows if [m for m, _ in rows].count(n) > 1)}"
    assert set(members.values()) <= set(FORMS), f"{path}: {set(members.values()) - set(FORMS)}"
    assert [n for n, _ in rows] == sorted(members), f"{path}: not by the alphabet"
    return members


def check(where, value, members):
    if isinstance(value, list):
        for one in value:
            check(where, one, members)
    if not isinstance(value, dict):
        return
    for name, held in value.items():
        form = members.get(name)
        if form is None:
            faults.append(f"{where}: the member {name} is not listed")
        elif held is not None and not FORMS[form](held):
            faults.append(f"{where}: {name} is no {form}: {json.dumps(held)[:80]}")
        elif held is not None and form == "amount" and value.get("currency") is None:
            faults.append(f"{where}: {name} has no currency beside it")
        elif held is not None and name in DIGITS and not re.fullmatch(rf"\d{{{DIGITS[name]}}}", held):
            faults.append(f"{where}: {name} is {held}")
        elif held is not None and name == "pan_masked" and not re.fullmatch(r"\d{6}\*+\d{4}", held):
            faults.append(f"{where}: {name} is {held}")
        check(f"{where}.{name}", held, members)


members = vocabulary(sys.argv[1])
for path in sys.argv[2:]:
    text = open(path, encoding="utf-8").read()
    documents = text.splitlines() if path.endswith(".events") else [text]
    name = path.rsplit("/", 1)[-1]
    if not documents:
        faults.append(f"{name}: nothing was printed")
    for document in documents:
        try:
            value = json.loads(document)
        except ValueError as why:
            faults.append(f"{name}: no JSON: {why}: {document[:80]}")
            continue
        if not isinstance(value, dict):
            faults.append(f"{name}: no object at the top")
        if name.startswith("error-") and not (isinstance(value, dict) and list(value) == ["error"] and set(value["error"]) == {"code", "text"}):
            faults.append(f"{name}: no error: {document[:80]}")
        check(name, value, members)
print("\n".join(sorted(set(faults))))
sys.exit(1 if faults else 0)
