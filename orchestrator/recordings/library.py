"""Recordings for whoever may hear them."""

from __future__ import annotations

from uuid import UUID

from orchestrator.core.errors import ApiError
from orchestrator.recordings.keyring import Keyring
from orchestrator.recordings.playback import Playback
from orchestrator.store.recordings_repository import RecordingsRepository, StoredRecording
from telephony.recording.objects import ObjectStore


class Library:
    """The recordings of all accounts; every question names one."""

    def __init__(self, recordings: RecordingsRepository, keyring: Keyring, objects: ObjectStore) -> None:
        self._recordings = recordings
        self._keyring = keyring
        self._objects = objects

    async def find(self, account: UUID, call_id: UUID) -> StoredRecording | None:
        """What is known of the recording of a call."""
        return await self._recordings.find(account, call_id)

    async def open(self, account: UUID, call_id: UUID) -> Playback:
        """The recording, to be played.

        Raises ApiError 404 when there is none, or 409 while it is not complete or what is personal can still be heard;
        RecordingUnavailable, RecordingDamaged.
        """
        found = await self.find(account, call_id)
        if found is None:
            raise ApiError(404, "recording_not_found", f"there is no recording of a call {call_id}")
        if found.samples is None:
            raise ApiError(409, "recording_not_complete", "the recording is still being made; try again soon")
        if not found.playable:
            raise ApiError(409, "recording_not_masked", "what is personal in it is yet to be silenced; try again soon")
        return await self.unmasked(found)

    async def unmasked(self, recording: StoredRecording) -> Playback:
        """It as it was recorded, for who masks it. Raises RecordingUnavailable, RecordingDamaged."""
        key = await self._keyring.found(recording.account_id, recording.call_id, recording.wrapped_key)
        return Playback(recording, key, self._objects)
