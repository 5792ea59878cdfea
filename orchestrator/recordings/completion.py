"""Says of every recording how long it is, once all of it is in the object store."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import obstore
import structlog
from obstore.exceptions import BaseError

from orchestrator.core.clock import Clock
from orchestrator.core.errors import RecordingDamaged, RecordingUnavailable, StoreUnavailable
from orchestrator.recordings.keyring import Keyring
from orchestrator.store.recordings_repository import RecordingsRepository, StoredRecording
from telephony.recording.objects import END, ObjectStore, end_key, recording_prefix, segment_key, segment_name
from telephony.recording.sealing import FRAME_BYTES, TAG_BYTES, Layout, Seal

log = structlog.get_logger(__name__)

_PAUSE: Final = 1.0
# What is not there by then waits for the next start: its gateway is away for longer.
_HOPED_FOR: Final = timedelta(days=1)


# What never comes, such as of a call whose disk was full, is looked for less and less often.
_LONGEST_WAIT: Final = 300.0


class Completion:
    """Looks for recordings whose last object has come. now: seconds of any clock."""

    def __init__(
        self,
        recordings: RecordingsRepository,
        keyring: Keyring,
        objects: ObjectStore,
        now: Clock = time.monotonic,
    ) -> None:
        self._recordings = recordings
        self._keyring = keyring
        self._objects = objects
        self._now = now
        self._missed: dict[UUID, tuple[float, float]] = {}  # since when, and until when it is left alone

    async def run(self) -> None:
        """Until cancelled."""
        since: datetime | None = None
        while True:
            try:
                await self.look(since)
                since = datetime.now(UTC) - _HOPED_FOR
            except (StoreUnavailable, BaseError, OSError) as error:
                log.info("completion_waits", error=type(error).__name__)
            await asyncio.sleep(_PAUSE)

    async def look(self, ended_after: datetime | None = None) -> None:
        """Complete what can be."""
        found = await self._recordings.incomplete(ended_after)
        self._missed = {one.call_id: self._missed[one.call_id] for one in found if one.call_id in self._missed}
        for recording in found:
            now = self._now()
            since, until = self._missed.get(recording.call_id, (now, now))
            if until > now:
                continue
            try:
                complete = await self._complete(recording)
            except (RecordingDamaged, RecordingUnavailable) as error:
                log.warning("recording_unreadable", call=str(recording.call_id), error=str(error))
                complete = False
            if not complete:
                wait = min(max(_PAUSE, (now - since) / 2), _LONGEST_WAIT)
                self._missed[recording.call_id] = (since, now + wait)

    async def _complete(self, recording: StoredRecording) -> bool:
        account, call_id = recording.account_id, recording.call_id
        try:
            ended = await asyncio.to_thread(self._read, end_key(account, call_id))
        except FileNotFoundError:
            return False
        recovered = ended == b"r"
        samples = await self._samples(recording)
        await self._recordings.complete(call_id, samples, recovered=recovered)
        log.info("recording_complete", call=str(call_id), seconds=samples / recording.rate, recovered=recovered)
        return True

    async def _samples(self, recording: StoredRecording) -> int:
        """Of all that is stored without a gap. A chunk that was cut off by the death of its writer does not count."""
        layout = Layout(recording.rate)
        sizes = await asyncio.to_thread(self._sizes, recording)
        size = segments = 0
        while (found := sizes.get(segment_name(segments))) is not None:
            size, segments = size + found, segments + 1
            if found != layout.segment_bytes:
                break
        if len(sizes) != segments:
            log.error("recording_has_a_gap", call=str(recording.call_id), after_segment=segments)
        chunks, rest = divmod(size, layout.sealed_bytes)
        samples = chunks * layout.chunk_frames
        if rest <= TAG_BYTES:
            return samples
        key = await self._keyring.found(recording.account_id, recording.call_id, recording.wrapped_key)
        last = segment_key(recording.account_id, recording.call_id, segments - 1)
        tail = await asyncio.to_thread(self._read, last, sizes[segment_name(segments - 1)] - rest)
        try:
            return samples + len(Seal(recording.call_id, recording.rate, key.secret).open(chunks, tail)) // FRAME_BYTES
        except RecordingDamaged:
            return samples

    # In threads: a process that has awaited obstore may be aborted by it at its exit.

    def _read(self, key: str, start: int = 0) -> bytes:
        """An object from byte *start* on. Raises FileNotFoundError."""
        return bytes(obstore.get(self._objects, key).bytes())[start:]

    def _sizes(self, recording: StoredRecording) -> dict[str, int]:
        prefix = recording_prefix(recording.account_id, recording.call_id)
        listed = (one for batch in obstore.list(self._objects, prefix) for one in batch)
        sizes = {one["path"].rpartition("/")[2]: one["size"] for one in listed}
        sizes.pop(END, None)
        return sizes
