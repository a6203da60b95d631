#!/usr/bin/env python3
"""What comes to the centre's door: centre_crowd.py PORT CENTRE_DIR CREDENTIALS WHAT.
crowd N: N connections from 20 addresses that say nothing; prints "crowd" and holds them until its stdin ends.
drip: a client whose head comes a byte a second; prints the seconds until the centre ends it, 60 at most.
length N: announces N bytes and sends none; prints the status.
half N: announces N bytes, sends half of them, prints "sent" and holds the rest until its stdin ends.
chunked N: sends N bytes in chunks; prints the status, or "closed"."""
import socket
import ssl
import sys
import time

port, centre, credentials, what = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
HEAD = "PUT /remises/000000000000777/1 HTTP/1.1\r\nHost: localhost\r\n"


def connect():
    context = ssl.create_default_context(cafile=centre + "/pki/ca.pem")
    context.load_cert_chain(credentials + "/client.pem", credentials + "/client.key")
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")


def drip(c, text, most):
    start = time.monotonic()
    c.settimeout(0.05)
    for byte in text:
        try:
            c.sendall(bytes([byte]))
            time.sleep(1)
            if not c.recv(1000):
                break
        except TimeoutError:
            pass
        except OSError:
            break
        if time.monotonic() - start > most:
            break
    return int(time.monotonic() - start)


def status(c):
    try:
        return c.recv(1000).split(b" ")[1].decode()
    except (OSError, IndexError):
        return "closed"


if what == "crowd":
    held = []
    for i in range(int(sys.argv[5])):
        s = socket.socket()
        s.bind(("127.0.1.%d" % (i % 20 + 1), 0))
        s.connect(("127.0.0.1", port))
        held.append(s)
    print("crowd", flush=True)
    sys.stdin.read()
elif what == "drip":
    print(drip(connect(), (HEAD + "X: " + "a" * 100).encode(), 60))
elif what == "length":
    c = connect()
    c.sendall((HEAD + "Content-Length: %s\r\nExpect: 100-continue\r\n\r\n" % sys.argv[5]).encode())
    print(status(c))
elif what == "half":
    c = connect()
    c.sendall((HEAD + "Content-Length: %s\r\n\r\n" % sys.argv[5]).encode())
    c.sendall(bytes(int(sys.argv[5]) // 2))
    print("sent", flush=True)
    sys.stdin.read()
elif what == "chunked":
    c = connect()
    c.sendall((HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode())
    try:
        for _ in range(int(sys.argv[5]) // 65536):
            c.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
    except OSError:
        pass
    print(status(c))
