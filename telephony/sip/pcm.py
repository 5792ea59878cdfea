"""PCM in and out of PJSIP's frames without a Python list on the way: 5 µs a frame instead of 1 ms."""

from __future__ import annotations

import ctypes
from typing import Any

import pjsua2 as pj

FRAME_MS = 20


def pcm_format(rate: int) -> Any:
    """The media format of mono 16-bit PCM at *rate* Hz in frames of 20 ms."""
    form = pj.MediaFormatAudio()
    form.init(pj.PJMEDIA_FORMAT_PCM, rate, 1, FRAME_MS * 1000, 16)
    return form


def frame_bytes(rate: int) -> int:
    """Bytes of one frame at *rate* Hz."""
    return rate * FRAME_MS // 1000 * 2


def received(frame: Any, size: int) -> bytes | None:
    """The *size* bytes of PCM in a received frame; None when it holds no audio."""
    if frame.type != pj.PJMEDIA_FRAME_TYPE_AUDIO or frame.size != size:
        return None
    return ctypes.string_at(_first_byte(frame.buf), size)


class FrameSource:
    """A frame's worth of memory that PJSIP reads: fill it, then hand it to the frame that was requested."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._vector = pj.ByteVector(size, 0)
        self._address = _first_byte(self._vector)

    def give(self, frame: Any, pcm: bytes) -> None:
        """Answer the requested *frame* with *pcm*, exactly one frame of bytes."""
        ctypes.memmove(self._address, pcm, self._size)
        frame.type, frame.buf, frame.size = pj.PJMEDIA_FRAME_TYPE_AUDIO, self._vector, self._size


def _first_byte(vector: Any) -> int:
    """Address of a std::vector's first element: its begin pointer is the first word of the object."""
    return ctypes.c_void_p.from_address(int(vector.this)).value or 0
