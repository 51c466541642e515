"""Builds what proves the box's key to the clinic."""

from __future__ import annotations

from device.config import Config
from device.datagrams import PAGE_USER, users_named
from device.devicekey import load_or_make_device_key
from device.proving import PROOF_SOCKET_NAME, ProofServer
from device.recording.enrolment import ENROLMENT_KIND, enrolment
from device.recording.signing import sign_line


def proof_server(config: Config) -> ProofServer:
    """The socket on which the page asks for it.

    Raises:
        AdminError: the device key cannot be used, or no socket can be made.
    """
    key, box = load_or_make_device_key(config.box.device_key), config.box.name
    return ProofServer(
        config.box.run / PROOF_SOCKET_NAME,
        lambda challenge: sign_line(ENROLMENT_KIND, enrolment(box=box, challenge=challenge), key),
        users=users_named(PAGE_USER),
    )
