"""How the machine is, read from real files as the kernel lays them out; what is not there is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.capture.ladder import Readings
from device.capture.machine import Machine

PSI = "some avg10={} avg60=14.57 avg300=25.78 total=2076932916\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"


def lay(root: Path, **files: str) -> None:
    """Files below ``root``; the keyword's double underscores are slashes."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


def read(root: Path, processors: int = 4) -> Readings:
    return Machine(root, processors=processors).read()


def zone(root: Path, number: int, kind: str, temp: str) -> None:
    lay(root / f"sys/class/thermal/thermal_zone{number}", type=f"{kind}\n", temp=f"{temp}\n")


def test_of_an_empty_tree_nothing_is_known(tmp_path: Path) -> None:
    assert read(tmp_path) == Readings()


def test_pressure_is_what_something_waited_for_of_the_last_ten_seconds(tmp_path: Path) -> None:
    lay(tmp_path, proc__pressure__cpu=PSI.format("42.17"), proc__loadavg="9.00 1.00 1.00 1/100 1\n")
    assert read(tmp_path) == Readings(pressure_percent=42.17)


def test_where_there_is_no_pressure_the_load_stands_for_it_per_processor(tmp_path: Path) -> None:
    lay(tmp_path, proc__loadavg="3.00 1.50 0.70 2/345 6789\n")
    assert read(tmp_path).load == 0.75
    assert read(tmp_path, processors=0).load == 3.0


def test_the_hottest_zone_of_a_processor_counts(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "61234")
    zone(tmp_path, 1, "x86_pkg_temp", "58000")
    zone(tmp_path, 2, "iwlwifi_1", "95000")
    assert read(tmp_path).temperature_c == 61.234


def test_two_zones_of_one_kind_are_two(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "81000")
    zone(tmp_path, 1, "cpu-thermal", "50000")
    assert read(tmp_path).temperature_c == 81.0


def test_where_no_zone_says_that_it_is_a_processors_the_hottest_of_all_counts(tmp_path: Path) -> None:
    zone(tmp_path, 0, "acpitz", "27800")
    zone(tmp_path, 1, "acpitz", "29800")
    assert read(tmp_path).temperature_c == 29.8


@pytest.mark.parametrize(("alarm", "known"), [("1", True), ("0", False), ("", None), ("what?", None)])
def test_under_voltage_is_the_alarm_of_the_pis_own_sensor(tmp_path: Path, alarm: str, *, known: bool | None) -> None:
    lay(tmp_path / "sys/class/hwmon/hwmon0", name="cpu_thermal\n", in0_lcrit_alarm="1\n")
    lay(tmp_path / "sys/class/hwmon/hwmon3", name="rpi_volt\n", in0_lcrit_alarm=f"{alarm}\n")
    assert read(tmp_path).under_voltage is known


def test_a_sensor_without_its_alarm_is_unknown(tmp_path: Path) -> None:
    lay(tmp_path / "sys/class/hwmon/hwmon0", name="rpi_volt\n")
    assert read(tmp_path).under_voltage is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60))
def test_nonsense_is_unknown_or_a_number_and_never_raises(tmp_path: Path, data: bytes) -> None:
    for name in (
        "proc/pressure/cpu",
        "proc/loadavg",
        "sys/class/thermal/thermal_zone0/temp",
        "sys/class/thermal/thermal_zone0/type",
        "sys/class/hwmon/hwmon0/name",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    found = read(tmp_path)
    assert found.temperature_c is None or -40 <= found.temperature_c <= 150
    assert found.load is None or found.load >= 0


def test_files_that_cannot_be_read_are_unknown(tmp_path: Path) -> None:
    for name in ("proc/pressure/cpu", "proc/loadavg", "sys/class/thermal/thermal_zone0/temp"):
        (tmp_path / name).mkdir(parents=True)
    assert read(tmp_path) == Readings()


def test_this_machine_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    found = read(Path("/"))
    with capsys.disabled():
        print(f"\nthis machine: {found}")
