"""The recordings of an installation: their keys, their objects and their rows, put together from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog

from orchestrator.access.keys import kept_key
from orchestrator.core.events import Recorder
from orchestrator.core.ports import CallLeg
from orchestrator.recordings.call_recording import LegRecording
from orchestrator.recordings.completion import Completion
from orchestrator.recordings.editions import Editions
from orchestrator.recordings.erasure import RecordingErasure
from orchestrator.recordings.keyring import Keyring
from orchestrator.recordings.library import Library
from orchestrator.recordings.masters import LocalMaster, MasterKey, Vault, VaultMaster
from orchestrator.settings import Settings
from orchestrator.store.account_keys_repository import AccountKeysRepository
from orchestrator.store.db import Database
from orchestrator.store.recordings_repository import RecordingsRepository
from telephony.recording import open_objects

log = structlog.get_logger(__name__)


class Archive:
    """keyring: of the accounts; library: for who plays recordings; erasure: for who removes them; editions: for who
    silences something in them; recordings: what the database knows of them.

    Raises ConfigError for a master key or an object store that can never work.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        objects = open_objects(settings.object_store)
        recordings = self.recordings = RecordingsRepository(database)
        self.keyring = Keyring(_master(settings), AccountKeysRepository(database), _older(settings))
        self.library = Library(recordings, self.keyring, objects)
        self.erasure = RecordingErasure(recordings, objects, settings.journals)
        self.editions = Editions(self.keyring, objects)
        self._completion = Completion(recordings, self.keyring, objects)

    def recording(self, recorder: Recorder, account: UUID, call_id: UUID, leg: CallLeg) -> LegRecording:
        """The one that may be made of a call."""
        return LegRecording(self.keyring, recorder, account, call_id, leg)

    @asynccontextmanager
    async def completing(self) -> AsyncIterator[None]:
        """During the block, what has come to its end becomes playable. Keys under the old master key get the present
        one. Raises RecordingDamaged and RecordingUnavailable when they do not open.
        """
        if wrapped := await self.keyring.rotate():
            log.info("account_keys_wrapped_anew", keys=wrapped)
        completing = asyncio.create_task(self._completion.run(), name="completion of recordings")
        try:
            yield
        finally:
            completing.cancel()
            with suppress(asyncio.CancelledError):
                await completing


def _master(settings: Settings) -> MasterKey:
    if settings.vault_address is not None and settings.vault_token_file is not None:
        vault = Vault(settings.vault_address, settings.vault_token_file, settings.vault_key, settings.vault_mount)
        return VaultMaster(vault)
    return LocalMaster(kept_key(settings.master_key_file or settings.data / "keys" / "master.key"))


def _older(settings: Settings) -> tuple[MasterKey, ...]:
    return () if settings.old_master_key_file is None else (LocalMaster(kept_key(settings.old_master_key_file)),)
