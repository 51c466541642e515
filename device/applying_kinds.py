"""What an order of each kind comes to on a box: which files, and who has to take them. Nothing is changed here.

An order is judged as a whole before anything changes. A kind that is not known is refused; a part of the program that
carries out another (``update``) adds itself where ``Applying`` is built (``kinds_of`` in ``device/apply_verb.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from device.applying_services import CAPTURE, NGINX, SYNC, WEB
from device.clinic_people import PEOPLE_LISTS
from device.config import Config, parse_config
from device.errors import ConfigError, OrderError
from device.exchange import Put
from device.orders import Order, check_names
from device.roster import MOST_ROSTER_BYTES, ROSTER_NAME, check_roster, read_roster
from device.tls_series import read_series

CONFIG_NAME: Final = "sotto.toml"
# What an order cannot change: by these the box finds its key, its recordings, and whom it obeys.
FIXED: Final = ("box.name", "box.device_key", "box.run", "store.path", "web.state", "recipients.clinic_key", "orders")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done. ``restart``, ``reload``: of the services that run. ``act``: instead of files, what carries
    it out, safe against cuts by itself; it raises ``SottoError`` where all is as it was before.
    """

    puts: tuple[Put, ...] = ()
    restart: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
    act: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """The box that is told something. ``config_path``: where its configuration lies, ``config``: what it says."""

    config_path: Path
    config: Config


Judge: TypeAlias = Callable[[Order, Path, Here], Plan]
"""What an order comes to. ``Path``: a folder with its members, whole and verified.

Raises ``SottoError``: it is refused, and nothing was changed.
"""


def judge_roster(order: Order, staged: Path, here: Here) -> Plan:
    """A new roster. Capture sees it by itself, and takes it between sessions."""
    check_names(order, [ROSTER_NAME])
    recipients = here.config.recipients
    if recipients.roster is None or recipients.clinic_key is None:
        raise OrderError("this box has no roster: its configuration names keys", "change the configuration first")
    document, key = _small(staged / ROSTER_NAME, MOST_ROSTER_BYTES), bytes.fromhex(recipients.clinic_key)
    taken = here.config.store.path / ROSTER_NAME
    before = read_roster(taken.read_bytes(), clinic_key=key) if taken.exists() else None
    check_roster(read_roster(document, clinic_key=key), box=here.config.box.name, taken=before)
    return Plan(puts=(Put(recipients.roster, document),))


def judge_config(order: Order, staged: Path, here: Here) -> Plan:
    """A new configuration: checked as a whole, and what holds the box together stays."""
    check_names(order, [CONFIG_NAME])
    content = _small(staged / CONFIG_NAME, 1 << 20)
    try:
        after = parse_config(content.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise ConfigError("the new configuration is not UTF-8", "save it as UTF-8 text") from problem
    before = here.config
    moved = [key for key in FIXED if _value(before, key) != _value(after, key)]
    if moved:
        raise OrderError(
            f"an order cannot change {', '.join(moved)}", "leave it as it is, or prepare the box's card anew"
        )
    return Plan(puts=(Put(here.config_path, content),), restart=(CAPTURE, WEB, SYNC, NGINX))


def judge_certificates(order: Order, staged: Path, here: Here) -> Plan:
    """The page's next certificates, made ahead; its key stays where it is, and they have to be for that."""
    nginx = here.config.web.nginx
    if nginx is None or nginx.authority is None or not nginx.certificate.is_dir():
        raise OrderError("this box takes no certificates", "its configuration names no folder of them, or no authority")
    authority = nginx.authority.read_bytes()
    shown = read_series(nginx.certificate, authority=authority).members[-1].certificate
    told = read_series(staged, key_id=shown.key_id, authority=authority)
    if told.left_out or {one.path.name for one in told.members} != set(order.names()):
        first = told.left_out[0] if told.left_out else None
        raise OrderError("not all of these are certificates" if first is None else first.what, "make them anew")
    for name in nginx.names:
        if not all(one.certificate.holds_for(name) for one in told.members):
            raise OrderError(f"the certificates are not for {name}", "make them for all names of this box")
    puts = tuple(Put(nginx.certificate / one.path.name, one.path.read_bytes()) for one in told.members)
    return Plan(puts=puts, restart=(NGINX,))


def judge_people(order: Order, staged: Path, here: Here) -> Plan:
    """A new list of the clinic's people. The page sees it by itself, and takes it."""
    check_names(order, [PEOPLE_LISTS.file_name])
    section, clinic_key = here.config.people, here.config.recipients.clinic_key
    if section is None or clinic_key is None:
        raise OrderError("this box's people are made on its page", "change the configuration first")
    document = _small(staged / PEOPLE_LISTS.file_name, PEOPLE_LISTS.most_bytes)
    listed = PEOPLE_LISTS.read(document, clinic_key=bytes.fromhex(clinic_key))
    PEOPLE_LISTS.check(listed, box=here.config.box.name, taken=None)  # the page knows which one it took before
    return Plan(puts=(Put(section.file, document),))


KINDS: Final[Mapping[str, Judge]] = {
    "roster": judge_roster,
    "config": judge_config,
    "certificates": judge_certificates,
    "people": judge_people,
}


def _small(path: Path, most_bytes: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OrderError(f"{path.name} is too large", "that is none; make the order anew")
    return content


def _value(config: Config, key: str) -> object:
    value: object = config
    for part in key.split("."):
        value = getattr(value, part)
    return value
