"""Makes the reader: its modules, style and page become one HTML file that asks nobody for anything.

esbuild bundles the modules with what the lock file says of npm's packages; the rest is put together here. The same
sources give the same bytes everywhere, so that anybody can make the reader again and compare: its SHA-256 is beside it.
The page's policy names its script and its style by their digests: nothing else runs in it.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

from provisioning.errors import OutputError, UsageError
from provisioning.reader import DIGEST_NAME, FOLDER, READER_NAME

# Where the page may send to is narrowed to the kit's boxes as soon as there is one (src/clinic.js).
_POLICY: Final = (
    "default-src 'none'",
    "script-src {script}",
    "style-src {style}",
    "connect-src https: http://localhost:* http://127.0.0.1:*",
    "media-src blob:",
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
_BUNDLE: Final = ("--bundle", "--format=iife", "--minify", "--target=es2022", "--legal-comments=none")
_LICENCE: Final = re.compile(r"licen[cs]e(\.md|\.txt)?", re.IGNORECASE)


def make_reader(folder: Path = FOLDER) -> bytes:
    """The reader, made of the sources in ``folder``; what they need of npm is fetched if it is not there.

    Raises:
        UsageError: there are no sources, or no npm.
        OutputError: npm or esbuild does not do its part.
    """
    if not (folder / "src" / "main.js").is_file():
        raise UsageError(
            "the reader's sources are not here", "build it in a checkout; `reader save` gives the built one"
        )
    fetch_packages(folder)
    esbuild = folder / "node_modules" / ".bin" / "esbuild"
    script = _run(esbuild, "src/main.js", *_BUNDLE, here=folder).strip()
    style = _run(esbuild, "src/style.css", "--bundle", "--minify", here=folder).strip()
    page = (folder / "src" / "page.html").read_text(encoding="utf-8")
    policy = "; ".join(_POLICY).format(script=_source(script), style=_source(style))
    values = {"POLICY": policy, "STYLE": style, "SCRIPT": script, "LICENCES": _licences(folder)}
    return re.sub(r"@([A-Z]+)@", lambda mark: values[mark[1]], page).encode()


def write_reader(reader: bytes, folder: Path) -> str:
    """Write the reader and its digest; the digest."""
    digest = sha256(reader).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / READER_NAME).write_bytes(reader)
        (folder / DIGEST_NAME).write_text(f"{digest}  {READER_NAME}\n", encoding="ascii")
    except OSError as problem:
        raise OutputError(f"the reader cannot be written: {problem.strerror}", "choose another folder") from problem
    return digest


def fetch_packages(folder: Path) -> None:
    """What the lock file names, by its digests; nothing of it is run but esbuild."""
    lock, done = folder / "package-lock.json", folder / "node_modules" / ".lock-digest"
    key = sha256(lock.read_bytes()).hexdigest()
    if done.is_file() and done.read_text(encoding="ascii") == key:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise UsageError("the reader is built with npm, and there is none", "install what Debian calls npm")
    _run(Path(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", here=folder)
    done.write_text(key, encoding="ascii")


def _run(program: Path, *words: str, here: Path) -> str:
    run = subprocess.run([program, *words], cwd=here, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode:
        raise OutputError(f"{program.name} failed: {run.stderr.strip()[-2000:]}", "mend that, and try again")
    return run.stdout


def _source(text: str) -> str:
    """How a policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _licences(folder: Path) -> str:
    """The licences of what was bundled, word for word."""
    found: list[str] = []
    for package in sorted((folder / "node_modules").glob("**/package.json")):
        name = package.parent.relative_to(folder / "node_modules").as_posix()
        if name.count("/") > name.startswith("@") or name.startswith(("esbuild", "@esbuild")):
            continue
        licences = [path for path in sorted(package.parent.iterdir()) if _LICENCE.fullmatch(path.name)]
        found.extend(f"{name}\n\n{path.read_text(encoding='utf-8').strip()}" for path in licences)
    return "\n\n".join(found).replace("--", "- -")
