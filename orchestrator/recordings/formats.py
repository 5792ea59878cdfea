"""Recordings as files: WAV, any range of it, and Ogg Opus. To be iterated in a thread."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import av
import numpy as np

from orchestrator.recordings.playback import Channel, Playback

_HEADER_BYTES: Final = 44
_SAMPLE_BYTES: Final = 2
_MOST: Final = 2**32 - 1  # sizes in a WAV header have 32 bits; whoever reads a longer file reads to its end


class Wav:
    """A WAV file that is made as it is read. size: of the whole, in bytes."""

    def __init__(self, playback: Playback, channel: Channel) -> None:
        self._playback = playback
        self._channel = channel
        self._frame_bytes = channel.width * _SAMPLE_BYTES
        self._data = playback.frames * self._frame_bytes
        self.size = _HEADER_BYTES + self._data

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Bytes *start* to *stop*. Raises RecordingUnavailable, RecordingDamaged."""
        if start < _HEADER_BYTES:
            yield self._header()[start:stop]
        start, stop = max(start - _HEADER_BYTES, 0), stop - _HEADER_BYTES
        if start >= stop:
            return
        first, skipped = divmod(start, self._frame_bytes)
        last = -(-stop // self._frame_bytes)
        left = stop - start
        for frames in self._playback.read(first, last, self._channel):
            piece = np.ascontiguousarray(frames).tobytes()[skipped : skipped + left]
            skipped = 0
            left -= len(piece)
            yield piece

    def _header(self) -> bytes:
        rate, frame = self._playback.rate, self._frame_bytes
        data = min(self._data, _MOST - _HEADER_BYTES)
        head = struct.pack("<4sI4s4s", b"RIFF", _HEADER_BYTES - 8 + data, b"WAVE", b"fmt ")
        form = struct.pack("<IHHIIHH", 16, 1, self._channel.width, rate, rate * frame, frame, _SAMPLE_BYTES * 8)
        return head + form + struct.pack("<4sI", b"data", data)


class _Pages:
    """A file that only grows, as the muxer sees it."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        """Take *data*."""
        self.written += data
        return len(data)

    def take(self) -> bytes:
        """What has come since the last time."""
        data = bytes(self.written)
        self.written.clear()
        return data


def opus(playback: Playback, channel: Channel) -> Iterator[bytes]:
    """All of it as Ogg Opus (RFC 7845). Raises RecordingUnavailable, RecordingDamaged."""
    layout = "stereo" if channel is Channel.BOTH else "mono"
    pages = _Pages()
    with av.open(pages, mode="w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=playback.rate, layout=layout)
        at = 0
        for frames in playback.read(0, playback.frames, channel):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(frames).reshape(1, -1), format="s16", layout=layout)
            frame.sample_rate, frame.pts = playback.rate, at
            at += len(frames)
            container.mux(stream.encode(frame))
            if data := pages.take():
                yield data
        container.mux(stream.encode(None))
    yield pages.take()
