"""A browser without a window, in the guest: opens pages and sends their forms by TLS, as JSON on standard input asks.

It trusts one authority, keeps its cookies in a file, and goes where it is sent on to. Says the last page as JSON.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import sys
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

HOST = "127.0.0.1"
PATIENCE_S = 120.0
TOKEN = re.compile(r'name="token" value="([^"]+)"')

Answer = tuple[http.client.HTTPResponse, bytes]


class Browser:
    def __init__(self, jar: Path, authority: str) -> None:
        self.jar = jar
        self.trust = ssl.create_default_context(cafile=authority)
        self.cookies: dict[str, str] = json.loads(jar.read_text()) if jar.exists() else {}

    def ask(self, method: str, path: str, *, body: str | None = None, headers: dict[str, str]) -> Answer:
        sent = {**headers, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        connection = http.client.HTTPSConnection(HOST, context=self.trust, timeout=PATIENCE_S)
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, cookie in SimpleCookie(line).items():
                self.cookies[name] = cookie.value
                if cookie["max-age"] == "0" or not cookie.value:
                    del self.cookies[name]
        self.jar.write_text(json.dumps(self.cookies))
        return answer, data

    def open(self, path: str, headers: dict[str, str]) -> Answer:
        answer, data = self.ask("GET", path, headers=headers)
        return self.open(answer.headers["Location"], headers) if answer.status == 303 else (answer, data)

    def send(self, path: str, fields: dict[str, object], to: str) -> Answer:
        _, page = self.open(path, {})
        token = TOKEN.search(page.decode())
        if token is None:
            sys.exit(f"there is no form at {path}: {page.decode()}")
        body = urlencode({**fields, "token": token[1]}, doseq=True)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}"}
        answer, data = self.ask("POST", to, body=body, headers=form)
        return self.open(answer.headers["Location"], {}) if answer.status == 303 else (answer, data)


asked = json.load(sys.stdin)
browser = Browser(Path(asked["jar"]), asked["authority"])
if asked["fields"] is None:
    last, shown = browser.open(asked["path"], asked["headers"])
else:
    last, shown = browser.send(asked["path"], asked["fields"], asked["to"])
if asked["save"]:
    Path(asked["save"]).write_bytes(shown)
told = {
    "status": last.status,
    "headers": {name.lower(): value for name, value in last.getheaders()},
    "text": "" if asked["save"] else shown.decode(errors="replace"),
}
print(json.dumps(told))
