"""The remote of a box, from its configuration; the one place that changes with the kind of server."""

from __future__ import annotations

from datetime import UTC, datetime

from device.config import Config, FolderRemote, S3Remote, SftpRemote
from device.remote import Remote
from device.remote_folder import FolderRemote as Folder
from device.remote_s3 import S3Remote as Bucket
from device.remote_sftp import sftp_remote
from device.ssh_channel import Account


def remote_of(config: Config) -> Remote:
    match config.remote:
        case FolderRemote() as section:
            return Folder(section.path)
        case S3Remote() as section:
            return Bucket(
                endpoint=section.endpoint,
                region=section.region,
                bucket=section.bucket,
                credentials=section.credentials,
                ca=section.ca,
                notes=config.sync.state if config.sync else None,
                utc=lambda: datetime.now(UTC),
            )
        case SftpRemote() as section:
            account = Account(section.host, section.port, section.user, section.key, section.host_key)
            return sftp_remote(account, folder=section.folder)
    raise RuntimeError("a fleet has no such remote")
