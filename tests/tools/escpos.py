#!/usr/bin/env python3
"""Renders what was sent to a receipt printer, and holds it against Epson's ESC/POS Command Reference.

    escpos.py FILE WIDTH     prints the tickets as a printer of WIDTH columns would, a line "-- cut --" behind each
    escpos.py --selftest

Shares nothing with the program. Commands that it knows, by the names of the reference, with what they may say:
ESC @ (initialize), ESC R n (international character set), ESC t n (character code table: 16 is WPC1252, 19 is PC858),
ESC E n (emphasized), GS ! n (character size: bits 4-6 width, 0-2 height, each less one), GS V 66 n (feed, partial cut),
LF. Any other control byte is a fault, and so are a line over the width, a byte that the code table has not, text before
ESC @ and ESC t, a ticket that is not cut, and one that ends emphasized or large. Emphasized text is shown in *…*, text of
twice the height in #…#.
"""
import sys

TABLES = {16: "cp1252", 19: "cp858"}


class Fault(Exception):
    pass


def render(data, width):
    out, line, used = [], "", 0
    table, bold, wide, high, begun = None, False, 1, 1, False
    at = 0

    def take(n):
        nonlocal at
        if at + n > len(data):
            raise Fault("a command is cut off at %d" % at)
        at += n
        return data[at - n:at]

    while at < len(data):
        (byte,) = take(1)
        if byte == 0x1B:
            (command,) = take(1)
            if command == ord("@"):
                if line:
                    raise Fault("ESC @ within a line")
                table, bold, wide, high, begun = None, False, 1, 1, True
                continue
            (n,) = take(1)
            if not begun:
                raise Fault("a command before ESC @")
            if command == ord("t"):
                if n not in TABLES:
                    raise Fault("ESC t %d is a code table without French" % n)
                table = TABLES[n]
            elif command == ord("R"):
                if n != 0:
                    raise Fault("ESC R %d changes ASCII" % n)
            elif command == ord("E"):
                bold = n & 1 == 1
            else:
                raise Fault("ESC %02X is none that a ticket needs" % command)
        elif byte == 0x1D:
            (command,) = take(1)
            if command == ord("!"):
                (n,) = take(1)
                if n & 0x88:
                    raise Fault("GS ! %d is out of range" % n)
                wide, high = (n >> 4 & 7) + 1, (n & 7) + 1
            elif command == ord("V"):
                m, n = take(2)
                if m != 66:
                    raise Fault("GS V %d is not the cut with a feed" % m)
                if line:
                    raise Fault("cut within a line")
                if bold or wide != 1 or high != 1:
                    raise Fault("the ticket ends emphasized or large")
                out.append("-- cut --")
                begun, table = False, None
            else:
                raise Fault("GS %02X is none that a ticket needs" % command)
        elif byte == 0x0A:
            out.append(line.rstrip())
            line, used = "", 0
        elif byte < 0x20 or byte == 0x7F:
            raise Fault("the control byte %02X" % byte)
        else:
            if not begun or table is None:
                raise Fault("text before ESC @ and ESC t")
            try:
                shown = bytes([byte]).decode(table)
            except UnicodeDecodeError:
                raise Fault("%02X is no character of %s" % (byte, table)) from None
            mark = "#" if high > 1 else "*" if bold else ""
            if mark and shown != " ":
                shown = mark + shown + mark
            line = (line + shown).replace(mark + mark, "") if mark else line + shown
            used += wide
            if used > width:
                raise Fault("a line of over %d columns: %s" % (width, line))
    if line or begun:
        raise Fault("the last ticket is not cut")
    return out


def faulty(data, word, width=24):
    try:
        render(data, width)
    except Fault as e:
        assert word in str(e), (data, str(e))
    else:
        raise AssertionError(data)


def selftest():
    head = b"\x1b@\x1bt\x10"
    end = b"\x1dVB\x00"
    assert render(head + b"R\xe9f\x80\n" + end, 24) == ["Réf€", "-- cut --"]
    assert render(b"\x1b@\x1bt\x13R\x82f\xd5\n" + end, 24) == ["Réf€", "-- cut --"]
    assert render(head + b" \x1bE\x01\x1d!\x01AB C\x1d!\x00\x1bE\x00\n" + end, 24) == [" #AB# #C#", "-- cut --"]
    assert render(head + b"\x1d!\x10" + 12 * b"W" + b"\x1d!\x00\n" + end, 24)[0] == 12 * "W"
    faulty(head + b"\x1d!\x10" + 13 * b"W" + b"\x1d!\x00\n" + end, "over 24 columns")
    faulty(head + 25 * b"x" + b"\n" + end, "over 24 columns")
    faulty(head + b"\x07\n" + end, "control byte 07")
    faulty(head + b"\x81\n" + end, "no character")
    faulty(b"\x1b@text\n" + end, "text before")
    faulty(head + b"text\n", "not cut")
    faulty(head + b"text\n\x1dV\x42", "cut off")
    faulty(head + b"\x1bE\x01text\n" + end, "ends emphasized")
    faulty(head + b"\x1bp\x00\x10\x10" + end, "ESC 70")  # opens the drawer
    print("escpos.py: the parser is as it should be")


if __name__ == "__main__":
    if sys.argv[1:] == ["--selftest"]:
        selftest()
    else:
        try:
            with open(sys.argv[1], "rb") as f:
                print("\n".join(render(f.read(), int(sys.argv[2]))))
        except Fault as fault:
            sys.exit("escpos.py: %s: %s" % (sys.argv[1], fault))
