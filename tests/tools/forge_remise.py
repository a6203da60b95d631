#!/usr/bin/env python3
"""A purse's remise as somebody would forge it: forge_remise.py FROM TO NUMBER WHAT writes the caaa.011 of the file FROM as remise NUMBER into the file TO. WHAT is
done to its first item: nothing; amount (a cent more, the totals too), voucher-amount (10.00 more, of the last one); signature, challenge (a byte changed); account; voucher
(called one); credit (called one, the totals too); statement=FILE (that one in its place). again: all of it under other references; contract=ID: under another
contract. Independent of src/: the XML is changed as text."""
import base64
import re
import sys


def flip(text):
    data = bytearray(base64.b64decode(text))
    data[-5] ^= 1  # within the signature, the last member
    return base64.b64encode(bytes(data)).decode()


def in_first(document, pattern, change):
    return re.sub(pattern, lambda m: m.group(1) + change(m.group(2)) + m.group(3), document, count=1)


def signed(name):
    return rf"(<AddtlInf><Id>{name}</Id><Val>)([^<]*)(</Val>)"


def cents(text, by):
    return "%.2f" % (float(text) + by)


def main():
    source, target, number, what = sys.argv[1:5]
    with open(source) as file:
        document = file.read()
    old = re.search("<XchgId>([0-9]+)<", document).group(1)
    document = document.replace("%06d" % int(old), "%06d" % int(number)).replace(f"<XchgId>{old}<", f"<XchgId>{number}<")
    if what in ("amount", "voucher-amount"):
        amount = r"(<TtlAmt>)([^<]*)(</TtlAmt>)" if what == "amount" else r"(.*<TtlAmt>)([^<]*)(</TtlAmt>)"
        document = re.sub(amount, lambda m: m.group(1) + cents(m.group(2), 0.01 if what == "amount" else 10) + m.group(3), document, count=1, flags=re.S)
        by = 0.01 if what == "amount" else 10
        document = re.sub("(<Tp>DEBT</Tp><TtlNb>[0-9]+</TtlNb><CmltvAmt>)([^<]*)", lambda m: m.group(1) + cents(m.group(2), by), document)
    elif what == "credit":
        paid = re.search("<TtlAmt>([^<]*)", document).group(1)
        document = document.replace("<TxTp>CRDP</TxTp>", "<TxTp>RFND</TxTp>", 1)
        document = re.sub("(<Tp>DEBT</Tp><TtlNb>)([0-9]+)(</TtlNb><CmltvAmt>)([^<]*)",
                          lambda m: f"{m.group(1)}{int(m.group(2)) - 1}{m.group(3)}{cents(m.group(4), -float(paid))}", document)
        document = re.sub("(<Tp>CRDT</Tp><TtlNb>)([0-9]+)(</TtlNb><CmltvAmt>)([^<]*)", rf"\g<1>1\g<3>{paid}", document)
    elif what == "again":
        document = re.sub("<RcptTxId>000000", "<RcptTxId>900000", document)
    elif what == "signature":
        document = in_first(document, signed("telepay-purse-payment"), flip)
    elif what == "challenge":
        document = in_first(document, signed("challenge"), lambda v: base64.b64encode(base64.b64decode(v).replace(b"m.example", b"n.example")).decode())
    elif what == "account":
        document = in_first(document, "(<IdTp>ACCT</IdTp><Id>)([^<]*)(</Id>)", lambda v: v[::-1])
    elif what == "voucher":
        document = document.replace("<Id>telepay-purse-payment</Id>", "<Id>telepay-purse-voucher</Id>", 1)
        document = re.sub(signed("challenge") + "</AddtlInf>", "", document, count=1)
    elif what.startswith("statement="):
        with open(what.removeprefix("statement=")) as file:
            statement = base64.b64encode(file.read().encode()).decode()
        document = in_first(document, signed("telepay-purse-payment"), lambda _: statement)
    elif what.startswith("contract="):
        document = document.replace("000000000000123", what.removeprefix("contract="))
    else:
        assert what == "nothing", what
    with open(target, "w") as file:
        file.write(document)


main()
