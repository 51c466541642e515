"""People of a clinic, and their programs: each signs in with a key of its own, as the clinic's program does."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from device.age.identities import X25519Identity
from device.people.people import People
from device.people.person import Person, Role
from device.web.api import PREFIX
from provisioning.key_login import answer_challenge
from tests.web.conftest import FINGERPRINT


def identity_of(login: str) -> X25519Identity:
    """The key that belongs to that login."""
    return X25519Identity(sha256(login.encode()).digest())


def person(login: str, *roles: Role, supervisees: tuple[str, ...] = ()) -> Person:
    """Somebody with a key, and a mark that is made of the login."""
    return Person(
        mark=mark_of(login),
        login=login,
        name=f"<b>{login}</b>",
        roles=frozenset(roles),
        recipient=str(identity_of(login).recipient()),
        supervisees=frozenset(map(mark_of, supervisees)),
    )


def mark_of(login: str) -> str:
    return sha256(b"mark of " + login.encode()).hexdigest()[:12]


EVERYBODY = (
    person("one", Role.THERAPIST),
    person("other", Role.THERAPIST),
    person("over-one", Role.SUPERVISOR, supervisees=("one",)),
    person("admin", Role.ADMIN),
)


def settle(people: People) -> None:
    """A clinic of two therapists, a supervisor of one of them, and an admin."""
    for one in EVERYBODY:
        people.put(one)


@dataclass
class Program:
    """Somebody's program."""

    client: FlaskClient
    login: str
    token: str = field(default="", repr=False)

    def challenge(self) -> dict[str, Any]:
        answer = self.client.post(f"{PREFIX}/challenges", json={"login": self.login})
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def answer_to(self, challenge: dict[str, Any]) -> dict[str, str]:
        """What proves whose program this is."""
        sealed = b64decode(challenge["sealed"], validate=True)
        answer = answer_challenge(sealed, [identity_of(self.login)], device=FINGERPRINT)
        return {"challenge": challenge["id"], "answer": answer}

    def sign_in(self) -> Program:
        granted = self.client.post(f"{PREFIX}/tokens", json=self.answer_to(self.challenge()))
        assert granted.status_code == 201, granted.text
        self.token = granted.get_json()["token"]
        return self

    @property
    def shown(self) -> dict[str, str]:
        """What it shows with each request."""
        return {"Authorization": f"Bearer {self.token}"}

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        return self.client.open(PREFIX + path, method=method, headers={**self.shown, **(headers or {})}, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)
