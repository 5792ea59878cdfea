"""The evaluation set of the end of turn: complete utterances, and the same with pauses after which the caller goes on.

Sentences of people are cut at gaps between words that their energy shows; synthetic callers speak phrase by phrase. A
pause lies within a sentence, never between two of them, where people too take each other's turn. Everything passes a
G.711 line with noise on it. Nobody's phrase or recording is in both splits; of the speakers, one person (whose
recordings are divided) and one synthetic voice (played faster) are: figures of unseen speakers stand beside the whole.

Pauses are drawn from a log-normal distribution. Sources: logarithms of pauses in speech are close to normal (Demol,
Verhelst, Verhoeve, "The Duration of Speech Pauses in a Multilingual Environment", Interspeech 2007); 0.2 to 1 s is the
common kind, and longer ones are found in spontaneous speech only (Campione, Véronis, "A Large-Scale Multilingual Study
of Silent Pause Duration", Speech Prosody 2002). The median and the spread are ours: one in nine is longer than 1 s.
"""

from __future__ import annotations

import math
import random
import re
import tomllib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.conversation import RATE
from benchmarks.human_speech import Recorded, recordings
from benchmarks.scenario import SCENARIOS, read_scenario
from benchmarks.sound_files import read_recording
from benchmarks.turn_ends_voices import FASTER, Say, espeak, kept, pico, piper
from benchmarks.wer import telephone
from inference.registry import Registry
from orchestrator.core.audio import Pcm
from orchestrator.core.bursts import bursts, levels, voice_dbfs
from orchestrator.core.expectation import Expectation, Form

Split: TypeAlias = Literal["dev", "heldout"]
PHRASES = Path(__file__).with_name("turn_ends_phrases.toml")
_SYNTHETIC = (
    "request",
    "question",
    "hesitation",
    "list",
    "digits10",
    "digits8",
    "digits4",
    "date",
    "date3",
    "email",
    "spelling",
    "short",
)
STRUCTURED = ("digits", "date", "email")
"""The kinds that a gate of their own is about."""

LEAD = 0.6
TAIL = 4.0
"""Seconds of line noise before and after what is said."""

_PAUSE_MEDIAN, _PAUSE_SPREAD = 0.55, 0.5
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
_MARGIN = 0.03
_WORD_GAP = 0.08
_JOIN = 0.06
_DIVIDED = "allison"


@dataclass(frozen=True, slots=True)
class Spoken:
    """One caller's turn as it comes out of the line.

    pcm: int16, 16 kHz; stretches: where speech is, by its energy (seconds), with a pause between each two; expects:
    what the question would ask for; unseen: whether nothing else of this speaker is in the other split.
    """

    name: str
    kind: str
    speaker: str
    text: str
    expects: Expectation
    pcm: Pcm
    stretches: tuple[tuple[float, float], ...]
    unseen: bool

    @property
    def paused(self) -> bool:
        """Whether the caller pauses and goes on."""
        return len(self.stretches) > 1

    @property
    def ended(self) -> float:
        """Seconds until the last of the speech."""
        return self.stretches[-1][1]


@dataclass(frozen=True, slots=True)
class _Said:
    """What is to be spoken: pieces with pauses between them, each trimmed to its speech."""

    name: str
    kind: str
    speaker: str
    text: str
    pieces: Sequence[Pcm]


def spoken(split: Split, registry: Registry, cache: Path) -> list[Spoken]:
    """The utterances of *split*; synthetic speech is kept in *cache*. Raises ConfigError when something is missing."""
    phrases = tomllib.loads(PHRASES.read_text())[split]
    human = recordings()
    said = [
        *_synthetic(phrases, _voices(split, registry, cache)),
        *_sentences(split, human),
        *_joined(phrases.get("joined", {}), human),
    ]
    return [_on_the_line(one) for one in said]


def _voices(split: Split, registry: Registry, cache: Path) -> dict[str, Say]:
    if split == "dev":
        voices = {
            "joe": lambda: piper(registry, "piper-joe"),
            "pico-gb": lambda: pico("en-GB"),
            "espeak-us": lambda: espeak("en-us+m3", 160),
        }
    else:
        voices = {
            "joe-faster": lambda: piper(registry, "piper-joe", FASTER),
            "pico-us": lambda: pico("en-US"),
            "espeak-rp": lambda: espeak("en-gb-x-rp+f4", 150),
        }
    return {name: kept(name, voice, cache) for name, voice in voices.items()}


def _synthetic(phrases: dict[str, list[str]], voices: dict[str, Say]) -> Iterator[_Said]:
    for kind in _SYNTHETIC:
        for number, phrase in enumerate(phrases[kind]):
            parts = [part.strip() for part in phrase.split("|")]
            whole = " ".join(parts)
            for speaker, say in voices.items():
                name = f"{speaker}/{kind}-{number}"
                yield _Said(name, kind, speaker, whole, [_trimmed(say(whole))])
                if len(parts) > 1:
                    yield _Said(f"{name}-paused", kind, speaker, whole, cut(say(_with_commas(parts)), parts))


def _with_commas(parts: Sequence[str]) -> str:
    """A voice pauses at a comma with the melody of somebody who goes on; parts spoken by themselves would fall."""
    return " ".join(part if part[-1] in ",.?" else f"{part}," for part in parts)


def cut(pcm: Pcm, parts: Sequence[str]) -> list[Pcm]:
    """*pcm* in as many pieces as there are *parts*, at wide gaps near where each part should end by its letters."""
    found = bursts(pcm, RATE, pause=0.04)
    gaps = [(one.end, two.start) for one, two in pairwise(found)]
    start, length = found[0].start, found[-1].end - found[0].start
    letters, cuts = sum(map(len, parts)), [0]
    for number in range(1, len(parts)):
        expected = start + length * sum(map(len, parts[:number])) / letters
        free = [gap for gap in gaps if gap[0] * RATE > cuts[-1]]
        if free:
            best = max(free, key=lambda gap: min(gap[1] - gap[0], 0.3) - 0.5 * abs(sum(gap) / 2 - expected))
            cuts.append(round(sum(best) / 2 * RATE))
    return [_trimmed(pcm[first:last]) for first, last in pairwise([*cuts, len(pcm)])]


def _sentences(split: Split, human: dict[str, Recorded]) -> Iterator[_Said]:
    """Sentences of people, whole and cut in two. Lines of the call benchmarks stay out of both splits."""
    taken = {line for path in SCENARIOS.glob("*.toml") for line in read_scenario(path).words()}
    for name, recorded in sorted(human.items()):
        speaker = _DIVIDED if name.startswith("prompt/") else name.partition("/")[0]
        if not _is_sentence(recorded.text) or (speaker == _DIVIDED and name in taken):
            continue
        if (_split_of(name) if speaker == _DIVIDED else "heldout" if speaker == "spoken" else "dev") != split:
            continue
        pcm = _trimmed(read_recording(recorded.path))
        if not 1.0 <= len(pcm) / RATE <= 8.0:
            continue
        yield _Said(name, "sentence", speaker, recorded.text, [pcm])
        if (cut := _word_gap(pcm, name)) is not None:
            pieces = [_trimmed(pcm[:cut]), _trimmed(pcm[cut:])]
            yield _Said(f"{name}-paused", "sentence", speaker, recorded.text, pieces)


def _is_sentence(text: str) -> bool:
    """Whether *text* is one whole sentence: no part of one that something is put behind, and no two."""
    whole = text.strip().rstrip(".?!")
    fragment = text.strip().endswith(("...", ":", "number", " is", "currently", "as")) or whole[:1] in {"."}
    begins = whole.split(" ")[0].lower() not in {"is", "or", "user", "users", "other", "followed", "letters", "waiting"}
    return len(whole.split()) >= 4 and not set(".?!*#:;") & set(whole) and not fragment and begins


def _split_of(name: str) -> Split:
    return "dev" if zlib.crc32(name.encode()) % 2 else "heldout"


def _word_gap(pcm: Pcm, name: str) -> int | None:
    """The sample in the middle of a gap between two words, away from both ends; None when there is none."""
    found = bursts(pcm, RATE, pause=0.05)
    length = len(pcm) / RATE
    gaps = [
        (one.end + two.start) / 2
        for one, two in pairwise(found)
        if two.start - one.end >= _WORD_GAP and 0.2 * length < one.end and two.start < 0.85 * length
    ]
    return round(random.Random(name).choice(gaps) * RATE) if gaps else None


def _joined(groups: dict[str, list[str]], human: dict[str, Recorded]) -> Iterator[_Said]:
    for kind, lines in groups.items():
        for number, line in enumerate(lines):
            parts = [[_word(word, human) for word in part.split()] for part in line.split("|")]
            text = " ".join(word.text for part in parts for word in part)
            pieces = [_run_together(part) for part in parts]
            name = f"{_DIVIDED}/{kind}-{number}"
            yield _Said(name, kind, _DIVIDED, text, [_run_together([word for part in parts for word in part])])
            yield _Said(f"{name}-paused", kind, _DIVIDED, text, pieces)


def _word(name: str, human: dict[str, Recorded]) -> Recorded:
    """A single word; those whose text has its sign behind it, such as `dot [.]`, are no lines of a caller's own."""
    folder, _, word = name.rpartition("/")
    sign = Recorded(f"prompt/{name}", human["prompt/letters/a"].path.with_name(f"{word}.wav"), word)
    return human.get(f"prompt/{name}") or (sign if folder == "letters" else human[f"prompt/{name}"])


def _run_together(words: Iterable[Recorded]) -> Pcm:
    """Single words as one piece, with little between them."""
    gap = np.zeros(round(max(0.0, _JOIN - 2 * _MARGIN) * RATE), dtype=np.int16)
    pieces = [piece for word in words for piece in (_trimmed(read_recording(word.path)), gap)]
    return np.concatenate(pieces[:-1])


def _trimmed(pcm: Pcm) -> Pcm:
    """*pcm* from just before its first speech to just behind its last."""
    found = bursts(pcm, RATE)
    first = max(0, round((found[0].start - _MARGIN) * RATE))
    return pcm[first : round((found[-1].end + _MARGIN) * RATE)]


def _on_the_line(said: _Said) -> Spoken:
    """*said* at some level, with pauses in some noise, after a G.711 line. The draw depends on its name alone."""
    chance = random.Random(said.name)
    level, noise = chance.uniform(-30.0, -18.0), chance.uniform(-65.0, -52.0)
    track: list[NDArray[np.float64]] = [np.zeros(round(LEAD * RATE))]
    stretches = []
    for number, piece in enumerate(said.pieces):
        if number:
            # The margins around both pieces are silent, and part of the pause.
            track.append(np.zeros(round(max(0.0, _pause(chance) - 2 * _MARGIN) * RATE)))
        start = sum(map(len, track)) / RATE
        found = bursts(piece, RATE)
        stretches.append((start + found[0].start, start + found[-1].end))
        gain = 10 ** ((level - voice_dbfs(levels(piece, RATE))) / 20)
        track.append(piece.astype(np.float64) * gain)
    track.append(np.zeros(round(TAIL * RATE)))
    whole = np.concatenate(track)
    whole += np.random.default_rng(chance.getrandbits(32)).normal(size=len(whole)) * 32768 * 10 ** (noise / 20)
    pcm = telephone(np.clip(np.round(whole), -32768, 32767).astype(np.int16))
    unseen = not said.speaker.startswith((_DIVIDED, "joe"))
    kind = said.kind.rstrip("0123456789")
    return Spoken(said.name, kind, said.speaker, said.text, _expectation(said.kind), pcm, tuple(stretches), unseen)


def _pause(chance: random.Random) -> float:
    while True:
        drawn = chance.lognormvariate(math.log(_PAUSE_MEDIAN), _PAUSE_SPREAD)
        if _SHORTEST_PAUSE <= drawn <= _LONGEST_PAUSE:
            return drawn


def _expectation(kind: str) -> Expectation:
    """What the question before an answer of *kind* (digits10: ten of them) asks for."""
    form, count = re.fullmatch(r"([a-z]+)(\d*)", kind).groups()  # type: ignore[union-attr]
    known = {form.value for form in Form} - {Form.ANY.value}
    return Expectation(Form(form), int(count) if count else None) if form in known else Expectation()
