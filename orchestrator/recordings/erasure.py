"""Removing recordings for good."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import obstore
from obstore.exceptions import BaseError

from orchestrator.core.errors import RecordingUnavailable
from orchestrator.store.recordings_repository import RecordingsRepository
from telephony.recording.journal import erase_journal
from telephony.recording.objects import ObjectStore, recording_prefix


class RecordingErasure:
    """Erases recordings of calls that are over. journals: folder of what has yet to become objects."""

    def __init__(self, recordings: RecordingsRepository, objects: ObjectStore, journals: Path) -> None:
        self._recordings = recordings
        self._objects = objects
        self._journals = journals

    async def delete(self, account: UUID, call_id: UUID) -> int:
        """Remove journal, objects and key; the objects that there were. A second time finds nothing and does nothing.

        Whoever is just making an object of the journal removes that again when it finds the journal gone. The key goes
        last, so that what failed can be tried again. Raises RecordingUnavailable when the object store does not answer,
        StoreUnavailable.
        """
        await asyncio.to_thread(erase_journal, self._journals, call_id)
        try:
            removed = await asyncio.to_thread(self._remove, recording_prefix(account, call_id))
        except FileNotFoundError:
            removed = 0
        except (BaseError, OSError) as error:
            raise RecordingUnavailable(f"the object store does not answer: {type(error).__name__}") from error
        await self._recordings.delete(account, call_id)
        return removed

    def _remove(self, prefix: str) -> int:
        """In a thread: a process that has awaited obstore may be aborted by it at its exit."""
        keys = [one["path"] for batch in obstore.list(self._objects, prefix) for one in batch]
        if keys:
            obstore.delete(self._objects, keys)
        return len(keys)
