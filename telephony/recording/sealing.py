"""How a recording is laid out and sealed: half seconds of stereo, each under AES-256-GCM at its own place.

A sealed chunk opens only at its index, in its call, at its rate, with its key: what was changed, moved, shortened or
taken from another call is refused. A key seals one recording, and every chunk of it once, so its index is a nonce that
never comes twice (NIST SP 800-38D, section 8.2.1). All chunks but the last have one size, and all segments but the
last the same number of chunks, so any sample's place follows from its number.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from orchestrator.core.errors import RecordingDamaged

FRAME_BYTES: Final = 4  # caller, agent: PCM16 LE each
TAG_BYTES: Final = 16
KEY_BYTES: Final = 32
SEGMENT_CHUNKS: Final = 20
_CHUNKS_A_SECOND: Final = 2
_PURPOSE: Final = b"offhook recording 1"


@dataclass(frozen=True, slots=True)
class ContentKey:
    """What one recording is sealed with, and whose it is."""

    account: UUID
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Layout:
    """Places in a recording at *rate* Hz. Frames are pairs of samples; sizes are in bytes."""

    rate: int

    @property
    def chunk_frames(self) -> int:
        """In every chunk but the last."""
        return self.rate // _CHUNKS_A_SECOND

    @property
    def chunk_bytes(self) -> int:
        """Of a whole chunk before it is sealed."""
        return self.chunk_frames * FRAME_BYTES

    @property
    def sealed_bytes(self) -> int:
        """Of a whole chunk, sealed."""
        return self.chunk_bytes + TAG_BYTES

    @property
    def segment_bytes(self) -> int:
        """Of every segment but the last."""
        return SEGMENT_CHUNKS * self.sealed_bytes

    def size(self, frames: int) -> int:
        """Sealed, all segments together."""
        whole, rest = divmod(frames, self.chunk_frames)
        return whole * self.sealed_bytes + (rest * FRAME_BYTES + TAG_BYTES if rest else 0)


class Seal:
    """Seals and opens the chunks of one recording."""

    def __init__(self, call_id: UUID, rate: int, secret: bytes) -> None:
        self._cipher = AESGCM(secret)
        self._recording = _PURPOSE + call_id.bytes + struct.pack(">I", rate)

    def seal(self, index: int, pcm: bytes) -> bytes:
        """*pcm* as chunk *index*, TAG_BYTES longer. Never twice for one index."""
        return self._cipher.encrypt(_nonce(index), pcm, self._place(index))

    def open(self, index: int, sealed: bytes) -> bytes:
        """What was sealed as chunk *index*. Raises RecordingDamaged for anything else."""
        try:
            return self._cipher.decrypt(_nonce(index), sealed, self._place(index))
        except InvalidTag as error:
            raise RecordingDamaged(f"chunk {index} is not what was recorded") from error

    def _place(self, index: int) -> bytes:
        return self._recording + struct.pack(">Q", index)


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")
