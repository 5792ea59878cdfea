"""WAV files of 16-bit mono speech, written whole or not at all."""

from __future__ import annotations

import os
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np

from orchestrator.core.audio import AudioFrame


def read_wav(path: Path) -> AudioFrame | None:
    """The speech in *path*; None when there is no whole 16-bit mono WAV with any sample."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                return None
            data = file.readframes(file.getnframes())
            whole = len(data) == 2 * file.getnframes() > 0
            return AudioFrame(np.frombuffer(data, dtype="<i2"), file.getframerate()) if whole else None
    except (OSError, EOFError, wave.Error):
        return None


def write_wav(path: Path, speech: AudioFrame) -> None:
    """Keep *speech* in *path*, in a folder that is made when need be. Raises OSError; *path* is then as before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    try:
        with wave.open(str(draft), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(speech.rate)
            file.writeframes(speech.pcm.astype("<i2").tobytes())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
