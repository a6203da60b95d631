#!/usr/bin/env python3
"""pinpad-memory.py PID PIN KNOWN: no PIN in a process's memory, neither as typed nor in a PIN block. KNOWN is there, or the search itself is worth nothing."""
import re
import sys

pid, pin, known = sys.argv[1:4]
length = f"{len(pin):X}"
block = bytes.fromhex(f"2{length}{pin}".ljust(16, "F"))
found = set()
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
    for line in maps:
        area = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
        if not area or "[v" in line:  # vvar, vdso, vsyscall
            continue
        start, end = int(area[1], 16), int(area[2], 16)
        if end - start > 1 << 30:  # a sanitizer's shadow, terabytes of room and nothing in it
            continue
        try:
            memory.seek(start)
            data = memory.read(end - start)
        except OSError:
            continue
        for name, what in (("known", known.encode()), ("PIN", pin.encode()), ("PIN block", block), ("digits", block[1:1 + len(pin) // 2])):
            if what in data:
                found.add(name)
if "known" not in found:
    sys.exit(f"FAIL: the search does not even find {known!r}")
if found != {"known"}:
    sys.exit(f"FAIL: in telepay's memory: {', '.join(sorted(found))}")
