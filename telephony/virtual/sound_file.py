"""Sound files as audio: what somebody uploads to be said to an agent."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import av
import numpy as np
from av.error import FFmpegError

from orchestrator.core.audio import AudioFrame, Pcm

LONGEST: Final = 600.0
"""Seconds."""
FORMATS: Final = ("wav", "flac", "ogg", "mp3")


def read_sound(data: bytes, rate: int) -> AudioFrame:
    """What is in *data*, a file of one of FORMATS, mixed to one channel of *rate* Hz. Blocks: decode in a thread.

    Raises ValueError for anything else, for silence of no length, and for more than LONGEST seconds.
    """
    pieces: list[Pcm] = []
    samples = 0
    try:
        # Other formats' readers are many and old, and nobody records calls in them.
        with av.open(BytesIO(data), mode="r", options={"format_whitelist": ",".join(FORMATS)}) as file:
            if not file.streams.audio:
                raise ValueError("the file holds no audio")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
            for frame in file.decode(audio=0):
                for resampled in resampler.resample(frame):
                    pieces.append(resampled.to_ndarray().reshape(-1).astype(np.int16, copy=False))
                    samples += len(pieces[-1])
                if samples > LONGEST * rate:
                    raise ValueError(f"the file is longer than {LONGEST:g} s")
            rest = [
                resampled.to_ndarray().reshape(-1).astype(np.int16, copy=False)
                for resampled in resampler.resample(None)
            ]
    except FFmpegError as error:
        raise ValueError(f"the file cannot be read; accepted are {', '.join(FORMATS)}") from error
    if not samples:
        raise ValueError("the file holds no audio")
    return AudioFrame(np.concatenate(pieces + rest), rate)
