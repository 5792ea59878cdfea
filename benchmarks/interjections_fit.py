"""`python -m benchmarks.interjections_fit`: how much the sound of an interjection says, and how much its readings.

Fits WEIGHTS of orchestrator/dialogue/interjections.py to the English sounds of the split "tune" and those without
words, a quarter of a second after their end, as the classifier and the recogniser of a profile take them. Shouts out of
games are left out: they are labelled as interruptions, but nobody asks for a turn like that, and "AAAAAH!" reads like
assent. Each voice is then judged by weights that were fitted to the others, to show what a threshold costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated
from zlib import crc32

import numpy as np
import typer
from rich.console import Console

from benchmarks.interjections import Engines, Judged, judged
from benchmarks.interjections_set import cases
from benchmarks.logistic import Floats, chances, logistic_regression
from inference.registry import Registry, default_cache
from orchestrator.core.errors import ConfigError
from orchestrator.dialogue.interjections import evidence

RIDGE = 3.0
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
_FOLDS = 10
_LEFT_OUT = frozenset({"exclamation"})


def learned_from(results: Iterable[Judged]) -> list[Judged]:
    """Those of *results* that were read, but for what is left out."""
    return [one for one in results if one.readings and one.case.line.sound.kind not in _LEFT_OUT]


def fitted(results: list[Judged]) -> Floats:
    """The weights that tell the interruptions among *results* best."""
    rows, wanted = _table(results)
    return logistic_regression(rows, wanted, np.ones(len(wanted)), RIDGE)


def across_voices(results: list[Judged]) -> Floats:
    """The probability that each of *results* wants the turn, by weights that are fitted to other voices."""
    rows, wanted = _table(results)
    folds = np.array([_fold(one) for one in results])
    found = np.zeros(len(results))
    for fold in np.unique(folds):
        others = folds != fold
        weights = logistic_regression(rows[others], wanted[others], np.ones(int(others.sum())), RIDGE)
        found[~others] = chances(rows[~others], weights)
    return found


def costs(results: list[Judged]) -> Iterator[str]:
    """For each threshold, what is wrong across voices."""
    wanted, found = _table(results)[1], across_voices(results)
    for threshold in THRESHOLDS:
        false = float(np.mean(found[wanted == 0.0] >= threshold))
        missed = float(np.mean(found[wanted == 1.0] < threshold))
        yield f"{threshold:.2f}: {100 * false:.1f} % taken for interruptions, {100 * missed:.1f} % missed"


def _table(results: list[Judged]) -> tuple[Floats, Floats]:
    rows = np.array([evidence(one.sounded, one.readings) for one in results])
    return rows, np.array([float(one.case.line.sound.label == "interruption") for one in results])


def _fold(result: Judged) -> int:
    """Of its voice, so that none is in two; computed sounds, which have none, are spread."""
    sound = result.case.line.sound
    voice = f"{sound.kind} {len(sound.pcm)}" if sound.source == "computed" else sound.source
    return crc32(voice.encode()) % _FOLDS


def main(
    profile: Annotated[str, typer.Option(help="Whose classifier and recogniser.")] = "cpu-tiny",
    cache: Annotated[Path, typer.Option(help="Where voices and packages are kept.")] = default_cache()
    / "interjections",
) -> None:
    """Print the weights, and what thresholds cost."""
    console = Console(highlight=False)
    try:
        engines = Engines(Registry(), profile)
        found = asyncio.run(judged(cases(cache, "tune"), engines.interjections, engines.recognizer))
    except ConfigError as error:
        console.print(str(error), style="red", soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    results = learned_from(found)
    console.print("weights:", ", ".join(f"{weight:.2f}" for weight in fitted(results)))
    for line in costs(results):
        console.print(line)


if __name__ == "__main__":
    typer.run(main)
