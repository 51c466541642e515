"""What an admin looks after: health, sync, retention, the audit log, certificates. No content, and no recording."""

from __future__ import annotations

from typing import Final

from device.web.box.audit import audit
from device.web.box.certificates import certificates
from device.web.box.health import health
from device.web.box.retention import retention
from device.web.box.sync import sync

BOX: Final = (health, sync, retention, audit, certificates)
