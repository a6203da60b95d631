#!/usr/bin/env python3
"""A collection centre that misbehaves: fake_centre.py CENTRE_DIR MODE_FILE SAVE_FILE. Prints its port. MODE_FILE says how, anew for each connection:
garbage, hang, cut (after 1000 bytes), cut-answer, busy (503), totals (a caaa.012 with other totals), other (about another remise), long.
Every document that comes whole is written to SAVE_FILE."""
import re
import socket
import ssl
import sys
import threading
import time

directory, mode_file, save_file = sys.argv[1:4]
NS = "urn:iso:std:iso:20022:tech:xsd:caaa.012.001.13"


def answer_document(body, mode):
    def one(pattern):
        return re.search(pattern, body).group(1)

    number = one("<XchgId>(.*?)</XchgId>")
    name = one("<Nm>(.*?)</Nm>")
    if mode == "other":
        number = "999"
        name = name.rsplit("-", 1)[0] + "-000999"
    created = one("<DataSetId>.*?<CreDtTm>(.*?)</CreDtTm>")
    totals = "".join(re.findall("<TxTtls>.*?</TxTtls>", body.split("<DataSet>")[0]))
    if mode == "totals":
        totals = re.sub("<TtlNb>([0-9]+)</TtlNb>", lambda m: "<TtlNb>%d</TtlNb>" % (int(m.group(1)) + 1), totals, count=1)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="%s"><AccptrBtchTrfRspn><Hdr><DwnldTrf>false</DwnldTrf><FrmtVrsn>14.0</FrmtVrsn>'
        "<XchgId>%s</XchgId><CreDtTm>%s</CreDtTm><InitgPty><Id>%s</Id><Tp>ACQR</Tp></InitgPty></Hdr><BtchTrfRspn>%s<DataSet><DataSetId><Nm>%s</Nm>"
        "<Tp>AKCP</Tp><CreDtTm>%s</CreDtTm></DataSetId><DataSetRslt><Rspn>APPR</Rspn></DataSetRslt><RmvDataSet>true</RmvDataSet>%s</DataSet>"
        "</BtchTrfRspn></AccptrBtchTrfRspn></Document>"
        % (NS, number, created, one("<InitgPty><Id>(.*?)</Id>"), totals, name, created, totals)
    ).encode()


def reply(c, status, body):
    c.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)


def serve(raw):
    with open(mode_file) as f:
        mode = f.read().strip()
    try:
        c = context.wrap_socket(raw, server_side=True)
        data = b""
        while b"\r\n\r\n" not in data:
            data += c.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        size = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        if b"100-continue" in head:
            c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(body) < (1000 if mode == "cut" else size):
            more = c.recv(65536)
            if not more:
                return
            body += more
        if mode == "cut":
            raw.close()
            return
        with open(save_file, "wb") as f:
            f.write(body)
        if mode == "hang":
            time.sleep(60)
        elif mode == "garbage":
            reply(c, b"200 OK", b"\x00\xff this is no document <Document>")
        elif mode == "busy":
            reply(c, b"503 Service Unavailable", b"later\n")
        elif mode == "long":
            reply(c, b"200 OK", b"<x>" * 1000000)
        elif mode == "cut-answer":
            whole = answer_document(body.decode(), mode)
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole) + whole[: len(whole) // 2])
        else:
            reply(c, b"200 OK", answer_document(body.decode(), mode))
    except (OSError, ssl.SSLError, AttributeError):
        pass
    finally:
        try:
            c.close()
        except (OSError, NameError, UnboundLocalError):
            pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(directory + "/pki/server.pem", directory + "/pki/server.key")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
