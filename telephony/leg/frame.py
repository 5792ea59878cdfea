"""The binary messages of the leg protocol: the caller's audio with the two counters of the call."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from orchestrator.core.audio import Pcm
from orchestrator.core.errors import LegError

_HEADER = struct.Struct("<QQQ")
_WIRE = np.dtype("<i2")


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """20 ms of the caller. at: samples since the answer when pcm[0] was on the wire, corrected for the jitter buffer;
    now: samples since the answer at this moment; played: samples of reply audio that have gone out so far;
    pcm: int16, shape (n,)."""

    at: int
    now: int
    played: int
    pcm: Pcm

    def encode(self) -> bytes:
        """24 bytes of header, little endian, then the PCM."""
        return encode_caller_audio(self.at, self.now, self.played, self.pcm.astype(_WIRE, copy=False).tobytes())


def encode_caller_audio(at: int, now: int, played: int, pcm: bytes) -> bytes:
    """The wire form of a CallerAudio whose samples are at hand as little-endian bytes."""
    return _HEADER.pack(at, now, played) + pcm


def decode_caller_audio(data: bytes) -> CallerAudio:
    """Raises LegError when *data* is not a header and whole samples."""
    if len(data) < _HEADER.size or len(data) % 2:
        raise LegError(f"bad leg audio: {len(data)} bytes are not a {_HEADER.size}-byte header and whole samples")
    at, now, played = _HEADER.unpack_from(data)
    pcm = np.frombuffer(data, _WIRE, offset=_HEADER.size).astype(np.int16, copy=False)
    return CallerAudio(at, now, played, pcm)


def encode_pcm(pcm: Pcm) -> bytes:
    """Reply audio as it goes on the wire."""
    return pcm.astype(_WIRE, copy=False).tobytes()


def check_pcm(data: bytes) -> bytes:
    """*data*, which must be whole samples. Raises LegError."""
    if len(data) % 2:
        raise LegError(f"bad reply audio: {len(data)} bytes are not whole 16-bit samples")
    return data
