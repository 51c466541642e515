"""The client's card: the consent text of the clinic in one language, with what the panel shows for each choice."""

from __future__ import annotations

from html import escape
from typing import Final

from device.panel_language import face_of
from device.session_events import State
from device.words import Consent
from provisioning.clinic_file import ClinicFile
from provisioning.papers.consent_text import client_text, decided
from provisioning.papers.drawing import face_svg
from provisioning.papers.kept_texts import KeptText
from provisioning.papers.page import page
from provisioning.papers.texts import spoken, text

_SEEN: Final = (
    face_of(State.ARMED, Consent.SOUND),
    face_of(State.ARMED, Consent.SOUND_AND_PICTURE),
    face_of(State.RECORDING, Consent.NONE),
)
_DIGITS: Final = 4

_STYLE: Final = """\
body { font-size: 8.8pt; line-height: 1.2; display: flex; flex-direction: column }
.sees { display: grid; grid-template-columns: repeat(3, 1fr); gap: 3mm; margin: 2mm 0 0; text-align: center }
.face { width: 34mm; margin: 0 auto .5mm }
h2 { margin-top: 1.7mm }
footer { margin-top: auto; padding-top: 1.5mm; font-size: 6.2pt; line-height: 1.3; hyphens: none;
 overflow-wrap: anywhere }"""


def client_card(book: ClinicFile, asked: str, kept: KeptText) -> str:
    """It as HTML, in the language asked for, or in English. ``kept``: the text of which this is a part.

    Raises:
        UsageError: the clinic's file has no policy or no name yet.
    """
    language = spoken(asked)
    said = client_text(book, language)
    seen = "".join(
        f"<div>{face_svg(face, says=escape(says), strips=False)}<p>{escape(says)}</p></div>"
        for face, says in zip(_SEEN, said.sees, strict=True)
    )
    sections = [
        f"<h2>{escape(section.heading)}</h2>\n<p>{escape(' '.join(section.sentences))}</p>" for section in said.sections
    ]
    digest = " ".join(kept.sha256[at : at + _DIGITS] for at in range(0, len(kept.sha256), _DIGITS))
    foot = text(language, "client.foot", version=kept.version, clinic=decided(book)[1], digest=digest)
    body = [f"<p>{escape(said.intro)}</p>", f'<div class="sees">{seen}</div>', *sections]
    return page(asked, title=said.title, body="\n".join([*body, f"<footer>{escape(foot)}</footer>"]), style=_STYLE)
