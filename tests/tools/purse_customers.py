#!/usr/bin/env python3
"""Customers of a purse that is killed again and again: purse_customers.py PORT CA MEDIATOR KEY… pays with each key, one order after the other, until the file
`stop` is there, and insists on each with the same bytes until it is decided. Every fourth one opens a session, whose mediator draws three vouchers and says that it
is over. Then says of each payment, a line each: account, order, counter, amount, code, how often it was asked, SHA-256 of the answer; and into the file `drawn` what
vouchers came to in all. Any answer that differs from the first one to the same bytes is a fault."""
import hashlib
import http.client
import json
import os
import secrets
import ssl
import sys
import threading
import time

import purse_payer as payer

DECIDED = (200, 402)


def ask(context, port, body, path):
    """Status and bytes; None when nothing came."""
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def insist(context, port, body, path="/payments"):
    asked = 0
    while True:
        asked += 1
        got = ask(context, port, body, path)
        if got is not None and got[0] in DECIDED:
            return got, asked
        if got is not None and got[0] != 503:
            sys.exit(f"{got}")
        time.sleep(0.02)


def session_of(key, mediator, account, counter):
    """A session's id, and the provision that opens it."""
    session = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(26))
    members = {"acquirer": payer.acquirer_of(mediator), "account": account, "mediator": "med", "session": session, "amount": "1000", "currency": "eur",
               "until": "3600", "counter": counter}
    return session, payer.state(key, "provision", payer.moments(members))


def spend(context, port, mediator, key, account, session):
    """Three vouchers, each presented until it is drawn, and the end; what they came to, and what was answered otherwise."""
    answers, voucher = [], None
    for number in range(1, 4):
        voucher = payer.state(key, "voucher", {"account": account, "session": session, "contract": payer.CONTRACT, "sum": str(number * 111), "number": str(number),
                                               "currency": "eur", "r": payer.jose.encode(bytes(32)), "order": "a" * 26})
        demand = payer.demand(mediator, "presentation", {"session": session, "contract": payer.CONTRACT, "currency": "eur", "sum": str(number * 111),
                                                         "voucher": voucher}, [])
        (_, answer), _ = insist(context, port, demand, "/vouchers")
        (_, again), _ = insist(context, port, demand, "/vouchers")
        answers += [answer] if again == answer and json.loads(answer)["code"] == "00" else [answer, again]
    (_, answer), _ = insist(context, port, payer.demand(mediator, "end", {"session": session}, []), "/sessions/end")
    answers.append(answer)
    return 333, [] if len(answers) == 4 and json.loads(answer)["code"] == "00" else answers


def shop(context, port, mediator, path, lines, drawn, faults):
    key, counter, last, opened = payer.load(path), 0, None, 0
    account = payer.number(key)
    while opened == 0 or not os.path.exists("stop"):  # one session each, however few the kills are
        counter += 1
        amount = str(100 + counter % 7)
        body, session = payer.payment(path, mediator, account, str(counter), amount), None
        if counter % 4 == 0:
            counter += 1
            session, provision = session_of(key, mediator, account, str(counter))
            body = json.dumps({**json.loads(body), "provision": provision})
        (status, answer), asked = insist(context, port, body)
        order = payer.json.loads(payer.jose.decode(json.loads(body)["payment"].split(".")[1]))["order"]
        opened += session is not None
        if session and "provision" in json.loads(answer):
            sum_drawn, wrong = spend(context, port, mediator, key, account, session)
            drawn.append(sum_drawn)
            faults += wrong
        elif session:
            faults.append(f"no word about the provision: {answer}")
        lines.append((account, order, json.loads(payer.jose.decode(json.loads(body)["payment"].split(".")[1]))["counter"], amount, json.loads(answer)["code"], asked, hashlib.sha256(answer).hexdigest()))
        if last is not None and counter % 3 == 0:
            (_, again), _ = insist(context, port, last[0])
            if again != last[1]:
                faults.append(f"another answer to the same bytes: {again} {last[1]}")
        last = body, answer


def main():
    port, ca, mediator, *keys = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    lines, drawn, faults = [], [], []
    threads = [threading.Thread(target=shop, args=(context, int(port), mediator, key, lines, drawn, faults)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for line in lines:
        print(*line)
    with open("drawn", "w") as file:
        print(sum(drawn), len(drawn), file=file)
    if faults:
        sys.exit("\n".join(str(fault) for fault in faults))


main()
