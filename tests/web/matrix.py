"""The permission table as people read it: ``python -m tests.web.matrix`` writes it into docs/permissions.md."""

from __future__ import annotations

import sys
from pathlib import Path

from flask import Flask

from device.people.person import Role
from device.web.permissions import PERMISSIONS, On, Rule, Strangers
from device.web.visitor import By

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"
BEGIN, END = "<!-- made by: python -m tests.web.matrix -->\n", "<!-- end -->\n"
_OBJECT = {
    On.NOTHING: "–",
    On.OWN: "own only",
    On.FACTS: "recordings whose facts they see",
    On.RECORDING: "recordings whose content they see",
    On.ROOM: "unless another therapist is checked in",
    On.CAMERA: "if checked in to the room",
}
_STRANGER = {Strangers.NEVER: "–", Strangers.IN_A_DEMO: "in a demo", Strangers.ALWAYS: "yes"}


def table(app: Flask) -> str:
    """One line for each route, as Markdown."""
    ways = [f"| route | {' | '.join(Role)} | by page | by program | in the kiosk | strangers | which |"]
    ways.append("|---" * 9 + "|")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        methods = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        ways.append(f"| `{methods} {rule.rule}` | {_cells(PERMISSIONS[rule.endpoint])} |")
    return "\n".join(ways) + "\n"


def _cells(rule: Rule) -> str:
    roles = [_yes(role in rule.roles or rule.strangers is Strangers.ALWAYS) for role in Role]
    ways = [_yes(way in rule.by) for way in (By.PAGE, By.PROGRAM, By.KIOSK)]
    return " | ".join([*roles, *ways, _STRANGER[rule.strangers], _OBJECT[rule.on]])


def _yes(said: bool) -> str:  # noqa: FBT001  # a cell
    return "yes" if said else "–"


def filled(document: str, app: Flask) -> str:
    """The document with its table up to date."""
    head, _, rest = document.partition(BEGIN)
    return head + BEGIN + table(app) + END + rest.partition(END)[2]


def main() -> None:
    from tests.web.conftest import app_of_nobody

    with app_of_nobody() as app:
        DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), app), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}\n")


if __name__ == "__main__":
    main()
