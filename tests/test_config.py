"""The configuration: what holds is frozen, what does not is told with key, value and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.age.identities import generate_identity
from device.capture.sensor import Framing
from device.cli import _parser
from device.compose_camera import picamera2_command
from device.config import (
    AlsaMicrophone,
    Config,
    DisabledCamera,
    PicameraCamera,
    SimulatedCamera,
    load_config,
    parse_config,
)
from device.config_recipients import recipients_of
from device.config_web import HelpSection
from device.demo import DemoChoices, demo_config
from device.errors import ConfigError, RecipientError
from device.retention import Policy, policy_of
from device.web.setup import setup_of

TEXT = """\
[box]
name = "Room 1"
device_key = "/var/lib/sotto/device.key"
run = "/run/sotto"

[store]
path = "/srv/store"

[recipients]
keys = []

[session]
max_length_min = 60
floor_dbfs = -55.5

[microphone]
driver = "alsa"
device = "hw:0"

[camera]
driver = "disabled"

[panel]
driver = "simulated"

[web]
state = "/var/lib/sotto-web"
port = 8300
"""


def told(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        parse_config(text)
    assert "docs/configuration.md" in refused.value.hint
    return refused.value.what


def changed(old: str, new: str) -> str:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


def test_what_is_written_is_what_holds() -> None:
    config = parse_config(TEXT)
    assert config.box.name == "Room 1"
    assert config.box.run == Path("/run/sotto")
    assert (config.session.max_length_min, config.session.floor_dbfs, config.session.silence_stop_min) == (
        60,
        -55.5,
        20,
    )
    assert config.microphone == AlsaMicrophone(driver="alsa", device="hw:0")
    assert config.camera == DisabledCamera(driver="disabled")
    assert config.web.host == "127.0.0.1"
    assert parse_config(TEXT.split("[session]", maxsplit=1)[0] + "[microphone]" + TEXT.split("[microphone]")[1]).session


def test_nothing_can_be_changed_afterwards() -> None:
    config = parse_config(TEXT)
    with pytest.raises(AttributeError):
        config.box.name = "Room 2"  # type: ignore[misc]


@pytest.mark.parametrize("microphone", [None, "default"])
@pytest.mark.parametrize("picture", [True, False])
def test_the_demos_own_configuration_holds(tmp_path: Path, microphone: str | None, picture: bool) -> None:  # noqa: FBT001
    recipient = str(generate_identity(post_quantum=True).recipient())
    config = parse_config(demo_config(DemoChoices(tmp_path, 0, microphone, picture), recipient))
    assert isinstance(config.microphone, AlsaMicrophone) == (microphone is not None)
    assert isinstance(config.camera, SimulatedCamera) == picture
    assert config.recipients.keys
    assert recipients_of(config.recipients.keys)


def test_a_real_camera_shows_the_whole_room_and_guesses_no_mains() -> None:
    camera = parse_config(changed('driver = "disabled"', 'driver = "picamera2"')).camera
    assert isinstance(camera, PicameraCamera)
    assert (camera.framing, camera.mains_hz, camera.mirror, camera.upside_down) == (Framing.WIDE, None, False, False)
    program = picamera2_command(camera)
    assert program[3:8] == ["picamera2-camera", "0", "1280x720", "25", "YUV420"]
    assert program[8:] == ["--bitrate", "2000000", "--framing", "wide"]


def test_what_a_real_camera_is_asked_for_reaches_its_program() -> None:
    lines = 'driver = "picamera2"\nframing = "chairs"\nmains_hz = 60\nupside_down = true\nbitrate_kbit_s = 1500'
    camera = parse_config(changed('driver = "disabled"', lines)).camera
    assert isinstance(camera, PicameraCamera)
    options = _parser(None).parse_args(picamera2_command(camera)[3:])
    assert (options.size, options.fps, options.frame_format) == ((1280, 720), 25, "YUV420")
    assert (options.bitrate, options.framing, options.mains_hz) == (1_500_000, Framing.CHAIRS, 60)
    assert (options.mirror, options.upside_down) == (False, True)


def test_a_framing_check_asks_a_real_camera_for_all_that_a_recording_asks_it_for() -> None:
    lines = 'driver = "picamera2"\nframing = "chairs"\nmains_hz = 60\nmirror = true\nupside_down = true'
    camera = parse_config(changed('driver = "disabled"', lines)).camera
    assert isinstance(camera, PicameraCamera)
    recording = _parser(None).parse_args(picamera2_command(camera)[3:])
    looking = _parser(None).parse_args(picamera2_command(camera, stills=(640, 360))[3:])
    assert (recording.stills, looking.stills) == (None, (640, 360))
    recording.stills = looking.stills
    assert looking == recording


@pytest.mark.parametrize(
    ("old", "new", "key", "value", "allowed"),
    [
        ('name = "Room 1"', 'name = ""', "box.name", "''", "at least 1 character"),
        ('name = "Room 1"', 'name = "' + "x" * 61 + '"', "box.name", "'" + "x" * 61 + "'", "at most 60 characters"),
        ('name = "Room 1"', "name = 1", "box.name", "1", "valid string"),
        ("max_length_min = 60", "max_length_min = 0", "session.max_length_min", "0", "greater than or equal to 1"),
        ("max_length_min = 60", "max_length_min = 481", "session.max_length_min", "481", "less than or equal to 480"),
        ("max_length_min = 60", "max_length_min = 1.5", "session.max_length_min", "1.5", "valid integer"),
        ("floor_dbfs = -55.5", "silence_stop_min = -1", "session.silence_stop_min", "-1", "greater than or"),
        (
            "floor_dbfs = -55.5",
            "silence_stop_min = 481",
            "session.silence_stop_min",
            "481",
            "less than or equal to 480",
        ),
        ("floor_dbfs = -55.5", "floor_dbfs = 0", "session.floor_dbfs", "0", "less than or equal to -20"),
        ("floor_dbfs = -55.5", "floor_dbfs = nan", "session.floor_dbfs", "nan", "less than or equal to -20"),
        ("floor_dbfs = -55.5", "floor_dbfs = -inf", "session.floor_dbfs", "-inf", "greater than or equal to -100"),
        ("port = 8300", "port = 70000", "web.port", "70000", "less than or equal to 65535"),
        ("port = 8300", 'port = 1\nhost = "0.0.0.0"', "web.host", "'0.0.0.0'", "'127.0.0.1' or '::1'"),
        ('driver = "disabled"', 'driver = "usb"', "camera.driver", "'usb'", "'simulated', 'picamera2', 'disabled'"),
        ('driver = "alsa"', 'driver = "pulse"', "microphone.driver", "'pulse'", "'simulated', 'alsa'"),
        ('driver = "disabled"', 'driver = "simulated"\nfps = 0', "camera.fps", "0", "greater than or equal to 1"),
        ('driver = "disabled"', 'driver = "simulated"\nwidth = 170', "camera.width", "170", "multiple of 16"),
        ('driver = "disabled"', 'driver = "picamera2"\nmains_hz = 55', "camera.mains_hz", "55", "50 or 60"),
        (
            'driver = "disabled"',
            'driver = "picamera2"\nframing = "face"',
            "camera.framing",
            "'face'",
            "'wide' or 'chairs'",
        ),
        (
            'driver = "disabled"',
            'driver = "simulated"\nbitrate_kbit_s = 99',
            "camera.bitrate_kbit_s",
            "99",
            "greater than or equal to 100",
        ),
        ('device = "hw:0"', 'device = ""', "microphone.device", "''", "at least 1 character"),
        ('path = "/srv/store"', 'path = "store"', "store.path", "'store'", "must be an absolute path"),
        ('run = "/run/sotto"', 'run = "./run"', "box.run", "'./run'", "must be an absolute path"),
        ('device_key = "/var', 'device_key = "var', "box.device_key", "'var/", "must be an absolute path"),
        (
            'driver = "alsa"\ndevice = "hw:0"',
            'driver = "simulated"\nwav = "room.wav"',
            "microphone.wav",
            "'room.wav'",
            "must be an absolute path",
        ),
        ("keys = []", 'keys = "age1"', "recipients.keys", "'age1'", "valid tuple"),
        ("keys = []", "keys = [1]", "recipients.keys.0", "1", "valid string"),
    ],
)
def test_a_value_that_is_not_allowed_is_told_with_its_key_and_what_is(
    old: str, new: str, key: str, value: str, allowed: str
) -> None:
    what = told(changed(old, new))
    assert f"{key} = {value}" in what
    assert allowed in what


@pytest.mark.parametrize(
    ("line", "told_of"),
    [
        ('device = "hw:0"\ncard = "Mic"', "exactly one of card, usb_path, serial, device"),
        ("", "exactly one of card, usb_path, serial, device"),
        ('card = "Mic"\ngain_percent = 70', "gain_control and gain_percent belong together"),
        ('device = "hw:0"\npcm = 1', "need a card to belong to"),
        ('device = "hw:0"\ngain_control = "Mic"\ngain_percent = 7', "need a card to belong to"),
        ('usb_path = "/dev/bus/usb"', "microphone.usb_path"),
    ],
)
def test_a_microphone_is_named_by_exactly_one_thing_that_stays(line: str, told_of: str) -> None:
    assert told_of in told(changed('device = "hw:0"', line))


def test_a_microphone_may_be_pinned_with_its_gain_and_have_a_second() -> None:
    config = parse_config(
        changed('device = "hw:0"', 'usb_path = "1-1.2"\ngain_control = "Mic"\ngain_percent = 70')
        + '[second_microphone]\ndriver = "alsa"\ncard = "Device"\n'
    )
    first, second = config.microphone, config.second_microphone
    assert isinstance(first, AlsaMicrophone)
    assert (first.usb_path, first.gain_control, first.gain_percent) == ("1-1.2", "Mic", 70)
    assert isinstance(second, AlsaMicrophone)
    assert second.card == "Device"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("port = 8300", "port = 8300\nprot = 1", "web.prot"),
        ('device = "hw:0"', 'device = "hw:0"\nwav = "/a.wav"', "microphone.wav"),
        ('driver = "disabled"', 'driver = "disabled"\nfps = 25', "camera.fps"),
        ("[panel]", "[fleet]\nremote = 1\n\n[panel]", "fleet"),
    ],
)
def test_an_unknown_key_is_refused_by_its_name(old: str, new: str, key: str) -> None:
    assert f"{key} is not a known key" in told(changed(old, new))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('name = "Room 1"\n', "box.name"),
        ('run = "/run/sotto"\n', "box.run"),
        ('path = "/srv/store"\n', "store.path"),
        ('driver = "alsa"\n', "microphone.driver"),
        ('driver = "disabled"\n', "camera.driver"),
        ('[panel]\ndriver = "simulated"\n', "panel"),
        ("port = 8300\n", "web.port"),
    ],
)
def test_what_names_a_place_or_a_device_has_no_default(line: str, key: str) -> None:
    assert f"{key} is missing" in told(changed(line, ""))


def test_all_that_is_wrong_is_told_at_once() -> None:
    what = told(changed("port = 8300", "port = -1\nprot = 1").replace("max_length_min = 60", "max_length_min = 0"))
    for key in ("web.port", "web.prot", "session.max_length_min"):
        assert key in what


# -- the file ---------------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_told_by_its_name_alone(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "sotto.toml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=reason) as refused:
            load_config(path)
        assert "--config" in refused.value.hint
        assert str(tmp_path.parent) not in refused.value.what


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sotto.toml"
    path.write_bytes(TEXT.replace("Room 1", "Räum 1").encode("latin-1"))
    with pytest.raises(ConfigError, match=r"sotto\.toml is not UTF-8"):
        load_config(path)
    path.write_text(TEXT.replace("Room 1", "Räum 1"), encoding="utf-8")
    assert load_config(path).box.name == "Räum 1"


_WORDS = st.sampled_from(
    ["[", "]", "=", '"', "'", ".", ",", "\n", "#", "{", "}", "[box]", "name", "port", "driver", "1", "-", "nan", "e9"]
)


@given(st.text(max_size=60) | st.lists(_WORDS, max_size=25).map("".join))
@example("a = " + "9" * 5000)
@example("a = " + "[" * 5000)
@example("a = 1979-13-45")
@example("")
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_config(text)


_VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=5).map(repr) | st.sampled_from(["nan", "inf", "07:32:00"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
).map(lambda value: str(value).lower() if isinstance(value, bool) else str(value))


@given(st.sampled_from([line for line in TEXT.splitlines() if "=" in line]), _VALUES)
def test_no_value_in_a_files_place_raises_anything_but_a_config_error(line: str, value: str) -> None:
    text = TEXT.replace(line, f"{line.split(' =', maxsplit=1)[0]} = {value}", 1)
    try:
        assert isinstance(parse_config(text), Config)
    except ConfigError as problem:
        assert problem.what


# -- recipients -------------------------------------------------------------------------------------------------------


KEY = "ab" * 32


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "name keys, or roster and clinic_key"),
        (
            f'keys = []\nroster = "/etc/sotto/roster.json"\nclinic_key = "{KEY}"\n',
            "name keys, or roster and clinic_key",
        ),
        ('roster = "/etc/sotto/roster.json"\n', "roster and clinic_key belong together"),
        (f'clinic_key = "{KEY}"\n', "roster and clinic_key belong together"),
        (f'roster = "roster.json"\nclinic_key = "{KEY}"\n', "must be an absolute path"),
        (f'roster = "/etc/sotto/roster.json"\nclinic_key = "{KEY[2:]}"\n', "recipients.clinic_key"),
    ],
)
def test_recipients_are_named_or_come_from_a_roster_by_a_named_key(line: str, why: str) -> None:
    assert why in told(changed("keys = []\n", line))


def test_a_roster_takes_the_place_of_keys() -> None:
    text = changed("keys = []\n", f'roster = "/etc/sotto/roster.json"\nclinic_key = "{KEY}"\n')
    named = parse_config(text).recipients
    assert (named.keys, str(named.roster), named.clinic_key) == (None, "/etc/sotto/roster.json", KEY)


def test_recipients_of_one_kind_are_taken() -> None:
    for post_quantum in (True, False):
        keys = [generate_identity(post_quantum=post_quantum).recipient() for _ in range(3)]
        assert recipients_of(tuple(map(str, keys))) == keys


def refused(*texts: str) -> RecipientError:
    with pytest.raises(RecipientError) as problem:
        recipients_of(texts)
    assert problem.value.hint
    return problem.value


def test_without_a_recipient_there_is_a_hint_how_to_make_one() -> None:
    assert "no recipient" in refused().what
    assert "sotto-clinic key new" in refused().hint


def test_a_malformed_recipient_is_told_by_its_place() -> None:
    good = str(generate_identity(post_quantum=False).recipient())
    for bad in ("", "age1", good[:-1], good[:-1] + ("q" if good[-1] != "q" else "p"), "ssh-ed25519 AAAA", good.title()):
        assert "recipient 2 cannot be used" in refused(good, bad).what


def test_an_identity_in_a_recipients_place_is_refused_and_never_shown() -> None:
    secret = generate_identity(post_quantum=False).secret_text()
    problem = refused(secret)
    assert secret not in problem.what + problem.hint
    assert secret.lower() not in (problem.what + problem.hint).lower()


def test_kinds_are_never_mixed() -> None:
    kinds = [str(generate_identity(post_quantum=post_quantum).recipient()) for post_quantum in (True, False)]
    assert "cannot be used together" in refused(*kinds).what


# -- retention --------------------------------------------------------------------------------------------------------


def test_without_its_section_the_clinic_has_said_nothing_about_retention() -> None:
    assert parse_config(TEXT).retention is None
    assert policy_of(parse_config(TEXT)) is None


def test_what_the_clinic_says_about_retention_is_the_policy() -> None:
    assert policy_of(parse_config(f"{TEXT}[retention]\nkeep_days = 30\n")) == Policy(keep_days=30)
    assert policy_of(parse_config(f"{TEXT}[retention]\nwarn_days = 14\n")) == Policy(warn_days=14)


@pytest.mark.parametrize(
    ("lines", "told_of"),
    [
        ("", "name keep_days, warn_days or both"),
        ("keep_days = -1", "retention.keep_days = -1"),
        ("warn_days = 0", "retention.warn_days = 0"),
        ("days = 3", "retention.days is not a known key"),
    ],
)
def test_a_section_on_retention_that_says_nothing_sure_is_refused(lines: str, told_of: str) -> None:
    assert told_of in told(f"{TEXT}[retention]\n{lines}\n")


SYNC = '[sync]\nstate = "/var/lib/sotto-sync"\n'


def test_without_a_word_sync_has_no_limit_and_tells_after_three_days() -> None:
    sync = parse_config(TEXT + SYNC).sync
    assert sync is not None
    assert (sync.limit_kbit_s, sync.office_limit_kbit_s, sync.stuck_days) == (None, None, 3)
    assert sync.office_days == ("mon", "tue", "wed", "thu", "fri")


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('office_from = "08:00"', "belong together"),
        ("office_limit_kbit_s = 100", "belong together"),
        ('office_from = "08:00"\noffice_to = "08:00"\noffice_limit_kbit_s = 0', "another end"),
        ('office_from = "08:00"\noffice_to = "18:00"\noffice_limit_kbit_s = 0\noffice_days = []', "and days"),
        ('office_from = "24:00"\noffice_to = "08:00"\noffice_limit_kbit_s = 0', "office_from"),
        ('office_from = "8"\noffice_to = "18:00"\noffice_limit_kbit_s = 0', "office_from"),
        ('office_days = ["monday"]', "office_days"),
        ("limit_kbit_s = 0", "limit_kbit_s"),
        ("stuck_days = 0", "stuck_days"),
    ],
)
def test_what_makes_no_sense_about_sync_is_refused(more: str, what: str) -> None:
    assert what in told(TEXT + SYNC + more + "\n")


def test_where_sync_keeps_what_it_knows_has_no_default() -> None:
    assert "sync.state is missing" in told(TEXT + "[sync]\n")


def test_the_clinics_own_words_beside_measures_are_one_line_each_and_none_by_default() -> None:
    assert parse_config(TEXT).web.help == HelpSection()
    shown = setup_of(parse_config(TEXT + '\n[web.help]\nclient = "Call us."\ntherapist = "Call the doctor."\n'))
    assert (shown.client_help, shown.therapist_help) == ("Call us.", "Call the doctor.")
    for line in ('client = ""', 'client = "two\\nlines"', 'therapist = " spaces "', 'phone = "1"'):
        assert "web.help" in told(TEXT + f"\n[web.help]\n{line}\n")


def test_people_that_come_from_the_clinic_need_the_clinics_key() -> None:
    people = '\n[people]\nfile = "/etc/sotto/people.json"\n'
    signed = changed("keys = []", f'roster = "/etc/sotto/roster.json"\nclinic_key = "{"0" * 64}"')
    found = parse_config(signed + people).people
    assert found is not None
    assert found.file == Path("/etc/sotto/people.json")
    assert "recipients.clinic_key says by whom" in told(TEXT + people)
