#!/usr/bin/env python3
"""pinentry_double.py FOLDER: a person at a window, in the Assuan protocol of pinentry. What they are shown is written to FOLDER/shown, a line a command; what
they do is in FOLDER/does, read at each question: CONFIRM and GETPIN, each with yes, no, late (a timeout), dies, waits, or a PIN, as "CONFIRM yes"; where there is a line CODE, it
is for the code of a key."""
import os
import sys
import time
import urllib.parse

CANCELLED, TIMED_OUT, NOT_CONFIRMED = 83886179, 83886142, 83886194  # GPG_ERR_SOURCE_PINENTRY and the code
folder = sys.argv[1]
shown = open(os.path.join(folder, "shown"), "a", buffering=1)


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


times = {"CONFIRM": 0, "GETPIN": 0}
prompt = ""


def person(question):
    times[question] += 1
    while True:
        with open(os.path.join(folder, "does")) as f:
            lines = dict(line.split() for line in f)
        does = lines["CODE" if question == "GETPIN" and prompt.startswith("Code") and "CODE" in lines else question].split(",")
        if does != ["waits"]:
            return does[min(times[question], len(does)) - 1]
        time.sleep(0.05)


def answer(question):
    does = person(question)
    if does == "dies":
        os._exit(3)
    if does == "no":
        say(f"ERR {NOT_CONFIRMED if question == 'CONFIRM' else CANCELLED} Operation cancelled <Pinentry>")
    elif does == "late":
        say(f"ERR {TIMED_OUT} Timeout <Pinentry>")
    else:
        if question == "GETPIN":
            say("D " + does)
        say("OK")


say("OK Pleased to meet you, process " + str(os.getpid()))
for line in sys.stdin:
    command, _, text = line.rstrip("\n").partition(" ")
    shown.write(f"{command} {urllib.parse.unquote(text)!r}\n")
    if command == "SETPROMPT":
        prompt = text
    if command in ("CONFIRM", "GETPIN"):
        answer(command)
    else:
        say("OK")
    if command == "BYE":
        break
