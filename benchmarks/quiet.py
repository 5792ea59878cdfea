"""Ten minutes in which nobody speaks: silence, hiss, hold music, tones and clicks, and not a word may be heard in them.

The real detector, endpointing and recogniser hear it in media time, as fast as the machine can. Music comes from the
Debian package asterisk-moh-opsound-wav (CC-BY-SA 3.0).

    python -m benchmarks.quiet
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.conversation import RATE
from benchmarks.sound_files import read_wav
from benchmarks.wer import telephone
from inference.manifest import Kind
from inference.registry import Registry, build_engine
from orchestrator.calls.ear import Ear, EarEngines, EarSettings
from orchestrator.calls.heard import Partial, SpeechStarted, TurnEnded
from orchestrator.calls.supervisor import VoiceActivityFactory
from orchestrator.core.audio import FULL_SCALE, AudioFrame, Pcm
from orchestrator.core.errors import ConfigError, EngineError
from orchestrator.core.ports import Dtmf, Recognizer, SentenceJudge, TurnDetector

_MUSIC = Path("/usr/share/asterisk/moh")
_FRAME = RATE // 50
_SECONDS = 100.0


@dataclass(slots=True)
class Heard:
    """What was heard in one recording. onsets: how often the detector took it for speech; words: the texts."""

    onsets: int
    words: list[str]


def recordings() -> Mapping[str, Pcm]:
    """Each kind of nothing, 100 s long, after a G.711 line. Raises ConfigError when the music is not installed."""
    kinds: dict[str, Callable[[], Pcm]] = {
        "silence": lambda: np.zeros(round(_SECONDS * RATE), dtype=np.int16),
        "hiss at -55 dBFS": lambda: hiss(-55.0, _SECONDS),
        "hiss at -40 dBFS": lambda: hiss(-40.0, _SECONDS),
        "hold music": lambda: _music(0),
        "other hold music": lambda: _music(1),
        "tones and clicks": lambda: tones(_SECONDS),
    }
    return {name: telephone(make()) for name, make in kinds.items()}


async def hear(registry: Registry, profile: str, line: Pcm) -> Heard:
    """What the engines of *profile* make of *line* (16 kHz)."""
    vad, turns, recognizer, llm = (_engine(registry, profile, kind) for kind in ("vad", "turns", "stt", "llm"))
    heard = Heard(0, [])
    async with asyncio.TaskGroup() as group:
        engines = EarEngines(
            cast("VoiceActivityFactory", vad).open(),
            cast("Recognizer", recognizer),
            cast("TurnDetector", turns),
            cast("SentenceJudge", llm),
        )
        ear = Ear(group, engines, EarSettings(language="en"))
        async with aclosing(ear.listen(_frames(line))) as events:  # type: ignore[type-var]
            async for event in events:
                match event:
                    case SpeechStarted():
                        heard.onsets += 1
                    case Partial(stable, unstable) if stable or unstable:
                        heard.words.append(f"{stable} {unstable} (partial)".strip())
                    case TurnEnded(failure=EngineError() as failure):
                        raise failure
                    case TurnEnded(text) if text:
                        heard.words.append(text)
    return heard


async def _frames(line: Pcm) -> AsyncIterator[AudioFrame | Dtmf]:
    """*line* in frames of 20 ms, each when the engines have done with those before it."""
    own = {asyncio.current_task()}
    for first in range(0, len(line), _FRAME):
        yield AudioFrame(line[first : first + _FRAME], RATE, first / RATE)
        while busy := asyncio.all_tasks() - own:
            await asyncio.wait(busy, timeout=10.0)


def _engine(registry: Registry, profile: str, kind: Kind) -> object:
    manifest = registry.manifest(registry.profile(profile).engines[kind].model)
    return build_engine(manifest, registry.files(manifest), threads=1)


def _music(number: int) -> Pcm:
    files = sorted(_MUSIC.glob("*.wav"))
    if len(files) <= number:
        raise ConfigError(f"no music in {_MUSIC}; mend with: apt-get install asterisk-moh-opsound-wav")
    return read_wav(files[number])[: round(_SECONDS * RATE)]


def hiss(dbfs: float, seconds: float) -> Pcm:
    """White noise at that level."""
    return _scaled(np.random.default_rng(1).normal(size=round(seconds * RATE)), dbfs)


def tones(seconds: float) -> Pcm:
    """Ringing, busy tone, a modem's carrier and the clicks of a handset, a quarter of the time each."""
    time = np.arange(round(seconds * RATE)) / RATE
    ringing = (np.sin(880 * np.pi * time) + np.sin(960 * np.pi * time)) * (time % 6.0 < 2.0)
    busy = (np.sin(960 * np.pi * time) + np.sin(1240 * np.pi * time)) * (time % 1.0 < 0.5)
    carrier = np.sin(4200 * np.pi * time) * 2.0
    clicks = (np.random.default_rng(2).random(len(time)) < 2.0 / RATE) * 8.0
    part = (time * 4.0 // seconds).astype(int)
    return _scaled(np.choose(part, [ringing, busy, carrier, np.convolve(clicks, np.ones(20), "same")]), -20.0)


def _scaled(wave: np.ndarray, dbfs: float) -> Pcm:
    level = 10 ** (dbfs / 20) / max(float(np.sqrt(np.mean(np.square(wave)))), 1e-9)
    return np.clip(np.round(wave * level * FULL_SCALE), -32768, 32767).astype(np.int16)


def main(profile: str = "cpu-tiny") -> None:
    """Exits 1 when a word was heard."""
    console = Console()
    table = Table("what the line brings", "seconds", "taken for speech", "words", box=None)
    words = []
    try:
        for name, line in recordings().items():
            heard = asyncio.run(hear(Registry(), profile, line))
            words += heard.words
            table.add_row(name, f"{len(line) / RATE:.0f}", str(heard.onsets), "; ".join(heard.words))
    except ConfigError as error:
        console.print(str(error), style="red", highlight=False)
        raise typer.Exit(2) from error
    console.print(table)
    raise typer.Exit(1 if words else 0)


if __name__ == "__main__":
    typer.run(main)
