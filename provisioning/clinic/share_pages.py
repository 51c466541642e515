"""A share on paper: words in a numbered table, the same as a QR code, and what to do with it. A home of ``segno``.

One HTML page a share, with nothing in it that is fetched from anywhere: any browser prints it without a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final

import segno

_QUIET_MODULES: Final = 4  # ISO/IEC 18004, section 6.3.8
_COLUMNS: Final = 3

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Recovery: {name}</title>
<style>
@page {{ size: A5; margin: 12mm }}
body {{ font: 10pt/1.35 sans-serif; color: #000; background: #fff }}
h1 {{ font-size: 15pt; margin: 0 0 2mm }}
table {{ border-collapse: collapse; font: 11pt/1.5 monospace; margin: 3mm 0 }}
td {{ padding: 0 6mm 0 0 }}
td span {{ color: #555; font-size: 8pt }}
svg {{ float: right; width: 42mm; height: 42mm }}
</style>
</head>
<body>
<h1>Recovery: {name}</h1>
{code}
<p><strong>{need} of these {count} papers together open every recording of the clinic; fewer open nothing.</strong>
Keep this one in a safe place apart from the others, with somebody who holds no other. Copy it into no computer, and
photograph it with none.</p>
<table>
{rows}
</table>
<p>Key id: <code>{key_id}</code> ({kind}, made {made}).
When it is needed: on a computer without a network, <code>sotto-clinic recovery join</code>, and type the words of
{need} papers.
The words are SLIP-39: other programs that know it join them as well.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Paper:
    """One share, and what stands around it."""

    name: str
    share: str
    need: int
    count: int
    key_id: str
    kind: str
    made: str


def page(paper: Paper) -> str:
    """It as HTML, to print."""
    words = paper.share.split()
    height = -(-len(words) // _COLUMNS)
    rows = [
        "<tr>" + "".join(_cell(number, words) for number in range(row, len(words), height)) + "</tr>"
        for row in range(height)
    ]
    return _PAGE.format(
        name=escape(paper.name),
        code=_code(paper.share).svg_inline(border=_QUIET_MODULES, dark="#000", light="#fff", omitsize=True),
        need=paper.need,
        count=paper.count,
        rows="\n".join(rows),
        key_id=escape(paper.key_id),
        kind=escape(paper.kind),
        made=escape(paper.made),
    )


def lines(paper: Paper) -> list[str]:
    """It as text, to write down by hand."""
    words = paper.share.split()
    height = -(-len(words) // _COLUMNS)
    told = [f"Recovery: {paper.name}", f"{paper.need} of {paper.count} open all; key id {paper.key_id}", ""]
    columns = [range(row, len(words), height) for row in range(height)]
    return told + ["   ".join(f"{at + 1:2} {words[at]:<10}" for at in column).rstrip() for column in columns]


def _cell(number: int, words: list[str]) -> str:
    return f"<td><span>{number + 1}</span> {escape(words[number])}</td>"


def _code(share: str) -> segno.QRCode:
    """Capitals and spaces alone take fewer squares (ISO/IEC 18004, 7.3.4), so that a bad printer does, too."""
    return segno.make(share.upper(), error="m", micro=False)
