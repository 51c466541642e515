"""The page's section of the configuration: where it is found, and by whom it is served."""

from __future__ import annotations

from typing import Annotated, Literal

from device.config_parts import AbsolutePath, Section
from device.measures.plain import Sentences
from device.shapes import rule

# What a browser shows of an address: a name, an IPv4 address, or an IPv6 address in brackets.
HostName = Annotated[str, rule(pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\])$")]


class NginxSection(Section):
    """Behind nginx: by which names it is reached, the certificate and its key, and the socket between the two.

    ``certificate``: a file, or a folder of certificates that were made ahead (``device/tls_series.py``). ``authority``:
    the clinic's own, which has to have issued them.
    """

    names: Annotated[tuple[HostName, ...], rule(min_length=1, max_length=16)]
    certificate: AbsolutePath
    key: AbsolutePath
    socket: AbsolutePath
    authority: AbsolutePath | None = None

    def _check(self) -> None:
        if self.key == self.certificate:
            raise ValueError("certificate and key have to be two files, as the page reads the certificate")


class HelpSection(Section):
    """The clinic's own words beside its measures, where it has some: whom to call is for the clinic to say, not for us.

    ``client``: on the tablet before the first question and at the end. ``therapist``: where it is handed over.
    """

    client: Sentences | None = None
    therapist: Sentences | None = None


class WebSection(Section):
    """Where the page is found, and the folder of its own in which it keeps its people.

    Without ``nginx`` it listens to this computer only, in plain; with it nginx listens at ``port``, by TLS alone.
    """

    state: AbsolutePath
    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    port: Annotated[int, rule(ge=0, le=65535)]
    measures: AbsolutePath | None = None  # a folder of the clinic's own
    first_admin: AbsolutePath | None = None  # the digest of a code with which the first admin comes in
    help: HelpSection = HelpSection()
    nginx: NginxSection | None = None
