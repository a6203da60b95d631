#!/usr/bin/env python3
"""A service written from doc/service.md alone, with the standard library of Python: python_service.py CREDENTIALS FOLDER [PORT], where CREDENTIALS has server.pem,
server.key and mediator.pem, the certificate of the one mediator it serves; FOLDER its files, and what it keeps. Says its port; listens at PORT, else at any that is
free."""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import re
import sqlite3
import ssl
import sys
import threading

credentials, folder = sys.argv[1:3]
ARTICLES = {  # path: designation, amount, currency, delivery, file, how many there are
    "/article-1": ("A first article", 150, "eur", "network", "article-1.html", None),
    "/about": ("About this shop", 0, None, "network", "about.txt", None),
    "/mug": ("A mug", 1200, "eur", "shipped", None, 2),
    "/poem": ("A poem", 20, "eur", "included", "poem.txt", None),
    "/film": ("A film", 499, "eur", "network", "film.bin", 1),
    "/gone": ("A mug of last year", 900, "eur", "shipped", None, 0),
}
TYPES = {"html": "text/html; charset=utf-8", "txt": "text/plain; charset=utf-8", "bin": "application/octet-stream"}
LOCK = threading.Lock()
BOOK = sqlite3.connect(os.path.join(folder, "sold.db"), check_same_thread=False)
BOOK.execute("CREATE TABLE IF NOT EXISTS sold (id TEXT PRIMARY KEY, article TEXT, digest TEXT, acknowledgement TEXT)")


class Refused(Exception):
    pass


def kept_key():
    """Quotes that were given are known again after a restart, too."""
    path = os.path.join(folder, "mark.key")
    if not os.path.exists(path):
        with open(path + ".new", "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as f:
            f.write(os.urandom(32))
        os.rename(path + ".new", path)
    with open(path, "rb") as f:
        return f.read()


KEY = kept_key()


def sold(path):
    return BOOK.execute("SELECT count(*) FROM sold WHERE article = ?", (path,)).fetchone()[0]


def content(path):
    with open(os.path.join(folder, ARTICLES[path][4]), "rb") as f:
        return f.read()


def written(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def mark(document):
    return hmac.new(KEY, written({k: v for k, v in document.items() if k != "mark"}), "sha256").hexdigest()


def quote(asked):
    path = asked.get("path")
    if not isinstance(path, str) or not path.startswith("/") or not isinstance(asked.get("method"), str):
        raise Refused(400, "no path, no method")
    if asked["method"] != "GET":
        raise Refused(405, "what is sold here is got with GET")
    if path not in ARTICLES:
        raise Refused(404, "there is no such article")
    designation, amount, currency, delivery, _, stock = ARTICLES[path]
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=10)
    with LOCK:
        available = stock is None or sold(path) < stock
    document = {"designation": designation, "amount": str(amount), "available": available, "delivery": delivery, "article": path,
                "valid_until": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if not available:
        document["sold_out"] = True
    if currency:
        document["currency"] = currency
    if delivery == "included":
        document |= {"content": base64.b64encode(content(path)).decode(), "content_type": "text/plain"}
    document["mark"] = mark(document)
    return "application/json", written(document)


def sell(identifier, path, digest, acknowledgement, has_goods):
    with LOCK, BOOK:  # one transaction, committed at its end
        before = BOOK.execute("SELECT digest, acknowledgement FROM sold WHERE id = ?", (identifier,)).fetchone()
        if before == (digest, acknowledgement):
            return
        if before is not None:
            raise Refused(409, "this order came before with another quote or acknowledgement")
        if ARTICLES[path][5] is not None and sold(path) >= ARTICLES[path][5]:
            raise Refused(410, "none is left of it")
        if not has_goods:
            raise Refused(410, "the article's file is gone")
        BOOK.execute("INSERT INTO sold VALUES (?, ?, ?, ?)", (identifier, path, digest, acknowledgement))


def deliver(asked, key):
    identifier, document = asked.get("order"), asked.get("quote")
    if not isinstance(identifier, str) or not re.fullmatch("[A-Za-z0-9_-]{1,64}", identifier) or (key or "").strip('"') != identifier:
        raise Refused(400, "the order is the Idempotency-Key, too")
    if not isinstance(document, dict) or not hmac.compare_digest(str(document.get("mark")).encode("utf-8", "replace"), mark(document).encode()):
        raise Refused(422, "this is no quote of this service")
    digest = base64.urlsafe_b64encode(hashlib.sha256(written(document)).digest()).decode().rstrip("=")
    acknowledgement = asked.get("acknowledgement", "")
    if asked.get("quote_digest", digest) != digest or document["delivery"] == "included" or not document["available"]:
        raise Refused(422, "this quote is for no delivery")
    if not isinstance(acknowledgement, str) or len(acknowledgement) > 16384 or (document["amount"] != "0" and not acknowledgement):
        raise Refused(422, "what is not free wants the acquirer's acknowledgement")
    path = document["article"]
    kind, goods = "application/json", written({"shipped": "it leaves tomorrow"})
    if document["delivery"] == "network":
        try:
            kind, goods = TYPES[ARTICLES[path][4].rpartition(".")[2]], content(path)
        except OSError:
            goods = None
    if document["amount"] != "0" or document["delivery"] == "shipped":
        sell(identifier, path, digest, acknowledgement, goods is not None)
    if goods is None:
        raise Refused(503, "the article's file cannot be read now: ask again")
    return kind, goods


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 15

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 200:
            self.send_header("Cache-Control", "no-store")
        else:  # what was not read is no next request
            if status == 503:
                self.send_header("Retry-After", "5")
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def asked(self):
        size = self.headers.get("Content-Length")
        if self.headers.get("Transfer-Encoding") is not None or size is None:
            raise Refused(411, "say the size of the body in Content-Length")
        if not size.isdecimal() or int(size) > 65536:
            self.rfile.read(min(int(size) if size.isdecimal() else 0, 1 << 20))  # or its sender never hears why
            raise Refused(413, "a body has at most 65536 bytes")
        try:
            body = json.loads(self.rfile.read(int(size)))
        except (ValueError, RecursionError) as bad:
            raise Refused(400, "the body is no JSON object") from bad
        if not isinstance(body, dict):
            raise Refused(400, "the body is no JSON object")
        return body

    def do_POST(self):
        try:
            if self.path == "/quote":
                answer = quote(self.asked())
            elif self.path == "/deliver":
                answer = deliver(self.asked(), self.headers.get("Idempotency-Key"))
            else:
                raise Refused(404, "a service has /quote and /deliver")
            self.answer(200, *answer)
        except Refused as why:
            self.answer(why.args[0], "text/plain; charset=utf-8", (why.args[1] + "\n").encode())

    def do_GET(self):
        self.answer(405 if self.path in ("/quote", "/deliver") else 404, "text/plain; charset=utf-8", b"a service is asked with POST\n")

    do_PUT = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """The handshake is the connection's thread's, so that one who says nothing holds up no other."""

    def get_request(self):
        connection, address = super().get_request()
        connection.settimeout(15)
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        pass


# The mediator's certificate itself is what is trusted: whoever has another does not come in.
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(credentials + "/server.pem", credentials + "/server.key")
context.verify_mode = ssl.CERT_REQUIRED
context.load_verify_locations(credentials + "/mediator.pem")
context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
server = Server(("127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0), Handler)
print("python-service: listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
