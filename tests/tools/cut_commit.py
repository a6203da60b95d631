#!/usr/bin/env python3
"""cut_commit.py FOLDER SOCKET: a PostgreSQL server's socket in FOLDER, which passes all on to SOCKET
and back. FOLDER/armed holds a number: so many COMMITs go by, then one is passed on, its answer is
not, and the connection ends: whoever asked cannot know what became of it."""
import os
import socket
import sys
import threading

folder, behind = sys.argv[1:]
armed = os.path.join(folder, "armed")
passed = 0
lock = threading.Lock()


def take_aim():
    """True when the COMMIT that goes by now is the one."""
    global passed
    with lock:
        if not os.path.exists(armed):
            return False
        with open(armed) as f:
            passed += 1
            if passed <= int(f.read()):
                return False
        os.rename(armed, armed + ".cut")
        return True


def end(*sockets):
    for s in sockets:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def back(server, client, cut):
    while data := server.recv(65536):
        if cut.is_set() and b"COMMIT\0" in data:
            break
        client.sendall(data)
    end(server, client)


def serve(client):
    server = socket.socket(socket.AF_UNIX)
    server.connect(behind)
    cut = threading.Event()
    threading.Thread(target=back, args=(server, client, cut), daemon=True).start()
    try:
        while data := client.recv(65536):
            if b"COMMIT\0" in data and take_aim():
                cut.set()
            server.sendall(data)
    except OSError:
        pass
    end(server, client)


listener = socket.socket(socket.AF_UNIX)
listener.bind(os.path.join(folder, os.path.basename(behind)))
listener.listen(64)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
