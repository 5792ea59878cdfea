"""The held-out sounds that callers make over an agent; made anew from packages, the same each time, never committed.

Two parts. "strict": phrases that were never learned, by voices that were never heard, and recordings and computed
sounds of the held-out split. "familiar": the assent that callers mostly use ("yeah", "mm-hmm", "okay"), which was
learned, by the held-out voices. models/interjections says which voices, phrases and recordings belong to which split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, TypeAlias
from zlib import crc32

import numpy as np

from models.interjections.heard import Heard, heard
from models.interjections.phrases import Split
from models.interjections.sounds import made, recorded, spoken, thinned

Part: TypeAlias = Literal["strict", "familiar"]

_SEED = 4
_MADE = {
    "hum": 60, "laughter": 40, "cough": 40, "sneeze": 20, "clearing": 20, "breath": 25, "click": 20, "keyboard": 25,
    "door": 25, "hiss": 30, "tones": 20, "music": 30,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A sound on a line, and the part of the set that it belongs to."""

    part: Part
    line: Heard


def cases(cache: Path, split: Split = "held-out") -> Iterator[Case]:
    """Every case of *split*, in a fixed order. Raises ConfigError when a package cannot be had."""
    random = np.random.default_rng([_SEED, crc32(split.encode())])
    for sound in chain(spoken(split, cache), thinned(recorded(split, cache)), made(split, _MADE, _SEED)):
        yield Case("strict", heard(random, sound))
    for sound in spoken(split, cache, said="train"):
        if sound.label == "back-channel" and not sound.source.startswith("espeak"):
            yield Case("familiar", heard(random, sound))
