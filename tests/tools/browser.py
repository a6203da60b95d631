#!/usr/bin/env python3
"""A browser, from a shell: browser.py SESSION COMMAND…, over WebDriver (W3C) to a chromedriver whose address is in $WEBDRIVER. SESSION is a file that
start makes.

  start [--no-script] [--language=fr] [--width=N] [--dark]    a headless Chromium that takes each certificate
  open URL          click CSS          title          url          quit
  type CSS TEXT     clear CSS          into a field, and all out of it
  text [CSS]        what a person reads there         attribute CSS NAME
  until CSS TEXT    until it reads TEXT               until-url TEXT
  until-gone CSS    width: "PAGE WINDOW" in pixels    shot FILE: the whole page as PNG
  labels            what has no name for a screen reader: one a line"""
import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request

PATIENCE = 20  # seconds that a page may take to say what is waited for
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
UNNAMED = """
const unnamed = e => !(e.labels?.[0]?.innerText || e.getAttribute('alt') || e.getAttribute('aria-label') || e.innerText || '').trim();
const found = [...document.querySelectorAll('a, button, img, input')].filter(unnamed).map(e => e.outerHTML.slice(0, 80));
for (const name of document.querySelectorAll('[aria-labelledby]'))
    if (!document.getElementById(name.getAttribute('aria-labelledby'))) found.push('label of ' + name.tagName);
if (!document.documentElement.lang) found.push('html without lang');
if (!document.querySelector('[role=status]')) found.push('no status');
if (document.querySelectorAll('main').length !== 1 || document.querySelectorAll('h1').length !== 1) found.push('main, h1');
return found.join('\\n');
"""


def call(method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(os.environ["WEBDRIVER"] + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as e:
        value = json.load(e)["value"]
        raise LookupError(f"{value['error']}: {value['message'].splitlines()[0]}") from None


def start(session, words):
    args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1000,900", "--accept-lang=en"]
    mobile, preferences = {}, {}
    for word in words:
        name, _, value = word.partition("=")
        if name == "--language":
            args[-1] = "--accept-lang=" + value
        elif name == "--width":
            mobile = {"mobileEmulation": {"deviceMetrics": {"width": int(value), "height": 740, "pixelRatio": 2.0, "touch": True}}}
        elif name == "--no-script":
            preferences = {"prefs": {"profile.managed_default_content_settings.javascript": 2}}
        elif name == "--dark":
            args.append("--force-dark-mode")
    options = {"args": args, **mobile, **preferences}
    if os.environ.get("CHROMIUM"):
        options["binary"] = os.environ["CHROMIUM"]
    made = call("POST", "/session", {"capabilities": {"alwaysMatch": {"browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options}}})
    with open(session, "w") as f:
        f.write(made["sessionId"])


class Browser:
    def __init__(self, session):
        with open(session) as f:
            self.path = "/session/" + f.read()

    def ask(self, what, body=None):
        return call("GET" if body is None else "POST", self.path + what, body)

    def find(self, css):
        return "/element/" + self.ask("/element", {"using": "css selector", "value": css})[ELEMENT]

    def run(self, script):
        return self.ask("/execute/sync", {"script": script, "args": []})

    def open(self, url):
        self.ask("/url", {"url": url})

    def of(self, css, what, body=None):
        """An element's; a page that reloads itself takes it away, and has it again: nothing was done then."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask(self.find(css) + what, body)
            except LookupError as e:
                if "stale element" not in str(e) or time.monotonic() > end:
                    raise

    def click(self, css):
        self.of(css, "/click", {})

    def type(self, css, text):
        self.of(css, "/value", {"text": text})

    def clear(self, css):
        self.of(css, "/clear", {})

    def title(self):
        return self.ask("/title")

    def url(self):
        return self.ask("/url")

    def text(self, css="body"):
        return self.of(css, "/text")

    def attribute(self, css, name):
        return self.of(css, "/attribute/" + name)

    def wait(self, look, wanted):
        end = time.monotonic() + PATIENCE
        seen = None
        while time.monotonic() < end:
            try:
                seen = look()
            except LookupError as e:  # a page on its way
                seen = str(e)
            if wanted(seen):
                return
            time.sleep(0.05)
        sys.exit(f"browser.py: never so, but {seen!r} at {self.url()}: {self.text()}")

    def until(self, css, text):
        self.wait(lambda: self.text(css), lambda seen: text in seen)

    def until_url(self, text):
        self.wait(self.url, lambda seen: text in seen)

    def until_gone(self, css):
        self.wait(lambda: self.find(css), lambda seen: "no such element" in seen)

    def width(self):
        return "{} {}".format(*self.run("return [document.documentElement.scrollWidth, innerWidth]"))

    def labels(self):
        return self.run(UNNAMED)

    def shot(self, file):
        sizes = self.ask("/goog/cdp/execute", {"cmd": "Page.getLayoutMetrics", "params": {}})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": sizes["width"], "height": sizes["height"], "scale": 1}
        taken = self.ask("/goog/cdp/execute", {"cmd": "Page.captureScreenshot", "params": {"format": "png", "captureBeyondViewport": True, "clip": clip}})
        with open(file, "wb") as f:
            f.write(base64.b64decode(taken["data"]))

    def quit(self):
        call("DELETE", self.path)


def main():
    session, command, *words = sys.argv[1:]
    if command == "start":
        start(session, words)
        return
    try:
        said = getattr(Browser(session), command.replace("-", "_"))(*words)
    except LookupError as e:
        sys.exit(f"browser.py: {command} {' '.join(words)}: {e}")
    if said is not None:
        print(said)


main()
