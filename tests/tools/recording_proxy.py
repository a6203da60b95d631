#!/usr/bin/env python3
"""Stands between an acquirer and its collection centre: recording_proxy.py CENTRE_DIR CREDENTIALS_DIR SAVE_DIR. Hands each request on to the address that
centre.conf names (read anew), each answer back, and writes both documents to SAVE_DIR, NNN-caaa.011.xml and NNN-caaa.012.xml. Prints its port."""
import http.client
import http.server
import re
import ssl
import sys
import urllib.parse

centre, credentials, save = sys.argv[1:4]
with open(credentials + "/centre.conf") as f:
    url = urllib.parse.urlsplit(re.search(r"^url = (.*)$", f.read(), re.M).group(1))
to_centre = ssl.create_default_context(cafile=credentials + "/ca.pem")
to_centre.load_cert_chain(credentials + "/client.pem", credentials + "/client.key")
count = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        global count
        count += 1
        document = self.rfile.read(int(self.headers["Content-Length"]))
        self.keep("caaa.011", document)
        wanted = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "expect")}
        beyond = http.client.HTTPSConnection(url.hostname, url.port, context=to_centre, timeout=20)
        beyond.request("PUT", self.path, document, wanted)
        answer = beyond.getresponse()
        body = answer.read()
        if answer.status == 200:
            self.keep("caaa.012", body)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def keep(self, kind, document):
        with open(f"{save}/{count:03}-{kind}.xml", "wb") as f:
            f.write(document)

    def log_message(self, *words):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(centre + "/pki/server.pem", centre + "/pki/server.key")
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
