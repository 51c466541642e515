"""What all papers are: one HTML page for one side of A5, with everything in it and nothing fetched from anywhere."""

from __future__ import annotations

from html import escape
from typing import Final

from provisioning.papers.texts import NOT_YET, spoken

_PAGE: Final = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
@page {{ size: A5; margin: 0 }}
html {{ -webkit-print-color-adjust: exact; print-color-adjust: exact }}
body {{ box-sizing: border-box; width: 148mm; min-height: 209mm; margin: 0; padding: 7mm 8mm; color: #000;
 background: #fff; font: 8.4pt/1.22 "Liberation Sans", Arial, Helvetica, sans-serif; hyphens: auto }}
h1 {{ font-size: 14pt; line-height: 1.1; margin: 0 0 1mm }}
h2 {{ font-size: 9.4pt; margin: 1.6mm 0 .4mm }}
p {{ margin: 0 }}
svg {{ display: block }}
.not-yet {{ border: .3mm solid #000; padding: .5mm 2mm; margin: 0 0 1mm; font-size: 7.4pt }}
{style}
</style>
</head>
<body>
{not_yet}<h1>{title}</h1>
{body}
</body>
</html>
"""


def page(asked: str, *, title: str, body: str, style: str) -> str:
    """It as HTML. ``asked``: the language that was asked for; the paper says so where there is none in it.

    ``title`` is text; ``body`` is HTML already.
    """
    language = spoken(asked)
    missing = asked.partition("-")[0] != language
    line = f'<p class="not-yet">{escape(NOT_YET.format(language=asked))}</p>\n' if missing else ""
    return _PAGE.format(language=language, title=escape(title), style=style, not_yet=line, body=body)
