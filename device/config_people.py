"""The people's section of the configuration: whom the page knows, where the clinic says so."""

from __future__ import annotations

from device.config_parts import AbsolutePath, Section


class PeopleSection(Section):
    """``file``: as the clinic signed it (device/clinic_people.py), by the key that ``recipients.clinic_key`` names."""

    file: AbsolutePath
