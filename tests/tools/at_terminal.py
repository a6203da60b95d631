#!/usr/bin/env python3
"""at_terminal.py TEXT ANSWER… -- COMMAND…: runs COMMAND at a terminal of its own, whose person waits for each TEXT and then types its ANSWER. Prints what the
terminal showed; exits as COMMAND does, or with 99 when a TEXT never came."""
import os
import pty
import select
import sys
import time

split = sys.argv.index("--")
dialogue, command = sys.argv[1:split], sys.argv[split + 1:]
process, terminal = pty.fork()
if process == 0:
    os.execvp(command[0], command)
shown, looked, end = b"", 0, time.monotonic() + 20
while time.monotonic() < end:
    if dialogue and dialogue[0].encode() in shown[looked:]:
        looked = len(shown)
        time.sleep(0.2)  # people type after they read
        os.write(terminal, dialogue[1].encode())
        del dialogue[:2]
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # nobody has it open any more
            break
        if not piece:
            break
        shown += piece
sys.stdout.write(shown.decode(errors="replace"))
if dialogue:
    print(f"\nnever came: {dialogue[0]}")
    sys.exit(99)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
