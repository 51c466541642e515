"""Passkeys (WebAuthn): the ceremonies, apart from where anything is kept. The only home of ``webauthn``.

A passkey is bound to the box's own name, so there are none where the box has none. The authenticator has to make sure
itself who holds it (a finger, a face, a PIN), so that a passkey is both factors at once.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from device.people.person import Person
from device.people.refused import Reason, RefusedError

Said = dict[str, Any]
"""What a browser says or is told, as JSON."""

# The library checks most of what a stranger may send, and trips over the rest.
_BROKEN: Final = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, struct.error)


@dataclass(frozen=True, slots=True)
class Site:
    """What a passkey is bound to: the box's DNS name, the origins of its page, and what people call it."""

    name: str
    origins: tuple[str, ...]
    box: str


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey as the box remembers it; ``uses`` is the authenticator's own count, often always 0."""

    id: bytes
    public_key: bytes
    uses: int


def adding_options(site: Site, person: Person, challenge: bytes, *, there: Sequence[bytes]) -> Said:
    """What a browser is told that is to make a passkey. ``there``: the ids of the person's passkeys so far."""
    return options_to_json_dict(
        generate_registration_options(
            rp_id=site.name,
            rp_name=f"Sotto {site.box}",
            user_id=person.mark.encode(),
            user_name=person.login,
            user_display_name=person.name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in there],
        )
    )


def added(site: Site, challenge: bytes, said: Said) -> Made:
    """The passkey that was made.

    Raises:
        RefusedError: it was not, or not for us, or not for this challenge.
    """
    try:
        verified = verify_registration_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=list(site.origins),
            require_user_verification=True,
        )
    except _BROKEN as problem:
        raise RefusedError(Reason.PASSKEY) from problem
    return Made(verified.credential_id, verified.credential_public_key, verified.sign_count)


def asking_options(site: Site, challenge: bytes) -> Said:
    """What a browser is told that is to prove a passkey; whose is not asked, its answer says so."""
    return options_to_json_dict(
        generate_authentication_options(
            rp_id=site.name, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
    )


def proven(site: Site, challenge: bytes, said: Said, known: Made) -> int:
    """How often the authenticator says that the passkey was used, if it is proven.

    Raises:
        RefusedError: it is not.
    """
    try:
        verified = verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=list(site.origins),
            credential_public_key=known.public_key,
            credential_current_sign_count=known.uses,
            require_user_verification=True,
        )
    except _BROKEN as problem:
        raise RefusedError(Reason.PASSKEY) from problem
    return verified.new_sign_count


def answered(said: Said) -> tuple[bytes, bytes]:
    """The challenge that an answer is to, and the id of the passkey; nothing of it is proven yet.

    Raises:
        RefusedError: it is no answer.
    """
    try:
        client_data = base64url_to_bytes(said["response"]["clientDataJSON"])
        return parse_client_data_json(client_data).challenge, base64url_to_bytes(said["rawId"])
    except _BROKEN as problem:
        raise RefusedError(Reason.PASSKEY) from problem
