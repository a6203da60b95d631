#!/usr/bin/env python3
"""Calls the agent on PORT as no browser does, to have ORDER paid: rude_caller.py PORT ORDER what. For `heads`, requests that can be read in two ways; for
`twin`, as root, those of another user from a port that root uses too; for `crowd`, many that say nothing while one asks; for `slow`, ones that say a byte a
second. Prints what is wrong with the answers, and exits with 1."""
import os
import socket
import sys
import time

PORT, ORDER, WHAT = int(sys.argv[1]), sys.argv[2], sys.argv[3]
HERE = "127.0.0.1"
OWN, EVIL = f"Host: {HERE}:{PORT}", "Host: shop.example"
STRANGER = 65534
wrong = []


def call(sock):
    sock.settimeout(20)
    sock.connect((HERE, PORT))
    return sock


def ask(sock, request):
    """The status of each answer, until the agent ends the connection."""
    text = b""
    try:
        sock.sendall(request)
        while True:
            piece = sock.recv(65536)
            if not piece:
                break
            text += piece
    except ConnectionError:
        pass  # it ended it before all of this was said
    return [int(answer[:3]) for answer in text.split(b"HTTP/1.1 ")[1:]]


def get(target, *fields):
    return "\r\n".join([f"GET {target} HTTP/1.1", *fields, "", ""]).encode()


def expect(what, got, wanted):
    if got != wanted:
        wrong.append(f"{what}: {got}, not {wanted}")


def heads():
    pay = f"/pay?order={ORDER}"
    navigates, embeds = "Sec-Fetch-Dest: document", "Sec-Fetch-Dest: iframe"
    cases = {
        "two hosts, the wrong one first": (403, get(pay, EVIL, OWN)),
        "two hosts, the wrong one last": (403, get(pay, OWN, EVIL)),
        "a host that goes on in the next line": (403, get(pay, "Host: shop.example", f" {HERE}:{PORT}")),
        "no host": (403, f"GET {pay} HTTP/1.0\r\n\r\n".encode()),
        "a frame that says a document too": (403, get(pay, OWN, navigates, embeds)),
        "a document that says a frame too": (403, get(pay, OWN, embeds, navigates)),
        "two origins": (403, get(pay, OWN, "Origin: null", "Origin: https://shop.example")),
        "a page that is fetched before anybody asks for it": (403, get(pay, OWN, navigates, "Sec-Purpose: prefetch")),
        "a page that is drawn before anybody asks for it": (403, get(pay, OWN, navigates, "Sec-Purpose: prefetch;prerender")),
        "the same, as older browsers say it": (403, get(pay, OWN, "Purpose: prefetch")),
        "another protocol": (403, get(pay, OWN, "Upgrade: h2c")),
        "the address of a proxy": (404, get(f"http://shop.example{pay}", OWN)),
        "its own address, as to a proxy": (404, get(f"http://{HERE}:{PORT}{pay}", OWN)),
        "a way up": (404, get(f"/x/..{pay}", OWN)),
        "two orders": (400, get(f"{pay}&order=https://shop.example/", OWN)),
        "an order that goes on after a zero": (400, get(f"{pay}%00x", OWN)),
        "a host that reads from the right": (400, get(pay.replace("://", "://%E2%80%AE"), OWN)),
        "a number in place of a host": (400, get(f"/pay?order=https://2130706433/orders/{ORDER[-26:]}", OWN)),
        "100 kB of a field": (431, get(pay, OWN, "X: " + "x" * 100000)),
        "100 kB of an address": (414, get(f"{pay}&x={'x' * 100000}", OWN)),
        "one after the other, at once": (404, get("/", OWN) * 5),
    }
    for what, (status, request) in cases.items():
        expect(what, ask(call(socket.socket()), request), [status])
    try:
        socket.create_connection(("::1", PORT), 5).close()
        wrong.append("it listens on ::1 too")
    except OSError:
        pass


def bound(family, address, port):
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    return sock


def twin():
    """A port has as many connections as there are other ends: whose they are is not whose this one is."""
    there = socket.create_server((HERE, 0))
    mine = bound(socket.AF_INET, HERE, 0)
    mine.connect(there.getsockname())
    for family, prefix in ((socket.AF_INET, ""), (socket.AF_INET6, "::ffff:")):
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setresuid(STRANGER, STRANGER, STRANGER)
            sock = bound(family, prefix + HERE, mine.getsockname()[1])
            sock.settimeout(20)
            sock.connect((prefix + HERE, PORT))
            os._exit(0 if ask(sock, get(f"/pay?order={ORDER}", OWN)) == [403] else 1)
        expect(f"another user behind a port of ours, family {family}", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


def crowd():
    silent = [call(socket.socket()) for _ in range(200)]
    began = time.monotonic()
    expect("one among 200 that say nothing", ask(call(socket.socket()), get("/", OWN)), [404])
    if time.monotonic() - began > 5:
        wrong.append(f"one among 200 that say nothing waits {time.monotonic() - began:.0f} s")
    for sock in silent:
        sock.close()


def slow():
    """As many as may be there at once, for as long as none should be."""
    socks = [call(socket.socket()) for _ in range(8)]
    for byte in get("/", OWN)[:15]:
        for sock in socks:
            try:
                sock.sendall(bytes([byte]))
            except ConnectionError:
                pass
        time.sleep(1)
    for sock in socks:
        sock.setblocking(False)
        try:
            ended = sock.recv(1) == b""
        except BlockingIOError:
            ended = False
        except ConnectionError:
            ended = True
        if not ended:
            wrong.append("a request of a byte a second is still waited for after 15 s")
            break


{"heads": heads, "twin": twin, "crowd": crowd, "slow": slow}[WHAT]()
for line in wrong:
    print(line)
sys.exit(1 if wrong else 0)
