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
        removed = await asyncio.to_thread(remove_objects, self._objects, recording_prefix(account, call_id))
        await self._recordings.delete(account, call_id)
        return removed


def remove_objects(objects: ObjectStore, prefix: str, but: str | None = None) -> int:
    """Remove what has a key that begins with *prefix*, and not with *but*; how many those were.

    In a thread: a process that has awaited obstore may be aborted by it at its exit. Raises RecordingUnavailable when
    the object store does not answer.
    """
    try:
        keys = [one["path"] for batch in obstore.list(objects, prefix) for one in batch]
        gone = [key for key in keys if but is None or not key.startswith(but)]
        if gone:
            obstore.delete(objects, gone)
    except FileNotFoundError:
        return 0
    except (BaseError, OSError) as error:
        raise RecordingUnavailable(f"the object store does not answer: {type(error).__name__}") from error
    return len(gone)
