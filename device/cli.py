"""The verbs of ``sotto``, and what each of them builds."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from device.announce_verb import add_verb as add_announce
from device.capture.camera import MOST_BITS_PER_S, Control, write_picture
from device.capture.packets import Picture
from device.capture.sensor import CameraSettings, Framing
from device.capture_verb import run_capture
from device.claim import claimed, other_writer
from device.config import load_config
from device.demo import DemoChoices, run_demo
from device.errors import AdminError, SottoError
from device.measures_verb import add_verb as add_measures
from device.rehearse import Stage, parse_presses, rehearsal_of, tell
from device.retention_verb import add_verbs as add_retention
from device.status import read_status
from device.sync_status import read_sync_status
from device.update_verb import add_verbs as add_update
from device.wishes_verb import add_verbs as add_wishes

NGINX_RUN: Final = Path("/run/sotto-nginx")

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_NOTHING_RECORDED: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    options = _parser().parse_args(arguments)
    verb: Callable[[argparse.Namespace], int] = options.verb
    try:
        return verb(options)
    except SottoError as problem:
        print(f"error: {problem.what}", file=sys.stderr)
        print(f"hint: {problem.hint}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sotto", description="Records sessions with consent, sealed as they happen.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    demo = verbs.add_parser("demo", help="a whole box on this computer, with a simulated room")
    demo.add_argument("--port", type=int, default=8300, help="where the page listens (default: %(default)s; 0: any)")
    demo.add_argument("--microphone", metavar="NAME", help="an ALSA device of this computer, such as default")
    demo.add_argument("--no-picture", action="store_true", help="a box without a camera")
    demo.add_argument("--folder", type=Path, help="keep everything in this folder (default: a folder that goes)")
    demo.set_defaults(verb=_demo)

    rehearse = verbs.add_parser(
        "rehearse",
        help="a scripted session, simulated hardware only",
        description="Plays a WAV to the capture path and presses the buttons as the script says.",
        epilog="moments: consent, record, hold consent, hold record, both, people N, stop, mark, unplug, plug, "
        "kill camera; each with its time in seconds, separated by commas",
    )
    rehearse.add_argument("--sound", type=Path, required=True, metavar="WAV", help="what the microphone hears")
    rehearse.add_argument("--loop", action="store_true", help="play the WAV again and again")
    rehearse.add_argument("--picture", choices=["clock"], help="what the camera sees (default: there is no camera)")
    rehearse.add_argument(
        "--size", type=_size, default="1280x720", metavar="WxH", help="of the picture (default: %(default)s)"
    )
    rehearse.add_argument("--fps", type=_fps, default=25, help="pictures a second (default: %(default)s)")
    rehearse.add_argument("--presses", required=True, metavar="SCRIPT", help='"0.2 consent, 0.6 record, 10.6 record"')
    rehearse.add_argument("--recipient", action="append", default=[], metavar="age1…", help="who can open it")
    rehearse.add_argument("--store", type=Path, required=True, metavar="DIR", help="an existing folder")
    rehearse.add_argument("--speed", type=_speed, default=1.0, help="times real time (default: %(default)s)")
    rehearse.add_argument(
        "--max-length", type=_minutes, default=90, metavar="MIN", help="of a session (default: %(default)s)"
    )
    rehearse.add_argument("--json", action="store_true", help="print everything as JSON")
    rehearse.set_defaults(verb=_rehearse)

    for name, verb, text in (
        ("capture", _capture, "the service that opens microphone and camera"),
        ("web", _web, "the page"),
        ("status", _status, "show what the box is doing"),
        ("first-admin", _first_admin, "a one-time code with which somebody becomes an admin of the page"),
    ):
        service = verbs.add_parser(name, help=text)
        service.add_argument("--config", type=Path, required=True, metavar="FILE")
        service.set_defaults(verb=verb)
    _add_nginx(verbs.add_parser("nginx", help="write the configuration of the nginx in front of the page"))
    _add_check(verbs.add_parser("check", help="find out whether this box is well, and what to do where it is not"))
    _add_audit(verbs.add_parser("audit", help="show the end of the audit log, and its head"))
    diagram = verbs.add_parser("diagram", help="bring the pictures of the session in a document up to date")
    diagram.add_argument("document", type=Path, metavar="FILE")
    diagram.set_defaults(verb=_diagram)

    add_announce(verbs)
    add_retention(verbs)
    add_measures(verbs)
    add_wishes(verbs)
    add_update(verbs)
    _add_sync(verbs)
    _add_apply(verbs)
    _add_cameras(verbs)
    return parser


def _add_nginx(nginx: argparse.ArgumentParser) -> None:
    nginx.add_argument("--config", type=Path, required=True, metavar="FILE")
    nginx.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to; the screen where it is left out")
    nginx.add_argument("--run", type=Path, default=NGINX_RUN, metavar="FOLDER", help=f"nginx's own ({NGINX_RUN})")
    nginx.add_argument(
        "--again", action="store_true", help="only where it is another than before; nginx, if it runs, reads it anew"
    )
    nginx.set_defaults(verb=_nginx)


def _add_cameras(verbs: Any) -> None:
    """The programs of the camera's own process; only capture and a check start them."""
    camera = verbs.add_parser("simulated-camera")
    camera.add_argument("size", type=_size)
    camera.add_argument("fps", type=int)
    camera.add_argument("start_us", type=int)
    camera.add_argument("--bitrate", type=int, default=MOST_BITS_PER_S)
    camera.add_argument("--stills", action="store_true")
    camera.set_defaults(verb=_simulated_camera)
    camera = verbs.add_parser("picamera2-camera")
    camera.add_argument("number", type=int)
    camera.add_argument("size", type=_size)
    camera.add_argument("fps", type=int)
    camera.add_argument("frame_format")
    camera.add_argument("--bitrate", type=int, default=MOST_BITS_PER_S)
    camera.add_argument("--framing", type=Framing, default=Framing.WIDE)
    camera.add_argument("--mains-hz", type=int)
    camera.add_argument("--mirror", action="store_true")
    camera.add_argument("--upside-down", action="store_true")
    camera.add_argument("--stills", type=_size)
    camera.set_defaults(verb=_picamera2_camera)


def _add_check(check: argparse.ArgumentParser) -> None:
    check.add_argument("--config", type=Path, required=True, metavar="FILE")
    check.add_argument("--config-only", action="store_true", help="print the effective configuration and check nothing")
    check.add_argument("--no-room", action="store_true", help="open neither microphone, camera nor panel")
    check.add_argument("--clap", action="store_true", help="also measure how far sound and picture are apart")
    check.add_argument("--json", action="store_true", help="print everything as JSON")
    check.set_defaults(verb=_check)


def _add_audit(audit: argparse.ArgumentParser) -> None:
    audit.add_argument("--config", type=Path, required=True, metavar="FILE")
    audit.add_argument("--last", type=int, default=20, metavar="N", help="how many entries (default: %(default)s)")
    audit.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    audit.set_defaults(verb=_audit)


def _add_sync(verbs: Any) -> None:
    sync = verbs.add_parser("sync", help="the service that brings recordings to the remote; or pause, resume, now")
    sync.add_argument("tell", nargs="?", choices=["pause", "resume", "now"], help="tell the service that runs")
    sync.add_argument("--config", type=Path, required=True, metavar="FILE")
    sync.set_defaults(verb=_sync)


def _add_apply(verbs: Any) -> None:
    apply = verbs.add_parser("apply", help="carry out what the clinic told the box, while nobody is there (root)")
    apply.add_argument("--config", type=Path, required=True, metavar="FILE")
    apply.add_argument("--settle", action="store_true", help="only end or undo what was interrupted")
    apply.set_defaults(verb=_apply)


def _size(text: str) -> tuple[int, int]:
    width, height = (int(side) for side in text.split("x"))
    if not (16 <= width <= 4096 and 16 <= height <= 4096 and width % 2 == height % 2 == 0):
        raise argparse.ArgumentTypeError(f"{text} is not an even width and height from 16 to 4096, such as 1280x720")
    return width, height


def _fps(text: str) -> int:
    if not 1 <= (fps := int(text)) <= 120:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 120")
    return fps


def _minutes(text: str) -> int:
    if not 1 <= (minutes := int(text)) <= 480:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 480")
    return minutes


def _speed(text: str) -> float:
    if not 0.01 <= (speed := float(text)) <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not from 0.01 to 1000")
    return speed


def _demo(options: argparse.Namespace) -> int:
    folder = options.folder or Path(tempfile.mkdtemp(prefix="sotto-demo-"))
    choices = DemoChoices(folder.resolve(), options.port, options.microphone, picture=not options.no_picture)
    try:
        return run_demo(choices)
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


def _rehearse(options: argparse.Namespace) -> int:
    stage = Stage(
        sound=options.sound,
        loop=options.loop,
        size=options.size if options.picture else None,
        fps=options.fps,
        store=options.store,
        recipients=tuple(options.recipient),
        speed=options.speed,
        max_length_min=options.max_length,
    )
    moments = parse_presses(options.presses)
    with claimed(stage.store, otherwise=other_writer()):
        outcome = rehearsal_of(stage).run(moments)
    if options.json:
        print(json.dumps(outcome, indent=2, ensure_ascii=False))
    else:
        print("\n".join(tell(outcome)))
    return EXIT_DONE if outcome["recordings"] or outcome["erased"] else EXIT_NOTHING_RECORDED


def _capture(options: argparse.Namespace) -> int:
    run_capture(load_config(options.config))
    return EXIT_DONE


def _web(options: argparse.Namespace) -> int:
    from device.page_verb import run_web

    return run_web(load_config(options.config))


def _first_admin(options: argparse.Namespace) -> int:
    from device.people_verb import run_first_admin

    return run_first_admin(load_config(options.config))


def _nginx(options: argparse.Namespace) -> int:
    from device.page_verb import run_nginx

    return run_nginx(load_config(options.config), output=options.output, run=options.run, again=options.again)


def _check(options: argparse.Namespace) -> int:
    from device.check.verb import Choices, run_check

    asked = Choices(
        options.config,
        config_only=options.config_only,
        room=not options.no_room,
        clap=options.clap,
        json=options.json,
    )
    return run_check(asked)


def _status(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    status = read_status(config.box.run)
    if status is None:
        raise AdminError("the capture service has not published anything", "start it, or look into its log")
    told = status.model_dump(mode="json")
    if (sync := read_sync_status(config.box.run)) is not None:
        told["sync"] = sync.model_dump(mode="json")
    print(json.dumps(told, indent=2, ensure_ascii=False))
    return EXIT_DONE


def _audit(options: argparse.Namespace) -> int:
    from device.audit_verb import run_audit

    return run_audit(options.config, last=options.last, as_json=options.json)


def _sync(options: argparse.Namespace) -> int:
    from device.sync_verb import run_verb

    return run_verb(options.config, options.tell)


def _apply(options: argparse.Namespace) -> int:
    from device.apply_verb import run_apply

    return run_apply(options.config, settle_only=options.settle)


def _diagram(options: argparse.Namespace) -> int:
    from device.session_diagram import filled

    document: Path = options.document
    try:
        document.write_text(filled(document.read_text(encoding="utf-8")), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise AdminError(f"{document.name} cannot be brought up to date: {problem}", "name a text file") from problem
    return EXIT_DONE


def _simulated_camera(options: argparse.Namespace) -> int:
    from device.capture.picture import run_clock_camera, run_clock_stills

    control = Control(sys.stdin.fileno())
    width, height = options.size
    taken = (width, height, options.fps, options.start_us)

    def send(picture: Picture) -> None:
        write_picture(sys.stdout.buffer, picture)

    try:
        if options.stills:
            run_clock_stills(*taken, send=send)
        else:
            run_clock_camera(*taken, send=send, rung=lambda: control.rung, bitrate=options.bitrate)
    except BrokenPipeError:
        # Whoever looked is gone; nothing is left to be flushed to.
        sys.stdout = None
    return EXIT_DONE


def _picamera2_camera(options: argparse.Namespace) -> int:
    from device.capture.camera_picamera2 import run_picamera2, run_picamera2_stills

    control = Control(sys.stdin.fileno())
    # What the libraries print must not get between the pictures.
    pictures = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    width, height = options.size
    settings = CameraSettings(
        number=options.number,
        width=width,
        height=height,
        fps=options.fps,
        bitrate=options.bitrate,
        frame_format=options.frame_format,
        framing=options.framing,
        mains_hz=options.mains_hz,
        mirror=options.mirror,
        upside_down=options.upside_down,
    )

    def send(picture: Picture) -> None:
        write_picture(pictures, picture)

    if options.stills is None:
        run_picamera2(settings, rung=lambda: control.rung, send=send)
    else:
        run_picamera2_stills(settings, take=_still_taker(settings, options.stills, send=send))
    return EXIT_DONE


def _still_taker(
    settings: CameraSettings, still_size: tuple[int, int], *, send: Callable[[Picture], None]
) -> Callable[[bytes, int, int], None]:
    """What makes a JPEG of a camera's buffer, and sends it."""
    from device.capture.picture import StillEncoder, frame_of

    encoder, size = StillEncoder(*still_size), (settings.width, settings.height)

    def take(data: bytes, stride: int, at_us: int) -> None:
        frame = frame_of(data, size=size, stride=stride, frame_format=settings.frame_format)
        for picture in encoder.encode(frame, at_us):
            send(picture)

    return take
