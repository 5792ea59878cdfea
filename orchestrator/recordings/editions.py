"""Recordings in which something was silenced after the call: new objects under a new key, beside those of the call.

A key seals every chunk once, so what was changed needs another (telephony.recording.sealing).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
import obstore
from numpy.typing import NDArray
from obstore.exceptions import BaseError

from orchestrator.core.errors import RecordingUnavailable
from orchestrator.recordings.erasure import remove_objects
from orchestrator.recordings.keyring import Keyring
from orchestrator.recordings.playback import Channel, Playback
from orchestrator.store.recordings_repository import StoredRecording
from telephony.recording.objects import ObjectStore, edition_prefix, recording_prefix, segment_key
from telephony.recording.sealing import SEGMENT_CHUNKS, Layout, Seal


@dataclass(frozen=True, slots=True)
class Audible:
    """What of one side may be heard: frames in one of *kept* and in none of *silenced*, each from first to last."""

    kept: Sequence[tuple[int, int]] = ()
    silenced: Sequence[tuple[int, int]] = ()

    def within(self, first: int, last: int) -> NDArray[np.bool_]:
        """Which of the frames *first* to *last*."""
        heard = np.zeros(last - first, dtype=np.bool_)
        for ranges, audible in ((self.kept, True), (self.silenced, False)):
            for start, stop in ranges:
                heard[max(start - first, 0) : max(stop - first, 0)] = audible
        return heard


@dataclass(frozen=True, slots=True)
class Edition:
    """Objects of a recording. id: what their keys have in common; wrapped_key: what opens them."""

    id: UUID
    wrapped_key: bytes = field(repr=False)


class Editions:
    """Makes them, and removes what they replace."""

    def __init__(self, keyring: Keyring, objects: ObjectStore) -> None:
        self._keyring = keyring
        self._objects = objects

    async def write(self, recording: StoredRecording, played: Playback, audible: Mapping[Channel, Audible]) -> Edition:
        """*played*, of *recording*, with silence for what is not *audible* of its two sides; nobody knows of it yet.

        Raises RecordingUnavailable, RecordingDamaged, StoreUnavailable.
        """
        account, call = recording.account_id, recording.call_id
        key, wrapped = await self._keyring.new(account, call)
        edition = Edition(uuid4(), wrapped)
        seal = Seal(call, recording.rate, key.secret)
        whole = Layout(recording.rate).chunk_frames * SEGMENT_CHUNKS
        for number, first in enumerate(range(0, played.frames, whole)):

            def write(number: int = number, first: int = first) -> None:
                frames = _silenced(played, audible, first, min(first + whole, played.frames))
                name = segment_key(account, call, number, edition.id)
                self._put(name, _sealed(seal, recording.rate, number * SEGMENT_CHUNKS, frames))

            # In a thread: a process that has awaited obstore may be aborted by it at its exit.
            await asyncio.to_thread(write)
        return edition

    async def sweep(self, account: UUID, call: UUID, keep: UUID | None) -> int:
        """Remove all objects of a recording but those of edition *keep*; how many. Raises RecordingUnavailable."""
        kept = None if keep is None else edition_prefix(account, call, keep)
        return await asyncio.to_thread(remove_objects, self._objects, recording_prefix(account, call), kept)

    def _put(self, key: str, data: bytes) -> None:
        try:
            obstore.put(self._objects, key, data)
        except (BaseError, OSError) as error:
            raise RecordingUnavailable(f"the object store does not answer: {type(error).__name__}") from error


def _silenced(played: Playback, audible: Mapping[Channel, Audible], first: int, last: int) -> NDArray[np.int16]:
    """Frames *first* to *last*, shape (n, 2)."""
    frames = np.concatenate(list(played.read(first, last, Channel.BOTH)))
    for channel in (Channel.CALLER, Channel.AGENT):
        frames[~audible[channel].within(first, last), channel.columns] = 0
    return frames


def _sealed(seal: Seal, rate: int, index: int, frames: NDArray[np.int16]) -> bytes:
    """A segment, the chunks of which begin with *index*."""
    size = Layout(rate).chunk_frames
    chunks = (frames[at : at + size].astype("<i2").tobytes() for at in range(0, len(frames), size))
    return b"".join(seal.seal(number, pcm) for number, pcm in enumerate(chunks, start=index))
