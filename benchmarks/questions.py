"""The audio of a scenario's lines: human recordings by name, everything else spoken by the profile's voice."""

from __future__ import annotations

import asyncio
import hashlib
import wave
from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path
from typing import cast

from benchmarks.conversation import RATE, Line
from benchmarks.human_speech import recordings
from benchmarks.sound_files import at_line_rate, read_recording, read_wav
from inference.registry import Registry, build_engine
from orchestrator.core.audio import Pcm, joined
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import TextToSpeech


def questions(words: Iterable[str], registry: Registry, profile: str, cache: Path) -> dict[str, Line]:
    """A line for each of *words*; speech that has to be synthesised is kept in the folder *cache*.

    Raises ConfigError when a recording or the voice is missing.
    """
    human = recordings()
    sets = {name.partition("/")[0] for name in human}
    named, texts = {}, {}
    for line in words:
        if line in human:
            named[line] = human[line]
        elif line.partition("/")[0] in sets:
            raise ConfigError(f"there is no recording {line!r}; the sets of recordings are {', '.join(sorted(sets))}")
        else:
            texts[line] = cache / f"{hashlib.sha256(line.encode()).hexdigest()[:16]}.wav"
    lines = {name: Line(name, read_recording(one.path), one.text) for name, one in named.items()}
    missing = {text: path for text, path in texts.items() if not path.is_file()}
    if missing:
        manifest = registry.manifest(registry.profile(profile).engines["tts"].model)
        voice = cast("TextToSpeech", build_engine(manifest, registry.files(manifest), threads=2))
        asyncio.run(_speak(voice, missing))
    return lines | {text: Line(text, read_wav(path), text) for text, path in texts.items()}


async def _speak(voice: TextToSpeech, texts: dict[str, Path]) -> None:
    for text, path in texts.items():
        async with aclosing(voice.synthesize(text)) as pieces:  # type: ignore[type-var]
            speech = joined([piece async for piece in pieces])
        path.parent.mkdir(parents=True, exist_ok=True)
        _save(path, at_line_rate(speech.pcm, speech.rate))


def _save(path: Path, pcm: Pcm) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm.astype("<i2").tobytes())
