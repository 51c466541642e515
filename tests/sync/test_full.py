"""A full remote is asked with as little as there is: what it refuses was sent in vain, by every box of a clinic."""

from __future__ import annotations

from device.recording import MANIFEST_NAME, SESSION_NAME
from device.remote import Remote
from tests.sync.conftest import MakeWorld
from tests.sync.world import Filling


def test_once_a_remote_was_full_it_is_asked_with_a_manifest_until_it_has_room(make_world: MakeWorld) -> None:
    """Simulated fleets showed it: Ceph takes all of a body before it says that there is no room for it."""
    here = make_world()
    filling: list[Filling] = []

    def full(remote: Remote) -> Remote:
        filling.append(Filling(remote))
        return filling[0]

    here.restart(full)
    here.turn(6)
    files = [name.rpartition("/")[2] for name in filling[0].puts]
    assert files == [SESSION_NAME, *[MANIFEST_NAME] * (len(files) - 1)]
    assert len(files) > 2
    filling[0].is_full = False
    before = len(filling[0].puts)
    here.synced()
    files = [name.rpartition("/")[2] for name in filling[0].puts[before:]]
    assert files[:2] == [MANIFEST_NAME, SESSION_NAME]
    assert files.count(SESSION_NAME) == len(here.store.ids())
    assert files.count(MANIFEST_NAME) == len(here.store.ids()) + 1  # the rest is not asked about first
