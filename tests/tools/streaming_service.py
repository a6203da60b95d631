#!/usr/bin/env python3
"""A service that sells by duration, in the standard library alone: streaming_service.py CREDENTIALS PORT, with what lying_service.py has as CREDENTIALS. The path says
how it sends: /for-2.5 so many seconds, ten pieces each; /silent the head alone; /fast as fast as it is taken, until nobody does; /410 a refusal; /empty nothing; and ?per=
seconds that the price, 0.10 EUR, pays for; CREDENTIALS/per, if it is there, outranks that."""
import datetime
import http.server
import json
import os
import ssl
import sys
import time
import urllib.parse

credentials = sys.argv[1]


def quoted(path, query):
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=10)
    per = int(urllib.parse.parse_qs(query).get("per", ["3"])[0])
    if os.path.exists(credentials + "/per"):
        per = int(open(credentials + "/per").read())
    document = {"designation": "Radio", "amount": "10", "currency": "eur", "available": True, "delivery": "stream", "per": per, "path": path,
                "valid_until": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def whole(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def piece(self, body):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))

    def stream(self, how):
        self.send_response(200)
        self.send_header("Content-Type", "audio/basic")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        if how == "silent":
            time.sleep(60)
        elif how == "fast":
            while True:
                self.piece(bytes(65536))
        elif how.startswith("for-"):
            start, n = time.monotonic(), 0
            while n < 10 * float(how[4:]):
                self.piece(b"%07d\n" % n)
                n += 1
                time.sleep(max(0, start + n / 10 - time.monotonic()))
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/quote":
            self.whole(200, quoted(asked["path"], asked.get("query", "")), "application/json")
            return
        how = asked["quote"]["path"].removeprefix("/")
        print("deliver", asked["order"], how, flush=True)
        try:
            if how.isdecimal():
                self.whole(int(how), b"it is over", "text/plain")
            else:
                self.stream(how)
        except OSError:
            print("left", asked["order"], flush=True)
            self.close_connection = True

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(credentials + "/server.pem", credentials + "/server.key")
context.verify_mode = ssl.CERT_REQUIRED
context.load_verify_locations(credentials + "/mediator.pem")
context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print("streaming-service: listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
