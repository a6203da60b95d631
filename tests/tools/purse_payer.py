#!/usr/bin/env python3
"""The holder of a purse's account, and the mediator that asks to be paid, written apart from src/ after doc/protocol.md and RFC 7515, 7638, 8037.

  key FILE                                        makes a key (PEM) and says the number of its account
  opening FILE ACQUIRER CURRENCY                  the statement that opens the account
  succession FILE ACQUIRER ACCOUNT NEXT           … that puts the key of the file NEXT in its place
  payment FILE MEDIATOR ACCOUNT COUNTER AMOUNT [NAME=VALUE …]
                                                  the body of a payment: an order by the keys in MEDIATOR, its challenge, the statement. NAME is a member of the
                                                  order; statement.NAME or request.NAME one of the statement or of the request, where they differ from it;
                                                  ceiling; since (seconds ago that it was issued); swap=FILE: the challenge of that body in place of its own;
                                                  provision=FILE: goes beside it
  statement FILE KIND [NAME=VALUE …]              a statement of that kind (question, emptying, voucher …); at=now, or seconds from now: at=-61
  demand MEDIATOR KIND [NAME=VALUE …]             what a mediator demands: presentation (voucher=FILE holds the voucher), end
  acknowledge FOLDER [NAME=VALUE …]               what an acquirer of cards, with its key in FOLDER, says of a payment
  reversal BODY MEDIATOR [NAME=VALUE …]           demands back what that body paid; NAME is a member of the demand, or signer: whose key
  credential FILE ACCOUNT COUNTER [NAME=VALUE …]  the credential for the challenge of a purse among the fields WWW-Authenticate on stdin, as the value of Authorization;
                                                  statement.NAME as above; claim: that of the order; provision=FILE as above
  voucher FILE ACCOUNT SESSION SUM NUMBER [NAME=VALUE …]
                                                  the same for the challenge of a session; NAME is a member of the voucher
  decode CREDENTIAL                               its JSON

`serve` alone: one process for many of them, since Python takes a third of a second to begin. It says its port and a word on stdout. A request is strings that each
end with NUL: how many follow, the word, the folder to be in, what is on stdin, and the words as above; the answer is what would be on stdout and NUL, or nothing if
it fails, with why on stderr.
"""
import contextlib
import datetime
import hashlib
import io
import json
import os
import re
import secrets
import socket
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fake_mediator as jose
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

CONTRACT = "000000000000123"


def load(path):
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


def jwk(key):
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": jose.encode(raw)}


def number(key):
    return jose.encode(hashlib.sha256(jose.canonical(jwk(key))).digest())


def state(key, kind, payload):
    head = jose.encode(jose.canonical({"alg": "EdDSA", "typ": f"telepay-purse-{kind}", "jwk": jwk(key)}))
    signed = f"{head}.{jose.encode(jose.canonical({'version': 1, **payload}))}"
    return f"{signed}.{jose.encode(key.sign(signed.encode()))}"


def utc(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def order_of(folder, amount, options):
    with open(f"{folder}/mediator.conf") as file:
        conf = dict(line.split(" = ", 1) for line in file.read().splitlines() if " = " in line)
    issued = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=int(options.pop("since", "0")))
    order = {
        "version": 1, "order": "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(26)), "contract": CONTRACT, "merchant": "Le Journal",
        "item": "Article", "amount": amount, "currency": "eur", "delivery": "network", "quote": jose.encode(bytes(32)), "nonce": jose.encode(secrets.token_bytes(16)),
        "issued": utc(issued), "valid_until": utc(issued + datetime.timedelta(seconds=300)), "return": "https://m.example/o", "acquirer": conf["id"],
        "resource": {"method": "GET", "url": "https://m.example/s/journal/1"}, "means": [{"name": "purse", "ceiling": options.pop("ceiling", "50000")}]}
    for name, value in list(options.items()):
        if name in order:
            order[name] = options.pop(name)
    return order


def statement_of(challenge, account, counter, options):
    strings = [challenge.get(name, "") for name in ("id", "realm", "method", "intent", "request", "expires", "digest", "opaque")]
    request = json.loads(jose.decode(challenge["request"]))
    order = json.loads(jose.decode(request["methodDetails"]["order"].split(".")[1]))
    statement = {"account": account, "r": jose.encode(hashlib.sha256("|".join(["telepay-1", *strings]).encode()).digest()), "order": order["order"],
                 "amount": order["amount"], "currency": order["currency"], "counter": counter}
    statement.update({name[10:]: value for name, value in options.items() if name.startswith("statement.")})
    return statement


def offered(text, intent):
    """The challenge of a purse: each field has one."""
    for field in text.splitlines():
        challenge = {name: re.sub(r"\\(.)", r"\1", value) for name, value in re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', field)}
        if (challenge.get("method"), challenge.get("intent")) == ("purse", intent):
            return challenge
    raise SystemExit(f"no {intent} of a purse")


def credential(path, account, counter, *words):
    options, challenge = dict(word.split("=", 1) for word in words), offered(sys.stdin.read(), "charge")
    payload = {"payment": state(load(path), "payment", statement_of(challenge, account, counter, options))}
    if "claim" in options:
        payload["claim"] = options["claim"]
    if "provision" in options:
        with open(options["provision"]) as file:
            payload["provision"] = file.read()
    return "Payment " + jose.encode(jose.canonical({"challenge": challenge, "payload": payload}))


def voucher(path, account, session, total, number, *words):
    challenge = offered(sys.stdin.read(), "session")
    paid = statement_of(challenge, account, "1", {})
    request = json.loads(jose.decode(challenge["request"]))
    assert request["unitType"] == "page", request
    members = {"account": account, "session": session, "contract": request["recipient"], "sum": total, "number": number, "currency": paid["currency"],
               "r": paid["r"], "order": paid["order"], **dict(word.split("=", 1) for word in words)}
    return "Payment " + jose.encode(jose.canonical({"challenge": challenge, "payload": {"voucher": state(load(path), "voucher", members)}}))


def payment(path, folder, account, counter, amount, *words):
    key, options = load(path), dict(word.split("=", 1) for word in words)
    swap, signer, provision = options.pop("swap", None), options.pop("signer", None), options.pop("provision", None)
    order = order_of(folder, amount, options)
    request = {"amount": order["amount"], "currency": order["currency"], "recipient": order["contract"], "externalId": order["order"],
               "methodDetails": {"order": jose.sign(jose.load(folder, signer or f"order-{CONTRACT}"), "telepay-order", order)}}
    request.update({name[8:]: value for name, value in options.items() if name.startswith("request.")})
    challenge = {"id": secrets.token_hex(8), "realm": "m.example", "method": "purse", "intent": "charge", "request": jose.encode(jose.canonical(request)),
                 "expires": order["valid_until"]}
    statement = statement_of(challenge, account, counter, options)
    if swap:
        with open(swap) as file:
            challenge = json.load(file)["challenge"]
    body = {"challenge": challenge, "payment": state(key, "payment", statement)}
    if provision:
        with open(provision) as file:
            body["provision"] = file.read()
    return json.dumps(body)


def moments(members):
    """The times among them, which are said in seconds from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {name: utc(now + datetime.timedelta(seconds=int(value.replace("now", "0")))) if name in ("at", "until") and len(value) < 9 else value
            for name, value in members.items()}


def acquirer_of(folder):
    with open(f"{folder}/mediator.conf") as file:
        return next(line.split(" = ", 1)[1] for line in file.read().splitlines() if line.startswith("id = "))


def demand(folder, kind, members, words):
    """What a mediator signs for the purse, by the key of its order."""
    options = dict(word.split("=", 1) for word in words)
    signer = options.pop("signer", f"order-{CONTRACT}")
    payload = {"version": 1, "acquirer": acquirer_of(folder), "at": utc(datetime.datetime.now(datetime.timezone.utc)), **members, **options}
    return jose.sign(jose.load(folder, signer), f"telepay-purse-{kind}", payload)


def reversal(path, folder, *words):
    with open(path) as file:
        statement = json.load(file)["payment"]
    said = json.loads(jose.decode(statement.split(".")[1]))
    return demand(folder, "reversal", {"contract": CONTRACT, "reason": "not delivered", "payment": jose.encode(hashlib.sha256(statement.encode()).digest()),
                                       **{name: said[name] for name in ("order", "amount", "currency")}}, words)


def answer(verb, path, *rest):
    if verb == "key":
        key = ed25519.Ed25519PrivateKey.generate()
        jose.write(path, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        print(number(key))
    elif verb == "opening":
        print(state(load(path), "opening", {"acquirer": rest[0], "currency": rest[1]}), end="")
    elif verb == "succession":
        print(state(load(path), "succession", {"acquirer": rest[0], "account": rest[1], "next": jwk(load(rest[2]))["x"]}), end="")
    elif verb == "statement":
        print(state(load(path), rest[0], moments(dict(word.split("=", 1) for word in rest[1:]))), end="")
    elif verb == "demand":
        kind, *words = rest
        members = dict(word.split("=", 1) for word in words)
        if "voucher" in members:
            with open(members.pop("voucher")) as file:
                members["voucher"] = file.read()
        print(demand(path, kind, members, [f"signer={members.pop('signer')}"] if "signer" in members else []), end="")
    elif verb == "acknowledge":
        said = {"version": 1, "r": jose.encode(bytes(32)), "contract": CONTRACT, "reference": "633300000001", "code": "00", "outcome": "acknowledged",
                "currency": "eur", "at": "now", **dict(word.split("=", 1) for word in rest)}
        print(jose.sign(jose.load(path, "acknowledgement"), "telepay-acknowledgement", moments(said)), end="")
    elif verb == "reversal":
        print(reversal(path, *rest), end="")
    elif verb == "voucher":
        print(voucher(path, *rest), end="")
    elif verb == "decode":
        print(jose.decode(path.removeprefix("Payment ")).decode(), end="")
    elif verb == "credential":
        print(credential(path, *rest), end="")
    else:
        print(payment(path, *rest))


def next_string(asked):
    text = b""
    while (byte := asked.read(1)) != b"\0":
        if not byte:
            sys.exit("a request ends in its middle")
        text += byte
    return os.fsdecode(text)


def answer_one(asked, word):
    """What is to be sent."""
    said, given = io.StringIO(), [next_string(asked) for _ in range(int(next_string(asked)))]
    if given[0] != word:
        sys.exit("a stranger asks")
    os.chdir(given[1])
    sys.stdin = io.StringIO(given[2])
    with contextlib.redirect_stdout(said):
        answer(*given[3:])
    return os.fsencode(said.getvalue()) + b"\0"


def serve():
    listener, word = socket.create_server(("127.0.0.1", 0), backlog=64), secrets.token_hex(16)
    print(f"listening on {listener.getsockname()[1]}, word {word}", flush=True)
    while True:
        connection, _ = listener.accept()
        connection.settimeout(30)
        with connection, connection.makefile("rb") as asked:
            try:
                connection.sendall(answer_one(asked, word))
            except (Exception, SystemExit):
                traceback.print_exc()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        answer(*sys.argv[1:])
