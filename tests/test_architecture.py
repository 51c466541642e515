"""The floors of the house (ARCHITECTURE, section 5): imports point down, every vendor library has one home.

Everything is read from the source with ``ast``, so a module counts even where its vendor library is not installed.
Imports under ``TYPE_CHECKING`` and inside functions count like all others: they are knowledge, too.
"""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOF = 5

# Module → floor; the first pattern that fits counts. A new module gets its line here.
FLOORS: Mapping[str, int] = {
    # 0, words: what everybody may say
    "device": 0,
    "device.capture": 0,
    "device.check": 0,
    "device.words": 0,
    "device.errors": 0,
    "device.digests": 0,
    "device.shapes": 0,
    "device.shape_faults": 0,
    "device.shape_schemas": 0,
    "device.clock": 0,
    "device.capture.packets": 0,
    "device.capture.boxes": 0,
    # 1, pure: decides from its arguments alone; and small tools that wrap a system call or two
    "device.announcing": 1,
    "device.arguments": 1,
    "device.belonging": 1,
    "device.datagrams": 1,
    "device.durable": 1,
    "device.claim": 1,
    "device.erasing": 1,
    "device.clinic_list": 1,
    "device.clinic_people": 1,
    "device.roster": 1,
    "device.orders": 1,
    "device.fleet_status": 1,
    "device.order_results": 1,
    "device.exchange": 1,
    "device.idling": 3,
    "device.applying_services": 1,
    "device.applying_kinds": 1,
    "device.applying": 1,
    "device.apply_verb": ROOF,
    "device.lived": 1,
    "device.overwriting": 1,
    "device.retention": 1,
    "device.sync_queue": 1,
    "device.sync_schedule": 1,
    "device.stills": 1,
    "device.tls_certificate": 1,
    "device.tls_series": 1,
    "device.notify": 1,
    "device.journal": 1,
    "device.secrecy": 1,
    "device.thrift": 1,
    "device.rename_new": 1,
    "device.setting_aside": 1,
    "device.sftp_packets": 1,
    "device.sftp_session": 1,
    "device.ssh_reasons": 1,
    "device.underway": 1,
    "device.updating": 1,
    "device.updating_order": 1,
    "device.updating_trial": 1,
    "device.capture.backlog": 1,
    "device.capture.facts": 1,
    "device.capture.ladder": 1,
    "device.capture.needs": 1,
    "device.capture.sensor": 1,
    "device.capture.wav": 1,
    "device.config": 1,
    "device.config_*": 1,
    "device.check.finding": 1,
    "device.check.decibels": 1,
    "device.check.ear": 1,
    "device.check.hum": 1,
    "device.check.voice": 1,
    "device.check.sound": 1,
    "device.check.delivered": 1,
    "device.check.clap": 1,
    "device.session*": 1,
    "device.press": 1,
    "device.panel_language": 1,
    "device.glimpse": 1,
    "device.recording": 1,
    "device.recording.*": 1,
    "device.measures": 1,
    "device.measures.*": 1,
    "device.people": 1,
    "device.people.person": 1,
    "device.people.refused": 1,
    "device.people.visit": 1,
    "device.people.secret": 1,
    "device.people.schema": 1,
    "device.people.database": 1,
    "device.people.challenge": 1,
    "device.people.passwords": 1,
    "device.people.second_factor": 1,
    "device.people.passkeys": 1,
    "device.people.register": 2,
    "device.people.sessions": 2,
    "device.people.codes": 2,
    "device.people.duty": 2,
    "device.people.factors": 2,
    "device.people.failures": 1,
    "device.people.browsers": 2,
    "device.people.first_admin": 2,
    "device.people.*": 3,
    "device.age": 1,
    "device.age.*": 1,
    # 2, ledgers: what the processes of a box leave for each other; and what every panel and remote keeps to
    "device.store": 2,
    "device.remembering": 3,
    "device.clinic_shelf": 2,
    "device.roster_shelf": 3,
    "device.audit": 2,
    "device.audit_requests": 2,
    "device.status": 2,
    "device.proving": 2,
    "device.requests": 2,
    "device.sync_requests": 2,
    "device.naming_requests": 2,
    "device.waiting": 3,
    "device.counts": 2,
    "device.wishes": 3,
    "device.sync_status": 2,
    "device.room": 2,
    "device.devicekey": 2,
    "device.remote": 2,
    "device.sftp_files": 2,
    "device.ssh_channel": 2,
    "device.panel": 2,
    # 3, edges: one device, one server, one library or one file each, unaware of one another
    "device.panel_contacts": 3,
    "device.panel_gpio": 3,
    "device.panel_simulated": 3,
    "device.remote_s3": 3,
    "device.s3_upload": 2,
    "device.s3_erasing": 2,
    "device.s3_*": 1,
    "device.remote_sftp": 3,
    "device.remote_folder": 3,
    "device.recovery": 3,
    "device.updating_shelf": 3,
    "device.updating_box": 3,
    "device.updating_settle": 4,
    "device.retaining": 3,
    "device.sealed_file": 3,
    "device.attachments": 3,
    "device.sync_control": 3,
    "device.capture.native": 1,
    "device.capture.sample_clock": 1,
    "device.capture.promptness": 1,
    "device.capture.sound_cards": 1,
    "device.capture.alsa": 3,
    "device.capture.failover": 3,
    "device.capture.microphone": 2,
    "device.capture.camera*": 3,
    "device.capture.encoder": 3,
    "device.capture.machine": 3,
    "device.capture.picture": 3,
    "device.capture.mux": 3,
    "device.capture.sealer": 3,
    "device.capture.meter": 3,
    "device.capture.simulated": 3,
    # 4, services: one process each
    "device.capture.auditor": 4,
    "device.capture.diary": 4,
    "device.capture.trail": 4,
    "device.capture.health": 4,
    "device.capture.readmodel": 4,
    "device.capture.pipeline": 4,
    "device.capture.feeds": 4,
    "device.capture.picture_side": 4,
    "device.capture.keeper": 4,
    "device.capture.putting_in_order": 4,
    "device.capture.writer": 4,
    "device.capture.take": 4,
    "device.capture.upkeep": 4,
    "device.capture.framing": 4,
    "device.capture.recorder*": 4,
    "device.capture.service": 4,
    "device.check.verb": ROOF,
    "device.check.*": 4,
    "device.sync": 4,
    "device.sync.*": 4,
    "device.capture.receipts": 4,
    "device.capture.beside": 4,
    "device.capture.counting": 4,
    "device.capture.desk": 4,
    "device.capture.duty": 4,
    "device.capture.places": 4,
    "device.capture.waiting": 4,
    "device.web": 4,
    "device.web.*": 4,
    # the roof: the only place that builds concrete things
    "device.__main__": ROOF,
    "device.audit_verb": ROOF,
    "device.cli": ROOF,
    "device.camera_verb": ROOF,
    "device.capture_verb": ROOF,
    "device.compose": ROOF,
    "device.compose_camera": ROOF,
    "device.compose_people": ROOF,
    "device.demo_people": ROOF,
    "device.people_verb": ROOF,
    "device.demo": ROOF,
    "device.rehearse": ROOF,
    "device.compose_audit": ROOF,
    "device.compose_naming": ROOF,
    "device.compose_proving": ROOF,
    "device.compose_receipts": ROOF,
    "device.compose_upkeep": ROOF,
    "device.compose_remote": ROOF,
    "device.remotes": ROOF,
    "device.measures_verb": ROOF,
    "device.retention_verb": ROOF,
    "device.wishes_verb": ROOF,
    "device.sync_verb": ROOF,
    "device.update_verb": ROOF,
    "device.page_verb": ROOF,
    "device.announce_verb": ROOF,
    "provisioning": ROOF,
    "provisioning.*": ROOF,
}

# Floors on which a module may know its neighbours (never in a circle); on floor 4 only those of its own package.
SIDEWAYS = frozenset({1, ROOF})
SIDEWAYS_IN_PACKAGE = 4
# Below, too, where a package is one thing to those above it: the page is handed its people whole.
TOGETHER = frozenset({"device.people"})
# Edges that know each other all the same, each with its reason.
NEIGHBOURS = {
    ("device.capture.simulated", "device.capture.camera"),  # the same pipe to a child, with another program in it
    ("device.audit", "device.store"),  # a disk that fails is told in the same words, whichever file it was
    ("device.clinic_shelf", "device.store"),  # the same: it keeps what it took beside the recordings
    ("device.sftp_files", "device.remote"),  # what is not there is told in the same words by every remote
    ("device.shapes", "device.shape_faults"),  # the same thing, split where nothing is wrong and where something is
    ("device.shape_schemas", "device.shape_faults"),
    ("device.capture.packets", "device.words"),  # what a camera is told is one of the words
}

# Who may see what, where that is narrower than the floors: importer → everything of the project it may import.
SIGHT: Mapping[str, tuple[str, ...]] = {
    "device.age*": ("device.age*",),
    "device.web*": (
        "device.web*",
        "device.config",
        "device.errors",
        "device.shapes",
        "device.shape_schemas",
        "device.devicekey",
        "device.durable",
        "device.fleet_status",
        "device.orders",
        "device.order_results",
        "device.measures*",
        "device.people*",
        "device.words",
        "device.clock",
        "device.datagrams",
        "device.status",
        "device.sync_status",
        "device.sync_control",
        "device.retention",
        "device.belonging",
        "device.retaining",
        "device.lived",
        "device.audit",
        "device.store",
        "device.remembering",
        "device.glimpse",
        "device.recording*",
        "device.audit_requests",
        "device.counts",
        "device.naming_requests",
        "device.proving",
        "device.requests",
        "device.room",
        "device.roster",
        "device.age.recipients",
        "device.stills",
        "device.tls_certificate",
        "device.tls_series",
        "device.waiting",
        "device.wishes",
    ),
    "provisioning*": (
        "provisioning*",
        "device.words",
        "device.config",
        "device.errors",
        "device.shapes",
        "device.clock",
        "device.remote*",
        "device.recording*",
        "device.age*",
        "device.audit",  # the clinic's desk keeps a log as a box does, with all that it knows of disks
        "device.durable",
        "device.clinic_list",
        "device.clinic_people",
        "device.roster",  # signed here, checked there
        "device.updating",  # what an image says of itself
        "device.orders",  # the same
        "device.fleet_status",  # told there, shown here
        "device.announcing",
        "device.panel_language",  # on paper as in the room: faces, tones, and how long a hand has to hold
        "device.press",
        "device.session_context",
        "device.session_diagram",
        "device.session_events",
        "device.tls_certificate",
        "device.tls_series",
        "device.people.first_admin",  # a card brings the digest of a code
    ),
}

# The box seals and never opens: no module of device outside device.age imports these.
OPENING = ("device.age.identities*", "device.age.opening*", "device.age.passphrase*", "device.age.rewrapping*")

# Vendor library → its home. (ctypes is Python's own, but stands for a C library each time.)
HOMES: Mapping[str, tuple[str, ...]] = {
    "alsaaudio": ("device.capture.alsa",),
    "argon2": ("device.people.passwords",),
    "av": ("device.capture.picture",),
    "cryptography": (
        "device.age.*",
        "device.recording.chain",
        "device.recording.signing",
        "device.store",
        "device.audit",
        "device.devicekey",
        "device.digests",
        "device.tls_certificate",
        "device.clinic_list",
        "device.roster",
        "device.orders",
        "provisioning.*",
    ),
    "ctypes": (
        "device.capture.encoder",
        "device.capture.meter",
        "device.capture.native",
        "device.rename_new",
        "device.secrecy",
        "device.setting_aside",
        "device.thrift",
    ),
    "flask": ("device.web", "device.web.*"),
    "flask_wtf": ("device.web.forms",),
    "gpiod": ("device.panel_contacts",),
    "gpiozero": ("device.panel_gpio",),
    "jinja2": ("device.web", "device.web.*"),
    "libcamera": ("device.capture.camera_picamera2",),
    "msgspec": ("device.shapes", "device.shape_faults", "device.shape_schemas"),
    "picamera2": ("device.capture.camera_picamera2",),
    "markupsafe": ("device.web", "device.web.*"),
    "prometheus_client": ("device.web.fleet.metrics",),
    "pyotp": ("device.people.second_factor",),
    "segno": ("device.web.people.qr", "provisioning.clinic.share_pages"),  # as a page has it; and on paper
    "shamir_mnemonic": ("provisioning.clinic.splitting",),
    "sqlite3": ("device.people.database",),
    "systemd": ("device.notify", "device.journal"),
    "waitress": ("device.web", "device.web.*"),
    "zeroconf": ("provisioning.fleet.finding",),
    "webauthn": ("device.people.passkeys",),
    "werkzeug": ("device.web", "device.web.*"),
}

# Python's own: the standard library, and the type checker's names for it.
PYTHON = sys.stdlib_module_names | {"_typeshed"}

HARDWARE = ("alsaaudio", "gpiod", "gpiozero", "lgpio", "libcamera", "picamera2")
TOO_MUCH_FOR_CAPTURE = (
    "_hashlib",  # a second OpenSSL
    "asyncssh",
    "av",
    "boto3",
    "device.age.identities",
    "flask",
    "importlib.metadata",
    "numpy",
    "pydantic",
    "random",
    "waitress",
)

MODULE_LINES = 400
FUNCTION_LINES = 60


@dataclass(frozen=True)
class Import:
    """One name imported: a module of the project, or the top of somebody else's package."""

    importer: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def sources() -> dict[str, Path]:
    """Every module of device and provisioning by its dotted name."""
    found = {}
    for top in ("device", "provisioning"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


SOURCES = sources()
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in SOURCES.items()}


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in {"device", "provisioning"}


def imported(module: str, tree: ast.AST, known: Mapping[str, object]) -> Iterator[Import]:
    """All imports of a module; ``from package import module`` counts as the module, where there is one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports here are absolute: they can be searched for"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else str(node.module) for name in inside]
        else:
            continue
        for name in dict.fromkeys(names):
            yield Import(module, name if is_ours(name) else name.partition(".")[0], node.lineno)


IMPORTS = [one for module, tree in TREES.items() for one in imported(module, tree, SOURCES)]


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def floor(module: str) -> int | None:
    return next((number for pattern, number in FLOORS.items() if fnmatchcase(module, pattern)), None)


def may_import(importer: str, target: str) -> bool:
    """Whether the floors allow it: down always, sideways on some floors, up never. (Circles are looked for apart.)"""
    above, below = floor(importer), floor(target)
    if above is None or below is None:
        return True  # another test says so
    if above != below:
        return above > below
    if above == SIDEWAYS_IN_PACKAGE:
        return importer.split(".")[:2] == target.split(".")[:2]
    if above == 3 and all(name.rpartition(".")[0] in TOGETHER for name in (importer, target)):
        return True
    return above in SIDEWAYS or (importer, target) in NEIGHBOURS


def circle(imports: list[Import]) -> list[str]:
    """The modules of one import circle, or nothing."""
    graph: dict[str, set[str]] = {}
    for one in imports:
        graph.setdefault(one.importer, set()).add(one.target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def told(wrong: list[Import], rule: str) -> str:
    return "\n".join([rule, *(f"  {one}" for one in wrong)])


def test_every_module_has_a_floor() -> None:
    homeless = [module for module in SOURCES if floor(module) is None]
    assert not homeless, f"no floor for {', '.join(homeless)}: add a line to FLOORS in {Path(__file__).name}"


def test_imports_point_down() -> None:
    wrong = [one for one in IMPORTS if is_ours(one.target) and not may_import(one.importer, one.target)]
    assert not wrong, told(wrong, "imports point down only (FLOORS says which floor a module is on):")


def test_there_is_no_import_circle() -> None:
    found = circle([one for one in IMPORTS if is_ours(one.target)])
    assert not found, f"modules import each other in a circle: {' → '.join(found)}"


@pytest.mark.parametrize("who", SIGHT)
def test_some_see_less_than_their_floor_would_let_them(who: str) -> None:
    ours = [one for one in IMPORTS if fnmatchcase(one.importer, who) and is_ours(one.target)]
    wrong = [one for one in ours if one.target != "device" and not fits(one.target, SIGHT[who])]
    assert not wrong, told(wrong, f"{who} sees only {', '.join(SIGHT[who])}:")


def test_the_box_seals_and_never_opens() -> None:
    outside = [one for one in IMPORTS if fits(one.importer, ("device.*",)) and not fits(one.importer, ("device.age*",))]
    wrong = [one for one in outside if fits(one.target, OPENING)]
    assert not wrong, told(wrong, "the box holds no key that opens what it sealed:")


def test_every_vendor_library_is_imported_in_its_home_only() -> None:
    wrong = [one for one in IMPORTS if one.target in HOMES and not fits(one.importer, HOMES[one.target])]
    assert not wrong, told(wrong, "a vendor library is known in one place (HOMES):")


def test_every_vendor_library_has_a_home() -> None:
    vendors = [one for one in IMPORTS if not is_ours(one.target) and one.target not in PYTHON]
    wrong = [one for one in vendors if one.target not in HOMES]
    assert not wrong, told(wrong, f"a library without a home: add it to HOMES in {Path(__file__).name}:")


def test_modules_stay_small() -> None:
    lines = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in SOURCES.items()}
    large = sorted(((count, module) for module, count in lines.items() if count > MODULE_LINES), reverse=True)
    assert not large, f"over {MODULE_LINES} lines is two ideas: {large}"


def test_functions_stay_small() -> None:
    large = [
        (node.end_lineno - node.lineno + 1, f"{module}:{node.lineno} {node.name}")
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.end_lineno is not None and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert not large, f"over {FUNCTION_LINES} lines: {sorted(large, reverse=True)}"


def loaded_after_importing(modules: list[str], looked_for: tuple[str, ...]) -> str:
    """Which of ``looked_for`` a fresh Python has loaded once it has imported ``modules``, and after which of them."""
    script = (
        "import importlib, sys\n"
        f"left = set({looked_for!r})\n"
        f"for module in {modules!r}:\n"
        "    importlib.import_module(module)\n"
        "    for found in sorted(left & set(sys.modules)):\n"
        "        print(f'{module} loads {found}')\n"
        "    left -= set(sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_only_the_home_of_a_hardware_library_loads_it() -> None:
    homes = [home for library in HARDWARE for home in HOMES.get(library, ())]
    at_home = {module for module in SOURCES if any(fnmatchcase(module, home) for home in homes)}
    below = [module for module in SOURCES if (floor(module) or 0) < ROOF and module not in at_home]
    assert loaded_after_importing(below, HARDWARE) == ""


def test_the_capture_process_imports_little() -> None:
    assert loaded_after_importing(["device.capture.service", "device.capture_verb"], TOO_MUCH_FOR_CAPTURE) == ""


# The rules themselves, on houses that were built wrong.


@pytest.mark.parametrize(
    ("importer", "target", "allowed"),
    [
        ("device.store", "device.recording.ledger", True),
        ("device.recording.ledger", "device.store", False),
        ("device.session", "device.press", True),
        ("device.capture.encoder", "device.capture.mux", False),
        ("device.capture.service", "device.capture.recorder", True),
        ("device.sync", "device.capture.recorder", False),
        ("device.web.pages", "device.sync", False),
        ("device.web.pages", "device.web", True),
        ("device.demo", "device.__main__", True),
        ("device.sync", "device.demo", False),
    ],
)
def test_the_floors_decide(importer: str, target: str, *, allowed: bool) -> None:
    assert may_import(importer, target) is allowed


def test_a_circle_is_found_and_a_diamond_is_none() -> None:
    diamond = [Import("a", "b", 1), Import("a", "c", 2), Import("b", "d", 1), Import("c", "d", 1)]
    assert circle(diamond) == []
    assert set(circle([*diamond, Import("d", "a", 1)])) >= {"a", "d"}


def test_imports_inside_functions_and_for_types_only_count() -> None:
    tree = ast.parse("def late():\n    from device.age import opening\nif TYPE_CHECKING:\n    import av.codec\n")
    found = {one.target for one in imported("device.x", tree, {"device.age.opening": None})}
    assert found == {"device.age.opening", "av"}
