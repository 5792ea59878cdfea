"""Every sound of a split: spoken phrases, recordings and computed sounds, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from zlib import crc32

import numpy as np

from models.interjections.heard import Sound, trimmed
from models.interjections.phrases import Phrase, Split, phrases
from models.interjections.recordings import pieces, recordings
from models.interjections.synthesis import MADE, tract
from models.interjections.voices import Speakers, voices

_SPOKEN_KIND = {"interruption": "command", "back-channel": "acknowledgement"}
_MOST = 60
"""Recordings of a kind and a language, save English, that are measured: all of that is kept."""
_FAR = 0.25  # of the recorded sentences also speak from far away: a television, another person


def spoken(split: Split, cache: Path, said: Split | None = None) -> Iterator[Sound]:
    """The phrases of *split* by its voices; of another split *said*, those that are common."""
    speakers = Speakers(cache)
    of = said or split
    wanted: list[Phrase] = [phrase for phrase in phrases() if phrase.split == of and (phrase.common or of == split)]
    for voice in voices():
        for phrase in wanted if voice.split == split else ():
            if voice.can_say(phrase) and voice.draws(phrase):
                source = f"{voice.synthesiser}-{voice.name}"
                pcm = trimmed(speakers.speak(voice, phrase))
                yield Sound(pcm, phrase.label, _SPOKEN_KIND[phrase.label], source, split, phrase.text, phrase.language)


def recorded(split: Split, cache: Path) -> Iterator[Sound]:
    """The recordings of *split*, parted at their pauses; a quarter of the sentences a second time from far away."""
    for recording in recordings(cache):
        if recording.split != split:
            continue
        for index, pcm in enumerate(pieces(recording.path)):
            yield Sound(pcm, recording.label, recording.kind, recording.source, split, language=recording.language)
            if recording.kind == "sentence" and crc32(f"{recording.path.name}/{index}".encode()) % 100 < 100 * _FAR:
                yield Sound(pcm, "noise", "far voice", recording.source, split)


def made(split: Split, counts: dict[str, int], seed: int) -> Iterator[Sound]:
    """So many computed sounds of each kind. seed: other seeds give other sounds."""
    for kind, count in counts.items():
        label, make = MADE[kind]
        random = np.random.default_rng([seed, crc32(f"{kind}/{split}".encode())])
        for _ in range(count):
            wave = make(random, tract(random, split))
            peak = np.abs(wave).max()
            pcm = np.round(wave * (16000.0 / peak if peak else 0.0)).astype(np.int16)
            yield Sound(trimmed(pcm), label, kind, "computed", split)


def thinned(sounds: Iterable[Sound]) -> Iterator[Sound]:
    """*sounds* with at most _MOST of a kind and language, spread evenly over them."""
    groups: dict[tuple[str, str], list[Sound]] = {}
    for sound in sounds:
        groups.setdefault((sound.kind, sound.language), []).append(sound)
    for (_, language), found in groups.items():
        step = 1.0 if language == "en" else max(1.0, len(found) / _MOST)
        yield from (found[int(index * step)] for index in range(int(len(found) / step)))
