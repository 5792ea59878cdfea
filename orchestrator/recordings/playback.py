"""The samples of a complete recording, any part of it, a segment in memory at a time.

All of it waits for the object store: iterate in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
import obstore
from numpy.typing import NDArray
from obstore.exceptions import BaseError

from orchestrator.core.errors import RecordingDamaged, RecordingUnavailable
from orchestrator.store.recordings_repository import StoredRecording
from telephony.recording.objects import ObjectStore, segment_key
from telephony.recording.sealing import SEGMENT_CHUNKS, ContentKey, Layout, Seal


class Channel(StrEnum):
    """Which side is heard; both: caller left, agent right."""

    CALLER = "caller"
    AGENT = "agent"
    BOTH = "both"

    @property
    def columns(self) -> slice:
        """Of the frames."""
        return {Channel.CALLER: slice(0, 1), Channel.AGENT: slice(1, 2), Channel.BOTH: slice(0, 2)}[self]

    @property
    def width(self) -> int:
        """Channels of the audio."""
        return 2 if self is Channel.BOTH else 1


class Playback:
    """One recording, with its key. frames: of all of it."""

    def __init__(self, recording: StoredRecording, key: ContentKey, objects: ObjectStore) -> None:
        assert recording.samples is not None, "only a complete recording is played"
        self.rate = recording.rate
        self.frames = recording.samples
        self._recording = recording
        self._objects = objects
        self._layout = Layout(recording.rate)
        self._size = self._layout.size(self.frames)
        self._seal = Seal(recording.call_id, recording.rate, key.secret)

    def read(self, start: int, stop: int, channel: Channel) -> Iterator[NDArray[np.int16]]:
        """Frames *start* to *stop*, in pieces of shape (n, channels). Raises RecordingUnavailable, RecordingDamaged."""
        whole = self._layout.chunk_frames
        while start < stop:
            first = start // whole
            # As far as the segment goes, or the last frame that is wanted.
            last = min(first // SEGMENT_CHUNKS * SEGMENT_CHUNKS + SEGMENT_CHUNKS - 1, (stop - 1) // whole)
            pcm = b"".join(self._opened(first, last))
            frames = np.frombuffer(pcm, "<i2").reshape(-1, 2)[start - first * whole : stop - first * whole]
            yield frames[:, channel.columns]
            start += len(frames)

    def _opened(self, first: int, last: int) -> Iterator[bytes]:
        """Chunks *first* to *last* of one segment."""
        sealed = self._fetched(first, last)
        size = self._layout.sealed_bytes
        for index in range(first, last + 1):
            place = (index - first) * size
            yield self._seal.open(index, sealed[place : place + size])

    def _fetched(self, first: int, last: int) -> bytes:
        size = self._layout.sealed_bytes
        end = min((last + 1) * size, self._size)
        recording = self._recording
        key = segment_key(recording.account_id, recording.call_id, first // SEGMENT_CHUNKS, recording.edition)
        start, wanted = first % SEGMENT_CHUNKS * size, end - first * size
        segment = f"segment {first // SEGMENT_CHUNKS}"
        try:
            try:
                found = bytes(obstore.get_range(self._objects, key, start=start, length=wanted))
            except BaseError:
                # A range that reaches past the end is an error like any other to some stores: only the size tells.
                if obstore.head(self._objects, key)["size"] >= start + wanted:
                    raise
                found = b""
        except FileNotFoundError as error:
            raise RecordingDamaged(f"{segment} is missing") from error
        except (BaseError, OSError) as error:
            raise RecordingUnavailable(f"the object store does not answer: {type(error).__name__}") from error
        if len(found) != wanted:
            raise RecordingDamaged(f"{segment} was cut short")
        return found
