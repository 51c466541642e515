"""People at the page of a box: from within the guest, as it has no other network, but by TLS and through its nginx."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.appliance.box import AUTHORITY, CONFIG, Box
from tests.people.persons import PASSWORD, code_for

_BROWSE: Final = (Path(__file__).parent / "scripts" / "browse.py").read_bytes()
_PYTHON: Final = "/opt/sotto/bin/python"
_SECRET: Final = re.compile(r'<code class="letters">([A-Z2-7 ]+)</code>')
_INVITED: Final = re.compile(r'<p class="code-large" role="status"><code>([^<]+)</code>')


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser was shown at last; headers by lower-case name."""

    status: int
    headers: dict[str, str]
    text: str


class Visitor:
    """Somebody with a browser that keeps its cookies."""

    def __init__(self, box: Box, login: str) -> None:
        self.login = login
        self._agent = box.agent
        self._agent.put("/run/browse.py", _BROWSE)

    def open(self, path: str, *, save: str = "", **headers: str) -> Page:
        """Open a page. ``save``: where in the guest what is shown goes."""
        return self._ask(path, save=save, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def send(self, path: str, *, to: str = "", **fields: object) -> Page:
        """Send the form of the page at ``path``; ``to``: of several there, the one that goes there."""
        return self._ask(path, fields=fields, to=to or path)

    def become_first_admin(self) -> None:
        """With the one-time code that is made on the box."""
        code = self._agent.sh(f"/opt/sotto/bin/sotto first-admin --config {CONFIG}").strip()
        self._join("/first-admin", code, name=self.login.title(), login=self.login)

    def invite(self, login: str, role: str) -> str:
        """As an admin: a code for somebody new."""
        shown = self.send("/persons/new", name=login.title(), login=login, role=role)
        return _found(_INVITED, shown)

    def accept(self, code: str) -> None:
        """With a code from an admin."""
        self._join("/welcome", code)

    def _join(self, path: str, code: str, **more: str) -> None:
        """Choose a password, then set up an app."""
        shown = self.send(path, code=code, password=PASSWORD, password_again=PASSWORD, **more)
        secret = _found(_SECRET, shown).replace(" ", "")
        shown = self.send("/sign-in/app", code=code_for(secret, float(self._agent.sh("date +%s"))))
        assert "recovery codes" in shown.text, shown

    def _ask(
        self,
        path: str,
        *,
        fields: dict[str, object] | None = None,
        to: str = "",
        save: str = "",
        headers: dict[str, str] | None = None,
    ) -> Page:
        asked = {
            "jar": f"/run/cookies-{self.login}",
            "authority": AUTHORITY,
            "path": path,
            "fields": fields,
            "to": to,
            "save": save,
            "headers": headers or {},
        }
        done = self._agent.run(_PYTHON, "/run/browse.py", given=json.dumps(asked).encode())
        return Page(**json.loads(done.checked()))


def a_therapist(box: Box) -> Visitor:
    """A therapist who is signed in and checked in to the room; the first admin let them in."""
    admin, therapist = Visitor(box, "ada"), Visitor(box, "tom")
    admin.become_first_admin()
    therapist.accept(admin.invite("tom", "therapist"))
    shown = therapist.send("/", to="/duty/in")
    assert shown.status == 200, box.agent.sh("journalctl -b -o cat -u sotto-web.service | tail -60")
    return therapist


def _found(pattern: re.Pattern[str], page: Page) -> str:
    found = pattern.search(page.text)
    assert found, page
    return found[1]
