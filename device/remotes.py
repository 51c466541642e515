"""The remote that a section ``[remote]`` names, built: for the box's sync and for the clinic's desk alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from device import config
from device.remote import SILENCE_S, Remote


def remote_of(
    section: config.AnyRemote, *, notes: Path | None, utc: Callable[[], datetime], silence_s: float = SILENCE_S
) -> Remote:
    """The remote; nothing connects yet.

    ``notes``: a folder for what is under way; ``None``: a cut starts at the beginning. ``utc``: the wall clock.
    ``silence_s``: for how long a server that says nothing is waited for, where the remote is a server.
    """
    # Each kind loads what it alone needs.
    match section:
        case config.FolderRemote():
            from device.remote_folder import FolderRemote

            return FolderRemote(section.path)
        case config.SftpRemote():
            from device.remote_sftp import sftp_remote
            from device.ssh_channel import Account

            account = Account(section.host, section.port, section.user, section.key, section.host_key)
            return sftp_remote(account, folder=section.folder, silence_s=silence_s)
        case config.S3Remote():
            from device.remote_s3 import S3Remote

            return S3Remote(
                endpoint=section.endpoint,
                region=section.region,
                bucket=section.bucket,
                credentials=section.credentials,
                ca=section.ca,
                notes=notes,
                utc=utc,
                silence_s=silence_s,
            )
