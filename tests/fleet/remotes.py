"""The remote of a box, from its configuration; the one place that changes with the kind of server."""

from __future__ import annotations

from datetime import UTC, datetime

from device.config import Config, FolderRemote, S3Remote
from device.remote import Remote
from device.remote_folder import FolderRemote as Folder


def remote_of(config: Config) -> Remote:
    match config.remote:
        case FolderRemote() as section:
            return Folder(section.path)
        case S3Remote() as section:
            from device.remote_s3 import S3Remote as S3

            return S3(
                endpoint=section.endpoint,
                region=section.region,
                bucket=section.bucket,
                credentials=section.credentials,
                ca=section.ca,
                notes=config.sync.state if config.sync else None,
                utc=lambda: datetime.now(UTC),
            )
    raise RuntimeError("a fleet has no such remote")
