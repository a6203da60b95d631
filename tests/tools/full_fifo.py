#!/usr/bin/env python3
"""full_fifo.py FIFO: a printer that takes nothing more: holds the FIFO open and full until it is killed. Says "full" when it is."""
import os
import signal
import sys

held = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)
try:
    while True:
        os.write(held, bytes(4096))
except BlockingIOError:
    print("full", flush=True)
signal.pause()
