"""The calls of the echo evaluation: an agent's turns, the line that sends them back, and people who speak over them.

No caller's recording, no line's response and no text is in both splits. One voice of an agent is, played faster; most
of the callers' recordings are one person's, divided between the splits.
"""

from __future__ import annotations

import random
import subprocess
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from benchmarks.conversation import RATE
from benchmarks.echo_line import PLACES, EchoLine
from benchmarks.human_speech import Recorded, recordings
from benchmarks.questions import questions
from benchmarks.sound_files import at_line_rate, read_recording
from inference.registry import Registry
from orchestrator.core.audio import Pcm
from orchestrator.core.bursts import bursts, levels, voice_dbfs
from orchestrator.core.errors import ConfigError

Split: TypeAlias = Literal["dev", "heldout"]
SECONDS = 25.0
"""Of one call."""

_LEVELS = (-6.0, -12.0, -18.0, -24.0, -30.0)
_FIRST_TURN, _GAP = 0.4, (1.2, 2.5)
_SEEDS: dict[Split, int] = {"dev": 1000, "heldout": 2000}
_MARGIN = 0.03
_REPLIES, _LONGEST = 24, 14
# A voice that is played this much faster is higher as well: another person, with the same melody.
_FASTER = 1.12


@dataclass(frozen=True, slots=True)
class Interruption:
    """Somebody speaks over the agent. start: seconds; text: the words."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class EchoCall:
    """One call. far: what is played; near: what the line brings; clean: the same without echo (int16, 16 kHz).

    line: None for a call without echo; turns: seconds of the agent's.
    """

    line: EchoLine | None
    far: Pcm
    near: Pcm
    clean: Pcm
    turns: tuple[tuple[float, float], ...]
    interruptions: tuple[Interruption, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who speaks in a split. agents: replies, by voice; callers: people's sentences with their words."""

    split: Split
    agents: Sequence[Sequence[Pcm]]
    callers: Sequence[tuple[str, Pcm]]


def cast_of(split: Split, registry: Registry, cache: Path) -> Cast:
    """Everything that is said in *split*; synthetic speech is kept in *cache*. Raises ConfigError."""
    human = recordings()
    sentences = [one for one in human.values() if _is_sentence(one)]
    ours = [one for one in sentences if _split_of(one.name) == split]
    texts = [one.text for one in ours if len(one.text.split()) <= _LONGEST][:_REPLIES]
    joe = [line.pcm for line in questions(texts, registry, "cpu-tiny", cache).values()]
    if split == "dev":
        agents = [joe, [_trimmed(read_recording(one.path)) for one in sentences if one.name.startswith("book/")]]
    else:
        agents = [[at_line_rate(pcm, round(RATE * _FASTER)) for pcm in joe], [_espeak(text) for text in texts]]
    people = [(one.text, _trimmed(read_recording(one.path))) for one in ours]
    callers = [(text, pcm) for text, pcm in people if 0.8 <= len(pcm) / RATE <= 4.0]
    return Cast(split, agents, callers)


def echo_calls(cast: Cast, count: int, *, talk: bool, echo: bool = True) -> list[EchoCall]:
    """*count* calls of 25 s, the same each time. talk: whether people speak over the agent, once a turn."""
    return [_call(cast, number, talk=talk, echo=echo) for number in range(count)]


def _call(cast: Cast, number: int, *, talk: bool, echo: bool) -> EchoCall:
    seed = _SEEDS[cast.split] + number
    chance = random.Random(seed)
    line = EchoLine(PLACES[number % len(PLACES)], chance.uniform(0.02, 0.4), chance.choice(_LEVELS), seed)
    far, turns = _agent(cast.agents[number % len(cast.agents)], chance)
    speech, interruptions = np.zeros(len(far), dtype=np.int16), []
    for start, end in turns if talk else ():
        text, pcm = chance.choice(cast.callers)
        at = round(chance.uniform(start + 0.5, max(start + 0.6, end - 1.0)) * RATE)
        said = _at_level(pcm, chance.uniform(-30.0, -18.0))[: len(far) - at]
        speech[at : at + len(said)] = said
        interruptions.append(Interruption(at / RATE, (at + len(said)) / RATE, text))
    clean = EchoLine("hybrid", 0.02, -150.0, seed).near(far, speech)
    near = line.near(far, speech) if echo else clean
    return EchoCall(line if echo else None, far, near, clean, tuple(turns), tuple(interruptions))


def _agent(replies: Sequence[Pcm], chance: random.Random) -> tuple[Pcm, list[tuple[float, float]]]:
    """An agent's side: replies of two sentences with pauses in between, from just after the answer."""
    far = np.zeros(round(SECONDS * RATE), dtype=np.int16)
    turns, at = [], _FIRST_TURN
    while at < SECONDS - 3.0:
        reply = np.concatenate(chance.sample(list(replies), 2))[: len(far) - round(at * RATE)]
        first = round(at * RATE)
        far[first : first + len(reply)] = reply
        turns.append((at, at + len(reply) / RATE))
        at = turns[-1][1] + chance.uniform(*_GAP)
    return far, turns


def _is_sentence(one: Recorded) -> bool:
    return len(one.text.split()) >= 4 and not set("[(") & set(one.text)


def _split_of(name: str) -> Split | None:
    """Whose callers a recording is of; the reader of the book is an agent."""
    if name.startswith("prompt/"):
        return "dev" if zlib.crc32(name.encode()) % 2 else "heldout"
    return None if name.startswith("book/") else "heldout"


def _espeak(text: str) -> Pcm:
    """*text* by another synthesiser, whose pitch is as steady as no person's."""
    command = ["espeak-ng", "-v", "en-gb-x-rp+f4", "-s", "150", "--stdout", text]
    try:
        spoken = subprocess.run(command, check=True, capture_output=True).stdout
    except FileNotFoundError as error:
        raise ConfigError("espeak-ng is missing; mend with: apt-get install espeak-ng") from error
    # The header of a stream says nothing true of its length.
    rate = int.from_bytes(spoken[24:28], "little")
    return at_line_rate(np.frombuffer(spoken[44:], dtype="<i2"), rate)


def _trimmed(pcm: Pcm) -> Pcm:
    found = bursts(pcm, RATE)
    return pcm[max(0, round((found[0].start - _MARGIN) * RATE)) : round((found[-1].end + _MARGIN) * RATE)]


def _at_level(pcm: Pcm, dbfs: float) -> Pcm:
    gain = 10 ** ((dbfs - voice_dbfs(levels(pcm, RATE))) / 20)
    return np.clip(np.round(pcm * gain), -32768, 32767).astype(np.int16)
