"""By which key the box signs, proved to whoever asks: the clinic does when it enters the box (docs/boxes.md).

Nobody has to sign in for it: the key is public, in every manifest, and there is nobody yet who could.
"""

from __future__ import annotations

from flask import Blueprint, Response

from device.proving import prove_by_capture
from device.web.api.edges import answer, body
from device.web.api.shapes import DeviceIn, SignedDocument
from device.web.house import House
from device.web.refusals import Refusal


def device(blueprint: Blueprint, house: House) -> None:
    """The route of the box's own key."""

    @blueprint.post("/device")
    def device_key() -> Response:
        proof = prove_by_capture(bytes.fromhex(body(DeviceIn).challenge), house.run)
        if proof is None:
            raise Refusal(503, "error.api.device")
        return answer(SignedDocument.model_validate_json(proof))
