"""Which machine is emulated is asked for by name."""

from __future__ import annotations

import pytest

from tests.appliance.architectures import chosen


def test_without_a_word_the_guest_is_what_builds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCH", raising=False)
    assert (chosen().name, chosen().is_foreign, dict(chosen().tools)) == ("amd64", False, {})


def test_a_foreign_guest_tells_the_tools_what_they_compile_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCH", "arm64")
    assert chosen().is_foreign
    assert chosen().tools["CROSS_COMPILE"] == "aarch64-linux-gnu-"


def test_a_machine_that_is_not_known_is_an_error_that_names_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCH", "riscv64")
    with pytest.raises(SystemExit, match="hint: use ARCH=amd64 or ARCH=arm64"):
        chosen()
