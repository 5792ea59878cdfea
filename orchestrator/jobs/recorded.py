"""What jobs share that listen to recordings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Final, Protocol
from uuid import UUID

import numpy as np

from orchestrator.core.audio import Pcm
from orchestrator.core.errors import ApiError, ConfigError, RecordingDamaged, RecordingUnavailable
from orchestrator.core.ports import Recognizer
from orchestrator.jobs.kinds import JobFailed, Retries
from orchestrator.recordings.playback import Channel, Playback
from orchestrator.store.jobs import Job
from orchestrator.store.recordings_repository import StoredRecording

LIMIT: Final = 6 * 3600.0
"""Seconds: an hour of a call by a large model, behind everything else."""
RETRIES: Final = Retries(attempts=12, first=30.0)
"""Object stores are away for hours, and nobody waits."""


class RecognizerReach(Protocol):
    """The way to a recogniser that no call waits for. wanted: whether recordings are to be transcribed."""

    @property
    def wanted(self) -> bool:
        """See above."""
        ...

    def opened(self) -> AbstractAsyncContextManager[Recognizer]:
        """It, for the block. Raises ConfigError when its model is not here, EngineError when it does not start."""
        ...


class Library(Protocol):
    """Where recordings are."""

    async def find(self, account: UUID, call_id: UUID) -> StoredRecording | None:
        """What is known of the recording of a call."""
        ...

    async def open(self, account: UUID, call_id: UUID) -> Playback:
        """It, to be read. Raises ApiError 404 or 409, RecordingUnavailable, RecordingDamaged."""
        ...

    async def unmasked(self, recording: StoredRecording) -> Playback:
        """It as it was recorded, for who masks it. Raises RecordingUnavailable, RecordingDamaged."""
        ...


def call_of(job: Job) -> UUID:
    """The call that *job* is about. Raises JobFailed when it names none."""
    if job.call_id is None:
        raise JobFailed("bad_payload", again=False)
    return job.call_id


def sound(playback: Playback, first: int, last: int, channel: Channel) -> Pcm:
    """The frames of one side. Raises RecordingUnavailable, RecordingDamaged; waits for the object store."""
    return np.concatenate([frames[:, 0] for frames in playback.read(first, last, channel)])


@contextmanager
def recording_failures() -> Iterator[None]:
    """What fails within the block about a recording, or the recogniser of it, raises JobFailed."""
    try:
        yield
    except ApiError as error:
        raise JobFailed(error.code) from error
    except RecordingUnavailable as error:
        raise JobFailed("recording_unavailable") from error
    except RecordingDamaged as error:
        raise JobFailed("recording_damaged", again=False) from error
    except ConfigError as error:
        raise JobFailed("no_model", again=False) from error
