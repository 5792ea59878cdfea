"""Synthetic callers of the end-of-turn evaluation: each phrase is spoken once and kept."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import io
import subprocess
import wave
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np

from benchmarks.conversation import RATE
from benchmarks.sound_files import at_line_rate, read_wav
from inference.registry import Registry, build_engine
from orchestrator.core.audio import AudioFrame, Pcm, joined
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import TextToSpeech
from orchestrator.core.wav import write_wav

Say: TypeAlias = Callable[[str], Pcm]
"""Speech of a text, int16 at 16 kHz."""

# A voice that is played this much faster is higher as well: another person, with the same melody.
FASTER = 1.12


def espeak(voice: str, words_per_minute: int) -> Say:
    """A voice of eSpeak NG. Raises ConfigError when it is not installed."""

    def say(text: str) -> Pcm:
        command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "--stdout", text]
        try:
            spoken = subprocess.run(command, check=True, capture_output=True).stdout
        except FileNotFoundError as error:
            raise ConfigError("espeak-ng is missing; mend with: apt-get install espeak-ng") from error
        except subprocess.CalledProcessError as error:
            raise ConfigError(f"espeak-ng: {error.stderr.decode().strip()}") from error
        with wave.open(io.BytesIO(spoken)) as file:
            rate = file.getframerate()
        # Its header says nothing true of the length of a stream.
        return at_line_rate(np.frombuffer(spoken[44:], dtype="<i2"), rate)

    return say


def pico(voice: str) -> Say:
    """A voice of SVOX Pico, such as en-US. Raises ConfigError when it is not installed."""
    try:
        engine = importlib.import_module("py_nanotts").NanoTTS()
    except ImportError as error:
        raise ConfigError("py-nanotts is missing; mend with: make .venv/.dev") from error
    return lambda text: np.frombuffer(engine.speak(text, voice=voice), dtype="<i2").astype(np.int16)


def piper(registry: Registry, model: str, faster: float = 1.0) -> Say:
    """A Piper voice of the registry. Raises ConfigError when it has not been pulled."""
    manifest = registry.manifest(model)
    engine = cast("TextToSpeech", build_engine(manifest, registry.files(manifest), threads=2))

    async def spoken(text: str) -> Pcm:
        async with aclosing(engine.synthesize(text)) as pieces:  # type: ignore[type-var]
            speech = joined([piece async for piece in pieces])
        return at_line_rate(speech.pcm, round(speech.rate * faster))

    return lambda text: asyncio.run(spoken(text))


def kept(name: str, say: Callable[[], Say], cache: Path) -> Say:
    """*say*, opened when something is not in the folder *cache* yet. name: tells voices apart there."""
    opened: list[Say] = []

    def once(text: str) -> Pcm:
        path = cache / f"{hashlib.sha256(f'{name}:{text}'.encode()).hexdigest()[:20]}.wav"
        if not path.is_file():
            if not opened:
                opened.append(say())
            write_wav(path, AudioFrame(opened[0](text), RATE))
        return read_wav(path)

    return once
