"""Versions of Sotto for a box that boots: images, packages and orders, and what is done with them there."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deb.image import packed
from device.age.identities import generate_identity
from device.orders import About, Order, member_of, sign_order
from device.orders import packed as members_packed
from device.roster import Roster, sign_roster
from device.updating import FACTS_NAME, read_facts
from tests.deb.test_deb_boot import as_a_box
from tests.deb.trees import Machine
from tests.updates import BOX, CLINIC, CLINIC_PUBLIC

LOOP_MAJOR = 7
MOST_LOOPS = 64
PAGE = "lib/python3.13/site-packages/device/page_verb.py"
# The same as the unit's own, with less patience.
HURRIED = """
[Service]
ExecStart=
ExecStart=/run/sotto-versions/from/bin/python -I -m device update settle --config /etc/sotto/sotto.toml \
--quiet-s 2 --well-s WELL --most-s 60
"""
ORDERS = """\
[orders]
spool = "/var/lib/sotto-web/orders"
state = "/var/lib/sotto-apply"
"""
# What each program begins with that a box runs; it looks around in it, and notes that.
WORDS = r"""
import json, os, pathlib, subprocess, sys, time

FOUND = pathlib.Path("/var/found.json")
found = json.loads(FOUND.read_text()) if FOUND.exists() else {}

def said(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()

def until(what, is_so, patience_s=400):
    end = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > end:
            found["never"] = what
            note("never", {})
            end_here()
        time.sleep(0.5)

def status():
    return json.loads(said("sotto", "update", "status", "--json")[1] or "{}")

def mounted():
    return said("findmnt", "-no", "FSTYPE", "/opt/sotto")[1]

def idle():
    try:
        told = pathlib.Path("/run/sotto/status.json")
        return time.time() - told.stat().st_mtime < 3 and json.loads(told.read_text())["state"] == "idle"
    except (OSError, ValueError):
        return False

def active(unit):
    return said("systemctl", "is-active", unit)[1]

def well():
    return idle() and all(active(f"sotto-{one}.service") == "active" for one in ("capture", "web", "nginx"))

def note(name, more):
    kept = said("journalctl", "--namespace=sotto", "--no-pager", "--output=cat")[1][-3000:]
    found[name] = {"status": status(), "mounted": mounted(), "well": well(), "kept": kept, **more}
    FOUND.write_text(json.dumps(found))
    os.sync()

def stage(order, *more):
    return said("sotto", "update", "stage", *more, "--config", "/etc/sotto/sotto.toml", f"/srv/{order}")

def hurry(well_s):
    path = pathlib.Path("/run/systemd/system/sotto-update.service.d/hurry.conf")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HURRIED.replace("WELL", str(well_s)))
    said("systemctl", "daemon-reload")

def end_here():
    subprocess.run(["systemctl", "--no-block", "poweroff"])
    sys.exit()

def ended():
    until("the end of sotto-update", lambda: active("sotto-update.service") in ("inactive", "failed"))
    return active("sotto-update.service")

def order(name):
    # As the page puts one there that came from the desk.
    spool, own = "/var/lib/sotto-web/orders", ("-o", "sotto-web", "-g", "sotto")
    said("install", "-d", "-m", "750", *own, spool)
    said("install", "-m", "640", *own, f"/srv/{name}", f"{spool}/{name}.part")
    os.rename(f"{spool}/{name}.part", f"{spool}/{name}.order")

def results():
    path = pathlib.Path("/var/lib/sotto-apply/results.json")
    told = json.loads(path.read_text())["results"] if path.exists() else []
    return {f"{one['about']} {one['number']}": one for one in told}

def outcome(name):
    return results().get(name, {}).get("outcome")
"""


def order_about(what: About, contents: Mapping[str, bytes], *, number: int) -> bytes:
    """An order for that box, as the clinic's desk makes it."""
    members = tuple(member_of(name, [content]) for name, content in contents.items())
    order = Order(number=number, boxes=(BOX,), made="2026-03-02T10:00:00Z", what=what, files=members)
    pieces = [[content] for content in contents.values()]
    return b"".join(members_packed(sign_order(order, CLINIC), zip(members, pieces, strict=True)))


def order_of(facts: bytes, image: bytes, *, number: int) -> bytes:
    """An order that brings a version."""
    return order_about("update", {FACTS_NAME: facts, read_facts(facts).image: image}, number=number)


def changed(installed: Machine, folder: Path, version: str, *, is_broken: bool = False) -> Path:
    """The image of what is installed there under another version; broken: its page cannot start."""
    tree = folder / version
    for name in ("opt/sotto", "usr/lib/sotto"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", installed.tree / name, tree / name], check=True)
    renumber(tree, version)
    if is_broken:
        (tree / "opt/sotto" / PAGE).write_text("raise RuntimeError('this version is broken')\n")
    return packed(tree, version, "amd64", out=folder, is_quick=True)


def renumber(tree: Path, version: str) -> None:
    """Have what lies there say another version of itself."""
    (facts,) = tree.glob("opt/sotto/lib/python3.13/site-packages/sotto-*.dist-info")
    before = facts.name.removeprefix("sotto-").removesuffix(".dist-info")
    metadata = (facts / "METADATA").read_text().replace(f"Version: {before}", f"Version: {version}")
    (facts / "METADATA").write_text(metadata)
    facts.rename(facts.with_name(f"sotto-{version}.dist-info"))


def repackaged(package: Path, folder: Path, version: str, *, also: Sequence[str] = ()) -> Path:
    """That package under another version. ``also``: files that it brings besides."""
    tree = folder / f"package-{version}"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    renumber(tree, version)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.MULTILINE))
    (tree / "DEBIAN/md5sums").unlink()
    for name in also:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("another's\n")
    made = folder / f"sotto_{version}_amd64.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--build", tree, made], check=True, stdout=subprocess.DEVNULL)
    return made


def as_a_box_of_the_clinic(machine: Machine, orders: Mapping[str, bytes], program: str) -> None:
    """A box that knows the clinic's key, with its orders on its disk and a program that tries them, after ``WORDS``."""
    as_a_box(machine)
    toml = machine.tree / "etc/sotto/sotto.toml"
    keys = f'roster = "/etc/sotto/roster.json"\nclinic_key = "{CLINIC_PUBLIC.hex()}"'
    lines = [keys if line.startswith("keys = ") else line for line in toml.read_text().splitlines()]
    toml.write_text("\n".join([*lines, ORDERS]))
    recovery = str(generate_identity(post_quantum=False).recipient())
    roster = Roster(
        number=1,
        made="2026-03-02T10:00:00Z",
        boxes=(BOX,),
        policy="supervised",
        people=(),
        therapists=(),
        recovery=(recovery,),
    )
    (machine.tree / "etc/sotto/roster.json").write_bytes(sign_roster(roster, CLINIC))
    for name, order in orders.items():
        (machine.tree / "srv" / name).write_bytes(order)
    (machine.tree / "srv/look.py").write_text(f"HURRIED = {HURRIED!r}\n{WORDS}{program}")


def loops(folder: Path) -> list[str]:
    """For the image's mount: nodes for whatever loop device the kernel gives out next."""
    folder.mkdir()
    for number in range(MOST_LOOPS):
        os.mknod(folder / f"loop{number}", stat.S_IFBLK | 0o600, os.makedev(LOOP_MAJOR, number))
    nodes = [f"--bind={folder}/loop{number}:/dev/loop{number}" for number in range(MOST_LOOPS)]
    return ["--bind=/dev/loop-control", *nodes]


def is_of_the_page(why: str) -> bool:
    """Whether a version was given up for its page; nginx, which starts after that, may not be there yet either."""
    what, _, units = why.partition(": ")
    return what == "not active" and units in ("sotto-web.service", "sotto-nginx.service, sotto-web.service")
