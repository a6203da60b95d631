#!/usr/bin/env python3
"""A service that lies or fails: lying_service.py CREDENTIALS [PORT], with what python_service.py has as CREDENTIALS. How it does so stands in the path, as
/quote-slow or /deliver-409: what it does at the quote or at the delivery; all else is quoted at 1.50 EUR and delivered."""
import base64
import datetime
import http.server
import json
import ssl
import sys
import time

CONTENT_MAX = 16 << 20  # of the mediator
credentials = sys.argv[1]
times = {}


def quoted(path):
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=10)
    times[path] = times.get(path, 0) + 1
    document = {"designation": "An article", "amount": "150", "currency": "eur", "available": True, "delivery": "network", "path": path,
                "valid_until": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
    others = {"negative": {"amount": "-150"}, "fraction": {"amount": "1.50"}, "number": {"amount": 150}, "huge": {"amount": "9" * 13}, "over": {"amount": "500000"},
              "dollars": {"currency": "usd"}, "past": {"valid_until": "2020-01-01T00:00:00Z"}, "nameless": {"designation": ""}, "control": {"designation": "A\n402"},
              "gone": {"available": False}, "sold": {"available": False, "sold_out": True}, "both": {"sold_out": True},
              "long": {"designation": "A" * 201}, "type": {"content_type": "text/html\r\nX-Evil: 1"}, "free": {"amount": "0"},
              "dearer": {"amount": str(150 + 50 * times[path])}, "nobase64": {"delivery": "included", "content": "!", "content_type": "text/plain"},
              "gift": {"amount": "0", "delivery": "included", "content": base64.b64encode(b"a gift").decode(), "content_type": "text/plain"}}
    document["final"] = path.startswith("/final/")
    if path.startswith("/quote-"):
        document |= others.get(path.removeprefix("/quote-"), {})
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def answer(self, status, body, kind="text/plain", size=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if size is None else size))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/bills":
            self.answer(403, b"not to this mediator")
            return
        path = asked["path"] if self.path == "/quote" else asked["quote"]["path"]
        how = path.rpartition("/")[2]
        fault = how.removeprefix(self.path[1:] + "-") if how.startswith(self.path[1:] + "-") else ""
        if fault.isdecimal():
            self.answer(int(fault), b"no \x1b[2Jway\nat all")
        elif fault == "slow":
            time.sleep(30)
        elif fault == "garbage":
            self.answer(200, b"\x00\xff{", "application/json")
        elif fault == "array":
            self.answer(200, b"[" * 20000, "application/json")
        elif fault == "closed":
            self.close_connection = True
        elif fault == "cut":
            self.answer(200, b"half of it", size=20)
            self.close_connection = True
        elif fault == "large":
            self.answer(200, bytes(CONTENT_MAX + 1), "application/octet-stream")
        elif self.path == "/quote":
            self.answer(200, quoted(path), "application/json")
        elif fault == "type":
            self.answer(200, b"delivered", "text/html\x01<script>")
        else:
            self.answer(200, b"delivered")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def get_request(self):
        connection, address = super().get_request()
        connection.settimeout(60)
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(credentials + "/server.pem", credentials + "/server.key")
context.verify_mode = ssl.CERT_REQUIRED
context.load_verify_locations(credentials + "/mediator.pem")
context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
server = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
print("lying-service: listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
