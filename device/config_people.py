"""The people's section of the configuration: whom the page knows, where the clinic says so."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from device.config_parts import AbsolutePath, Section


class _PeopleSection(Section):
    """``file``: as the clinic signed it (device/clinic_people.py), by the key that ``recipients.clinic_key`` names."""

    file: AbsolutePath


def _signed(section: _PeopleSection, info: ValidationInfo) -> _PeopleSection:
    recipients = info.data.get("recipients")
    if recipients is not None and recipients.clinic_key is None:
        raise ValueError("it has to be signed, and recipients.clinic_key says by whom")
    return section


PeopleSection = Annotated[_PeopleSection, AfterValidator(_signed)]
