#!/usr/bin/env python3
"""Customers of a purse that is killed again and again: purse_customers.py PORT CA MEDIATOR KEY… pays with each key, one order after the other, until the file
`stop` is there, and insists on each with the same bytes until it is decided. Then says of each payment, a line each: account, order, counter, amount, code,
how often it was asked, SHA-256 of the answer. Any answer that differs from the first one to the same bytes is a fault."""
import hashlib
import http.client
import json
import os
import ssl
import sys
import threading
import time

import purse_payer as payer

DECIDED = (200, 402)


def ask(context, port, body):
    """Status and bytes; None when nothing came."""
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    try:
        connection.request("POST", "/payments", body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def insist(context, port, body):
    asked = 0
    while True:
        asked += 1
        got = ask(context, port, body)
        if got is not None and got[0] in DECIDED:
            return got, asked
        if got is not None and got[0] != 503:
            sys.exit(f"{got}")
        time.sleep(0.02)


def shop(context, port, mediator, path, lines, faults):
    account, counter, last = payer.number(payer.load(path)), 0, None
    while not os.path.exists("stop"):
        counter += 1
        amount = str(100 + counter % 7)
        body = payer.payment(path, mediator, account, str(counter), amount)
        (status, answer), asked = insist(context, port, body)
        order = payer.json.loads(payer.jose.decode(json.loads(body)["payment"].split(".")[1]))["order"]
        lines.append((account, order, counter, amount, json.loads(answer)["code"], asked, hashlib.sha256(answer).hexdigest()))
        if last is not None and counter % 3 == 0:
            (_, again), _ = insist(context, port, last[0])
            if again != last[1]:
                faults.append(f"another answer to the same bytes: {again} {last[1]}")
        last = body, answer


def main():
    port, ca, mediator, *keys = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    lines, faults = [], []
    threads = [threading.Thread(target=shop, args=(context, int(port), mediator, key, lines, faults)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for line in lines:
        print(*line)
    if faults:
        sys.exit("\n".join(faults))


main()
