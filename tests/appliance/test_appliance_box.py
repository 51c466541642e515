"""A box under systemd: pressed, lit, heard and looked into, on a real kernel (``make appliance``)."""

from __future__ import annotations

from pathlib import Path

from tests.appliance.box import Box

PROBE = (Path(__file__).parent / "scripts" / "probe.py").read_bytes()


def test_all_services_come_up_and_nothing_is_open(running: Box) -> None:
    assert set(running.agent.sh("systemctl is-active sotto-capture sotto-web sotto-nginx").split()) == {"active"}
    assert running.devices_open() == set()
    assert not running.lit("room_light")


def wakes_a_second(box: Box, *, seconds: int = 5) -> float:
    """How often the threads of capture went to sleep of themselves, a second."""
    count = "cat /proc/$pid/task/*/status | awk '/^voluntary_ctxt/ { sum += $2 } END { print sum }'"
    pid = "pid=$(systemctl show -P MainPID sotto-capture.service)"
    before, after = box.agent.sh(f"{pid}; {count}; sleep {seconds}; {count}").split()
    return (int(after) - int(before)) / seconds


def test_capture_sleeps_until_the_kernel_has_something_to_tell(running: Box) -> None:
    """Its buttons were looked at 2 000 times a second once, which cost more than recording sound."""
    idle = wakes_a_second(running)
    running.begin()
    recording = wakes_a_second(running)
    print(f"\nwake-ups of capture a second: {idle:.0f} in idle, {recording:.0f} while it records")
    assert idle < 300  # 200 of them are the pulses of the dim lamp
    assert recording < 150  # 50 are the sounder's thread, which stays


def test_without_consent_record_is_refused_and_no_device_is_opened(running: Box) -> None:
    running.panel.press("record", bounces=3)
    running.until_state("refused")
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    running.until_state("idle")
    assert running.recordings() == []


def test_a_whole_session_by_button_presses_is_bit_exact(running: Box, tmp_path: Path) -> None:
    running.panel.press("consent", bounces=3)
    running.until_state("armed")
    assert running.lit("consent_blue")
    assert not running.lit("record_blue")
    assert running.devices_open() == set()

    running.panel.press("record", bounces=3)
    running.until_state("recording", "troubled")
    running.until("grep -q devices_open.:..microphone /run/sotto/status.json")
    assert running.lit("room_light")
    assert len(running.devices_open()) == 1
    pid = running.agent.sh("systemctl show -P MainPID sotto-capture.service").strip()
    classes = running.agent.sh(f"ps -L -o cls= -p {pid}").split()
    assert classes.count("FF") == 1, "the thread that reads the microphone, and no other, runs before all ordinary ones"
    noise = running.microphone.noise(5)
    noise.player.wait()

    running.end()
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    (recording,) = running.recordings()
    opened = running.opened(recording, tmp_path)
    manifest = opened.manifest
    assert (manifest["state"], manifest["consent"], manifest["gaps"]) == ("complete", "sound", [])
    assert noise.samples in opened.sound
    assert "armed -> recording" in running.agent.sh("journalctl -o cat SOTTO_STATE=recording")


def test_a_killed_service_comes_back_idle_and_closes_what_was_open(running: Box, tmp_path: Path) -> None:
    running.panel.press("consent")
    running.until_state("armed")
    running.panel.press("record")
    running.until("[ -e /var/lib/sotto/store/*/session.mp4.age ]")
    running.agent.sh("sleep 3; systemctl kill --signal=KILL sotto-capture.service")
    running.until("[ $(systemctl show -P NRestarts sotto-capture.service) -ge 1 ]")
    running.until("systemctl is-active --quiet sotto-capture.service")
    running.until_state("idle")
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    (recording,) = running.recordings()
    manifest = running.opened(recording, tmp_path).manifest
    assert manifest["state"] == "interrupted"
    assert manifest["duration_us"] > 1_000_000


def test_capture_has_devices_and_no_network_and_the_page_has_neither_devices_nor_the_store_to_write(
    running: Box,
) -> None:
    assert running.could("sotto-capture.service", PROBE) == {
        "sound-card",
        "gpio",
        "store-read",
        "store-write",
        "device-key",
        "page-certificate",
    }
    assert running.could("sotto-web.service", PROBE) == {"inet-socket", "store-read", "page-certificate", "people"}


def test_a_gain_that_somebody_changed_is_set_again_at_the_next_start(running: Box, tmp_path: Path) -> None:
    """A mixer that a reboot has reset, or a program that knows better: a classic among silent recordings."""
    running.agent.sh("modprobe snd-dummy id=Gain; sleep 1; amixer -q -c Gain sset Mic 10% nocap")
    pinned = 'card = "Gain"\\ngain_control = "Mic"\\ngain_percent = 70'
    running.agent.sh(f"sed -i 's/^card = .*/{pinned}/; s/^pcm = .*/pcm = 0/' /etc/sotto/sotto.toml")
    told = running.agent.sh("/opt/sotto/bin/sotto check --config /etc/sotto/sotto.toml --no-room || true")
    assert "(card Gain)" in told
    assert "Mic is muted, and is set to 70 % at each start" in told
    running.agent.sh("systemctl restart sotto-capture.service")
    running.until_state("idle")
    assert "[70%]" not in running.agent.sh("amixer -c Gain sget Mic"), "nothing is touched before a session"
    recording = running.begin()
    stands = running.agent.sh("amixer -c Gain sget Mic")
    running.end()
    assert "[70%]" in stands
    assert "[on]" in stands
    assert "[off]" not in stands
    manifest = running.opened(recording, tmp_path).manifest
    assert (manifest["state"], manifest["gaps"]) == ("complete", [])
    assert manifest["sound"]["bits"] in {16, 24}
    assert manifest["sound"]["microphones"][0]["name"] == "alsa: card Gain"
