"""What can go wrong with a backup beside settings that are wrong (ConfigError) and a database that does not answer."""

from __future__ import annotations

from orchestrator.core.errors import VoiceError


class BackupFailed(VoiceError):
    """A backup could not be written, or not be put back. The message says what is left of it."""


class ArchiveRefused(VoiceError):
    """A file is no whole backup, or not one that this release can restore."""
