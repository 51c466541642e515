"""The therapist's card: every face and tone of the panel, drawn from the box's own table, and what the buttons do."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from device.panel_language import notes
from device.session_events import Tone
from provisioning.papers.consent_text import numbers
from provisioning.papers.drawing import face_svg, tone_svg
from provisioning.papers.faces import faces
from provisioning.papers.page import page
from provisioning.papers.texts import spoken, text

BUTTONS: Final = ("consent", "consent_hold", "record", "record_hold", "both")

_STYLE: Final = """\
.how { margin: 0 0 1mm; font-size: 7.6pt }
.faces { columns: 2; column-gap: 4mm }
.faces > div { display: grid; grid-template-columns: 23mm 1fr; gap: 1.6mm; align-items: center; break-inside: avoid;
 border-top: .15mm solid #aaa; padding: .9mm 0; font-size: 7.6pt; line-height: 1.14 }
.face { width: 23mm }
.tones { display: grid; grid-template-columns: repeat(4, 1fr); gap: .8mm 3mm; font-size: 7.6pt; line-height: 1.1 }
.tone { width: 100%; height: 5mm }
dl { display: grid; grid-template-columns: 30mm 1fr; gap: .4mm 2mm; margin: .5mm 0 0; font-size: 7.8pt;
 line-height: 1.14 }
dt { font-weight: bold } dd { margin: 0 }"""


def therapist_card(asked: str) -> str:
    """It as HTML, in the language asked for, or in English. It is the same for every clinic."""
    language = spoken(asked)
    body = "\n".join(
        (
            f"<p>{_says(language, 'therapist.order')}</p>",
            f"<h2>{_says(language, 'therapist.faces')}</h2>",
            f'<p class="how">{_says(language, "therapist.faces.how")}</p>',
            '<div class="faces">',
            *_faces(language),
            "</div>",
            f"<h2>{_says(language, 'therapist.tones')}</h2>",
            '<div class="tones">',
            *_tones(language),
            "</div>",
            f"<h2>{_says(language, 'therapist.buttons')}</h2>",
            "<dl>",
            *_buttons(language),
            "</dl>",
        )
    )
    return page(asked, title=text(language, "therapist.title"), body=body, style=_STYLE)


def _faces(language: str) -> Iterator[str]:
    for shown in faces():
        name = _says(language, f"face.{shown.name}")
        drawn = face_svg(shown.face, says=name)
        yield f"<div>{drawn}<p><strong>{name}</strong><br>{_says(language, f'face.{shown.name}.do')}</p></div>"


def _tones(language: str) -> Iterator[str]:
    for tone in Tone:
        says = _says(language, f"tone.{tone}")
        yield f"<div>{tone_svg(notes(tone), says=says)}<p>{says}</p></div>"


def _buttons(language: str) -> Iterator[str]:
    for button in BUTTONS:
        yield f"<dt>{_says(language, f'button.{button}')}</dt><dd>{_says(language, f'button.{button}.do')}</dd>"


def _says(language: str, key: str) -> str:
    return escape(text(language, key, **numbers()))
