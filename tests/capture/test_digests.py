from __future__ import annotations

from hashlib import sha256

import pytest

from device.recording.digests import GROUP_CHUNKS, Digests
from device.recording.ledger import digest_of

ONES = [sha256(bytes([number])).digest() for number in range(200)]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 200])
def test_each_group_has_the_digest_of_its_own_64_chunks(count: int) -> None:
    digests = Digests(ONES[:count])
    assert digests.whole == digest_of(iter(ONES[:count]))
    parts = [ONES[at : min(count, at + GROUP_CHUNKS)] for at in range(0, count, GROUP_CHUNKS)]
    assert digests.groups == tuple(digest_of(iter(part)) for part in parts)
    assert digests.chunks == count


def test_asking_in_between_changes_nothing() -> None:
    digests = Digests()
    for one in ONES:
        digests.add(one)
        assert digests.groups
        assert digests.whole
    assert digests.groups == Digests(ONES).groups
