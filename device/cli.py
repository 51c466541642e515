"""The verbs of ``sotto``, and what each of them builds.

A verb loads what it alone needs: what a service never uses it does not hold in memory for weeks, and a camera's process
is there sooner. So the command line of one verb is made of that verb's part alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from device.arguments import fps, minutes, size, speed
from device.errors import AdminError, SottoError

NGINX_RUN: Final = Path("/run/sotto-nginx")

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_NOTHING_RECORDED: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    told = sys.argv[1:] if arguments is None else arguments
    options = _parser(told[0] if told else None).parse_args(told)
    verb: Callable[[argparse.Namespace], int] = options.verb
    try:
        return verb(options)
    except SottoError as problem:
        print(f"error: {problem.what}", file=sys.stderr)
        print(f"hint: {problem.hint}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED


def _parser(verb: str | None) -> argparse.ArgumentParser:
    """The command line with that verb alone; with all of them where it is none, so that the help can list them."""
    parser = argparse.ArgumentParser(prog="sotto", description="Records sessions with consent, sealed as they happen.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    named = _VERBS.get(verb or "")
    for add in dict.fromkeys(_VERBS.values()) if named is None else (named,):
        add(verbs)
    return parser


def _add_demo(verbs: Any) -> None:
    demo = verbs.add_parser("demo", help="a whole box on this computer, with a simulated room")
    demo.add_argument("--port", type=int, default=8300, help="where the page listens (default: %(default)s; 0: any)")
    demo.add_argument("--microphone", metavar="NAME", help="an ALSA device of this computer, such as default")
    demo.add_argument("--no-picture", action="store_true", help="a box without a camera")
    demo.add_argument("--folder", type=Path, help="keep everything in this folder (default: a folder that goes)")
    demo.set_defaults(verb=_demo)


def _add_rehearse(verbs: Any) -> None:
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
        "--size", type=size, default="1280x720", metavar="WxH", help="of the picture (default: %(default)s)"
    )
    rehearse.add_argument("--fps", type=fps, default=25, help="pictures a second (default: %(default)s)")
    rehearse.add_argument("--presses", required=True, metavar="SCRIPT", help='"0.2 consent, 0.6 record, 10.6 record"')
    rehearse.add_argument("--recipient", action="append", default=[], metavar="age1…", help="who can open it")
    rehearse.add_argument("--store", type=Path, required=True, metavar="DIR", help="an existing folder")
    rehearse.add_argument("--speed", type=speed, default=1.0, help="times real time (default: %(default)s)")
    rehearse.add_argument(
        "--max-length", type=minutes, default=90, metavar="MIN", help="of a session (default: %(default)s)"
    )
    rehearse.add_argument("--json", action="store_true", help="print everything as JSON")
    rehearse.set_defaults(verb=_rehearse)


def _add_capture(verbs: Any) -> None:
    _add_with_config(verbs, "capture", _capture, "the service that opens microphone and camera")


def _add_web(verbs: Any) -> None:
    _add_with_config(verbs, "web", _web, "the page")


def _add_status(verbs: Any) -> None:
    _add_with_config(verbs, "status", _status, "show what the box is doing")


def _add_first_admin(verbs: Any) -> None:
    text = "a one-time code with which somebody becomes an admin of the page"
    _add_with_config(verbs, "first-admin", _first_admin, text)


def _add_with_config(verbs: Any, name: str, verb: Callable[[argparse.Namespace], int], text: str) -> None:
    service = verbs.add_parser(name, help=text)
    service.add_argument("--config", type=Path, required=True, metavar="FILE")
    service.set_defaults(verb=verb)


def _add_nginx(verbs: Any) -> None:
    nginx = verbs.add_parser("nginx", help="write the configuration of the nginx in front of the page")
    nginx.add_argument("--config", type=Path, required=True, metavar="FILE")
    nginx.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to; the screen where it is left out")
    nginx.add_argument("--run", type=Path, default=NGINX_RUN, metavar="FOLDER", help=f"nginx's own ({NGINX_RUN})")
    nginx.add_argument(
        "--again", action="store_true", help="only where it is another than before; nginx, if it runs, reads it anew"
    )
    nginx.set_defaults(verb=_nginx)


def _add_check(verbs: Any) -> None:
    check = verbs.add_parser("check", help="find out whether this box is well, and what to do where it is not")
    check.add_argument("--config", type=Path, required=True, metavar="FILE")
    check.add_argument("--config-only", action="store_true", help="print the effective configuration and check nothing")
    check.add_argument("--no-room", action="store_true", help="open neither microphone, camera nor panel")
    check.add_argument("--clap", action="store_true", help="also measure how far sound and picture are apart")
    check.add_argument("--json", action="store_true", help="print everything as JSON")
    check.set_defaults(verb=_check)


def _add_audit(verbs: Any) -> None:
    audit = verbs.add_parser("audit", help="show the end of the audit log, and its head")
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


def _add_diagram(verbs: Any) -> None:
    diagram = verbs.add_parser("diagram", help="bring the pictures of the session in a document up to date")
    diagram.add_argument("document", type=Path, metavar="FILE")
    diagram.set_defaults(verb=_diagram)


def _add_announce(verbs: Any) -> None:
    from device.announce_verb import add_verb

    add_verb(verbs)


def _add_retention(verbs: Any) -> None:
    from device.retention_verb import add_verbs

    add_verbs(verbs)


def _add_measures(verbs: Any) -> None:
    from device.measures_verb import add_verb

    add_verb(verbs)


def _add_wishes(verbs: Any) -> None:
    from device.wishes_verb import add_verbs

    add_verbs(verbs)


def _add_update(verbs: Any) -> None:
    from device.update_verb import add_verbs

    add_verbs(verbs)


def _add_cameras(verbs: Any) -> None:
    from device.camera_verb import add_verbs

    add_verbs(verbs)


_VERBS: Final[Mapping[str, Callable[[Any], None]]] = {
    "demo": _add_demo,
    "rehearse": _add_rehearse,
    "capture": _add_capture,
    "web": _add_web,
    "status": _add_status,
    "first-admin": _add_first_admin,
    "nginx": _add_nginx,
    "check": _add_check,
    "audit": _add_audit,
    "diagram": _add_diagram,
    "announce": _add_announce,
    "retention": _add_retention,
    "hold": _add_retention,
    "release": _add_retention,
    "measures": _add_measures,
    "wishes": _add_wishes,
    "erase": _add_wishes,
    "update": _add_update,
    "sync": _add_sync,
    "apply": _add_apply,
    "simulated-camera": _add_cameras,
    "picamera2-camera": _add_cameras,
}


def _demo(options: argparse.Namespace) -> int:
    import shutil
    import tempfile

    from device.demo import DemoChoices, run_demo

    folder = options.folder or Path(tempfile.mkdtemp(prefix="sotto-demo-"))
    choices = DemoChoices(folder.resolve(), options.port, options.microphone, picture=not options.no_picture)
    try:
        return run_demo(choices)
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


def _rehearse(options: argparse.Namespace) -> int:
    from device.claim import claimed, other_writer
    from device.rehearse import Stage, parse_presses, rehearsal_of, tell

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
    from device.capture_verb import run_capture
    from device.config import load_config

    run_capture(load_config(options.config))
    return EXIT_DONE


def _web(options: argparse.Namespace) -> int:
    from device.config import load_config
    from device.page_verb import run_web

    return run_web(load_config(options.config))


def _first_admin(options: argparse.Namespace) -> int:
    from device.config import load_config
    from device.people_verb import run_first_admin

    return run_first_admin(load_config(options.config))


def _nginx(options: argparse.Namespace) -> int:
    from device.config import load_config
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
    from device.config import load_config
    from device.status import read_status
    from device.sync_status import read_sync_status

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
