"""The pictures in the README, made from the table itself, so that they cannot say anything else.

Pure: text is returned, nothing is printed.
"""

from __future__ import annotations

from device.panel_language import Face, Lamp, Pattern, face_of, notes
from device.session import TABLE, Row
from device.session_context import Kind
from device.session_events import State, Tone
from device.session_rules import Say, bookmark
from device.words import Consent

_WHOLE = {
    "CONSENT": (Kind.CONSENT_DOWN, Kind.CONSENT_PRESS, Kind.CONSENT_HOLD),
    "RECORD": (Kind.RECORD_DOWN, Kind.RECORD_PRESS, Kind.RECORD_HOLD),
}
_CHOOSERS = (State.CHOOSING, State.ARMED)


def mermaid() -> str:
    """The table as a Mermaid ``stateDiagram-v2``: one edge per pair of states.

    What is ignored is left out, and so is what a state only takes note of.
    """
    edges: dict[tuple[State, State], list[Row]] = {}
    for row in TABLE:
        if row.next_state is not row.state or _shows(row):
            edges.setdefault((row.state, row.next_state), []).append(row)
    lines = ["stateDiagram-v2", f"    [*] --> {State.IDLE}"]
    for (state, next_state), rows in sorted(edges.items(), key=lambda edge: _order(*edge[0])):
        lines.append(f"    {state} --> {next_state} : {'<br/>'.join(_labels(rows))}")
    return "\n".join(lines) + "\n"


def panel_table() -> str:
    """What can be seen in every state, as a Markdown table."""
    lines = ["| state | room light | lamp at CONSENT | lamp at RECORD | heard on the way in |", "|---|---|---|---|---|"]
    for state in State:
        for choice in Consent if state in _CHOOSERS else (Consent.NONE,):
            if (state, choice) == (State.ARMED, Consent.NONE):
                continue
            name = f"{state}: {choice.replace('_', ' ')}" if state in _CHOOSERS else str(state)
            lines.append(f"| {name} | {_seen(face_of(state, choice))} | {_heard(state)} |")
        if state is State.ARMED:
            seen = _seen(face_of(state, Consent.SOUND, scant=True))
            lines.append(f"| {state}: sound, no room for a picture | {seen} | {_heard(state)} |")
    return "\n".join(lines) + "\n"


def tone_table() -> str:
    """What can be heard, as a Markdown table."""
    lines = ["| tone | Hz × ms |", "|---|---|"]
    for tone in Tone:
        melody = ", ".join(f"{note.hz} × {note.ms}" if note.hz else f"silence × {note.ms}" for note in notes(tone))
        lines.append(f"| {tone} | {melody} |")
    return "\n".join(lines) + "\n"


def filled(document: str) -> str:
    """A document with its pictures brought up to date: what stands between ``<!-- made by: sotto diagram NAME -->`` and
    ``<!-- end -->``, for the names ``states``, ``panel`` and ``tones``.
    """
    made = {"states": f"```mermaid\n{mermaid()}```\n", "panel": panel_table(), "tones": tone_table()}
    for name, picture in made.items():
        mark = f"<!-- made by: sotto diagram {name} -->\n"
        head, found, rest = document.partition(mark)
        if found:
            document = head + mark + picture + "<!-- end -->" + rest.partition("<!-- end -->")[2]
    return document


def _order(state: State, next_state: State) -> tuple[int, int]:
    states = list(State)
    return states.index(state), states.index(next_state)


def _shows(row: Row) -> bool:
    return any(isinstance(effect, Say) or effect is bookmark for effect in row.effects)


def _labels(rows: list[Row]) -> list[str]:
    guarded: dict[str, list[Kind]] = {}
    for row in rows:
        guard = "" if row.guard is None else f" [{getattr(row.guard, '__name__', '').replace('_', ' ')}]"
        guarded.setdefault(guard, []).append(row.event)
    return [f"{label}{guard}" for guard, kinds in guarded.items() for label in _merged(kinds)]


def _merged(kinds: list[Kind]) -> list[str]:
    """Whatever a button does the same way, pressed or held, is one word. A colon would end a Mermaid label."""
    labels = []
    for button, whole in _WHOLE.items():
        if all(kind in kinds for kind in whole):
            labels.append(button)
            kinds = [kind for kind in kinds if kind not in whole]
    return labels + [kind.replace(":", "") for kind in dict.fromkeys(kinds)]


def _seen(face: Face) -> str:
    return " | ".join(["steady" if face.room_light else "off", *(_lamp(lamp) for lamp in face.lamps)])


def _lamp(lamp: Lamp) -> str:
    if lamp.pattern is Pattern.OFF:
        return "off"
    return str(lamp.colour) if lamp.pattern is Pattern.STEADY else f"{lamp.colour}, {lamp.pattern}"


def tones_into(state: State) -> tuple[Tone, ...]:
    """What is heard on the way into a state, or when it turns out to be so; in the order of the tones."""
    opened = (State.RECORDING, State.RECORDING, Kind.OPENED)
    entering = [
        row
        for row in TABLE
        if row.next_state is state and (row.state is not state or (row.state, state, row.event) == opened)
    ]
    tones = {effect.tone for row in entering for effect in row.effects if isinstance(effect, Say)}
    return tuple(tone for tone in Tone if tone in tones)


def _heard(state: State) -> str:
    return " or ".join(tones_into(state)) or "–"
