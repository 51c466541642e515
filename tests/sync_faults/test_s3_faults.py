"""Everything that can be wrong with an S3 server. It is Ceph's; what that does not do, a proxy before it does."""

from __future__ import annotations

import hashlib
import select
import socket
from dataclasses import replace

import pytest

from device.recording import SESSION_NAME
from tests.remote.certificates import DAY
from tests.sync_faults.box import Box
from tests.sync_faults.clinics import S3Clinic
from tests.sync_faults.conftest import TOLD, Boxes
from tests.sync_faults.proxy import Message, Mischief, Onward, answer, honest
from tests.sync_faults.suffering import MIB, Fault, arrives, suffer
from tests.sync_faults.wire import HOST

SPOILED = "is not what was sent, also after it was sent again"
COMPLETED = """<?xml version="1.0" encoding="UTF-8"?>
<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Location>{name}</Location><Bucket>b</Bucket><Key>k</Key><ETag>"0123456789abcdef0123456789abcdef-3"</ETag>
</CompleteMultipartUploadResult>"""


def killed_later(clinic: S3Clinic) -> None:
    clinic.wire.at(clinic.wire.sent_bytes + 30 * MIB, clinic.kill)


def expired(clinic: S3Clinic) -> None:
    clinic.show(clinic.authority.issue(HOST, starts=-30 * DAY, ends=-DAY))


def of_another_server(clinic: S3Clinic) -> None:
    clinic.show(clinic.authority.issue("127.0.0.99"))


def proxied(mischief: Mischief, what: str, *, must_act: bool = False, size_bytes: int = 3 * MIB) -> Fault[S3Clinic]:
    """A proxy that does so until it is mended."""

    def harm(clinic: S3Clinic) -> None:
        clinic.proxy.mischief = mischief

    def mend(clinic: S3Clinic) -> None:
        clinic.proxy.mischief = honest

    return Fault(what, must_act, harm=harm, mend=mend, size_bytes=size_bytes)


def moved(_request: Message, _onward: Onward) -> Message:
    return answer(307, location="https://elsewhere.invalid/recordings/x")


def busy(_request: Message, _onward: Onward) -> Message:
    return answer(503, b"<Error><Code>SlowDown</Code></Error>", retry_after="3600")


def captive(_request: Message, _onward: Onward) -> Message:
    """The page of a network that wants a login first."""
    return answer(200, b"<html><body>Welcome, please accept our terms</body></html>", content_type="text/html")


def asked_for_recording(request: Message, method: str) -> bool:
    return request.method == method and request.target.partition("?")[0].endswith(f"/{SESSION_NAME}")


def lies(request: Message, onward: Onward) -> Message:
    """Says that it stored a recording, and throws it away."""
    if asked_for_recording(request, "PUT") and "?" not in request.target:
        return answer(200, etag=f'"{hashlib.md5(request.body, usedforsecurity=False).hexdigest()}"')
    return onward(request)


def lies_at_the_end(request: Message, onward: Onward) -> Message:
    """Takes all parts, says that it put them together, and does not."""
    if asked_for_recording(request, "POST") and "?uploadId=" in request.target:
        name = request.target.partition("?")[0]
        return answer(200, COMPLETED.format(name=name).encode(), content_type="application/xml")
    return onward(request)


def half_is_there(request: Message, onward: Onward) -> Message:
    """Has only half of what it was given, and is content with it."""
    told = onward(request)
    if asked_for_recording(request, "GET") and told.status == 200:
        return answer(200, told.body[: len(told.body) // 2])
    return told


def breaks_off(request: Message, onward: Onward) -> Message:
    """Announces all of it, and hangs up in the middle."""
    told = onward(request)
    if asked_for_recording(request, "GET"):
        told.body, told.keep_length = told.body[: len(told.body) // 2], True
    return told


def turns_a_bit(clinic: S3Clinic) -> Mischief:
    """What was stored is altered behind the server's back before it is read again."""

    def mischief(request: Message, onward: Onward) -> Message:
        if asked_for_recording(request, "GET") and "?" not in request.target:
            clinic.damage(request.target.partition("?")[0].split("/", 2)[2])
        return onward(request)

    return mischief


def damaged() -> Fault[S3Clinic]:
    def harm(clinic: S3Clinic) -> None:
        clinic.proxy.mischief = turns_a_bit(clinic)

    return replace(proxied(honest, SPOILED, must_act=True), harm=harm)


FAULTS: dict[str, Fault[S3Clinic]] = {
    "connection refused": Fault(
        "cannot be made", harm=lambda clinic: clinic.wire.close(), mend=lambda clinic: clinic.wire.open()
    ),
    "unknown name of a host": Fault("cannot be made", lines=lambda clinic: clinic.lines(host="clinic.invalid")),
    "server off": Fault("", harm=S3Clinic.kill, mend=S3Clinic.start),
    "server killed in the middle": Fault("", harm=killed_later, mend=S3Clinic.start, size_bytes=48 * MIB),
    "wrong credentials": Fault(
        "does not know these credentials", True, harm=S3Clinic.wrong_credentials, mend=S3Clinic.own_credentials
    ),
    "wrong CA": Fault("certificate", True, harm=S3Clinic.wrong_ca, mend=S3Clinic.own_ca),
    "expired certificate": Fault("has expired", True, harm=expired, mend=S3Clinic.own_certificate),
    "certificate of another server": Fault("certificate", True, harm=of_another_server, mend=S3Clinic.own_certificate),
    "redirect": proxied(moved, "elsewhere", must_act=True),
    "503 storm with Retry-After": proxied(busy, "cannot do it now"),
    "something else answers": proxied(captive, "something answers"),
    "says stored, is not": proxied(lies, SPOILED, must_act=True),
    "says put together, is not": proxied(lies_at_the_end, SPOILED, must_act=True, size_bytes=20 * MIB),
    "has only half of it": proxied(half_is_there, SPOILED, must_act=True),
    "hangs up in the middle of reading": proxied(breaks_off, "broke"),
    "a bit turned behind the server's back": damaged(),
    "quota used up": Fault(
        "no room", True, harm=lambda clinic: clinic.quota(MIB), mend=lambda clinic: clinic.quota(None)
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_recording_stays_here_and_is_told_of_until_it_can_go(box: Box, s3: S3Clinic, fault: str) -> None:
    suffer(box, s3, f"S3: {fault}", FAULTS[fault], TOLD)


def test_a_server_that_names_a_time_is_let_alone_until_then(box: Box, s3: S3Clinic) -> None:
    box.configure(s3.lines(), secrets=s3.secrets)
    box.start()
    s3.proxy.mischief = busy
    recording = box.record(MIB)
    box.hurry()
    status = box.until(lambda status: (status.next_try_s or 0) > 3500)
    assert status.state == "held up"
    s3.proxy.mischief = honest
    arrives(box, s3, recording)


def test_a_redirect_is_not_followed(box: Box, s3: S3Clinic) -> None:
    with socket.create_server((HOST, 0)) as elsewhere:
        address = f"https://{HOST}:{elsewhere.getsockname()[1]}/"
        s3.proxy.mischief = lambda _request, _onward: answer(307, location=address)
        box.configure(s3.lines(), secrets=s3.secrets)
        box.start()
        recording = box.record(MIB)
        box.hurry()
        box.until_trouble(what="elsewhere")
        assert not select.select([elsewhere], [], [], 0)[0]
    s3.proxy.mischief = honest
    arrives(box, s3, recording)


def test_a_link_that_carries_nothing_is_given_up_and_told(boxes: Boxes, s3: S3Clinic) -> None:
    def harm(clinic: S3Clinic) -> None:
        clinic.wire.at(clinic.wire.sent_bytes + 2 * MIB, clinic.wire.fall_silent)

    wrong = Fault[S3Clinic]("silent", harm=harm, mend=lambda clinic: clinic.wire.speak())
    suffer(boxes.impatient(), s3, "S3: a link that carries nothing any more", wrong, TOLD)
