#!/usr/bin/env python3
"""Stands before a mediator: cut_answer.py CERTIFICATE KEY PORT. Hands each request on to it, https on PORT of localhost, and each answer back; but where a
file `armed` is, the answer to the next request with a credential is lost, and `armed` with it. Prints its own port."""
import http.client
import http.server
import os
import ssl
import sys

certificate, key, port = sys.argv[1:4]
beyond = ssl.create_default_context(cafile=certificate)
beyond.check_hostname = False
beyond.verify_mode = ssl.CERT_NONE  # a test's own, on this machine


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        wanted = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "accept-encoding")}
        mediator = http.client.HTTPSConnection("localhost", int(port), context=beyond, timeout=60)
        mediator.request(self.command, self.path, body or None, wanted)
        answer = mediator.getresponse()
        said = answer.read()
        if "Authorization" in self.headers and os.path.exists("armed"):
            os.remove("armed")
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET

    def log_message(self, *words):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
