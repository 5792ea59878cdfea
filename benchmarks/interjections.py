"""`python -m benchmarks.interjections`: are back-channels and noises told from interruptions?

Runs the profile's classifier on the held-out set (benchmarks/interjections_set.py) after 0.3, 0.5 and 0.8 s of each
sound and a quarter of a second after its end (1.5 s after its beginning at the latest), by itself; and at that last
moment with the words that the profile's recogniser reads in the sound, for English sounds and those without words.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.interjections_set import Case, cases
from inference.registry import Registry, build_engine, default_cache
from models.interjections.phrases import Split
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Interjection, Interjections, Reading, Recognizer
from orchestrator.dialogue.interjections import WANTED, wants_turn

RATE = 16000
MOMENTS = (0.3, 0.5, 0.8)
_END = "end"
_WITH_TEXT = "end, with text"
COLUMNS = (*(f"{moment} s" for moment in MOMENTS), _END, _WITH_TEXT)
_PAST_END = 0.25  # s of quiet after which a sound counts as over
_LATEST = 1.5  # s after its beginning
TARGETS = {"false interruptions": 0.05, "missed interruptions": 0.03}


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, the probabilities that its caller wants the turn by column, how it sounded at its end and
    how the recogniser may read it."""

    case: Case
    wanted: dict[str, float]
    sounded: Interjection
    readings: tuple[Reading, ...] = ()


def figures(results: Iterable[Judged]) -> dict[str, object]:
    """For each part, shares by label and by kind: of interruptions those missed, of all others those taken for one."""
    groups: dict[str, dict[str, list[Judged]]] = {}
    for result in results:
        sound, part = result.case.line.sound, groups.setdefault(result.case.part, {})
        interrupts = sound.label == "interruption"
        part.setdefault("missed interruptions" if interrupts else "false interruptions", []).append(result)
        part.setdefault(f"{sound.label}: {sound.kind}", []).append(result)
    return {part: {name: _wrong(found) for name, found in sorted(rows.items())} for part, rows in groups.items()}


def _wrong(results: list[Judged]) -> dict[str, object]:
    """n, and the share of wrong decisions by column; where there are fewer, "n" of the column tells how many."""
    shares: dict[str, object] = {"n": len(results)}
    for column in COLUMNS:
        wrong = [
            (result.wanted[column] >= WANTED) != (result.case.line.sound.label == "interruption")
            for result in results
            if column in result.wanted
        ]
        shares[column] = {"n": len(wrong), "wrong": round(float(np.mean(wrong)), 4) if wrong else None}
    return shares


async def judged(found: Iterable[Case], engine: Interjections, recognizer: Recognizer | None) -> list[Judged]:
    """What is made of each of *found*; without a recogniser there is no column with text."""
    return [await _judged(case, engine, recognizer) for case in found]


async def _judged(case: Case, engine: Interjections, recognizer: Recognizer | None) -> Judged:
    line = case.line
    end = min(line.ends - line.begins + _PAST_END, _LATEST)
    moments = {column: moment for column, moment in zip(COLUMNS, (*MOMENTS, end), strict=False) if moment <= end}
    sounded = {
        column: await engine.classify(AudioFrame(line.until(moment), RATE)) for column, moment in moments.items()
    }
    wanted = {column: wants_turn(one) for column, one in sounded.items()}
    if recognizer is None or line.sound.language not in {"", "en"}:
        return Judged(case, wanted, sounded[_END])
    readings = await recognizer.readings(AudioFrame(line.until(end), RATE), language="en")
    wanted[_WITH_TEXT] = wants_turn(sounded[_END], readings)
    return Judged(case, wanted, sounded[_END], readings)


def table(part: str, rows: dict[str, dict[str, object]]) -> Table:
    """*rows* of one part as a person reads them: wrong decisions in percent."""
    shown = Table(title=f"{part}: wrong decisions, %", title_justify="left")
    for heading in ("", "n", *COLUMNS):
        shown.add_column(heading, justify="left" if not heading else "right")
    for name, row in rows.items():
        cells = [cast("dict[str, float | None]", row[column]) for column in COLUMNS]
        shares = ["-" if cell["wrong"] is None else f"{100 * cell['wrong']:.1f}" for cell in cells]
        shown.add_row(name, str(row["n"]), *shares)
    return shown


def verdicts(rows: dict[str, dict[str, object]]) -> Iterator[str]:
    """A line for each target that *rows* miss at the end of the sound, with text when there is one."""
    for name, most in TARGETS.items():
        cells = [cast("dict[str, float | None]", rows[name][column]) for column in (_WITH_TEXT, _END)]
        wrong = next(cell["wrong"] for cell in cells if cell["wrong"] is not None)
        if wrong is not None and wrong > most:
            yield f"{name}: {100 * wrong:.1f} %, at most {100 * most:.0f} % wanted"


async def duration(engine: Interjections) -> float:
    """Median seconds for a sound of 1.5 s."""
    sound = AudioFrame(np.random.default_rng(0).integers(-3000, 3000, int(1.5 * RATE)).astype(np.int16), RATE)
    times = []
    for _ in range(30):
        started = time.perf_counter()
        await engine.classify(sound)
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def main(
    profile: Annotated[str, typer.Option(help="Whose classifier and recogniser.")] = "cpu-tiny",
    split: Annotated[
        str, typer.Option(help='"held-out"; "tune" to choose by, which leaves the other unseen.')
    ] = "held-out",
    text: Annotated[bool, typer.Option(help="Also with the recogniser's words.")] = True,
    cache: Annotated[Path, typer.Option(help="Where voices and packages are kept.")] = default_cache()
    / "interjections",
    output: Annotated[Path, typer.Option(help="Where the figures go.")] = Path(__file__).parent
    / "results"
    / "interjections.json",
) -> None:
    """Measure the classifier of interjections. Exits 1 when a target is missed."""
    console = Console()
    try:
        engines = Engines(Registry(), profile)
        found = list(cases(cache, cast("Split", split)))
        results = asyncio.run(judged(found, engines.interjections, engines.recognizer if text else None))
        seconds = asyncio.run(duration(engines.interjections))
    except ConfigError as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    summary = cast("dict[str, dict[str, dict[str, object]]]", figures(results))
    for part, rows in summary.items():
        console.print(table(part, rows))
    console.print(f"one judgement of 1.5 s: {1000 * seconds:.1f} ms")
    output.parent.mkdir(parents=True, exist_ok=True)
    record = {"profile": profile, "split": split, "threshold": WANTED, "seconds": seconds, "parts": summary}
    output.write_text(json.dumps({**record, "cases": [_row(result) for result in results]}, indent=1) + "\n")
    missed = list(verdicts(summary["strict"]))
    for line in missed:
        console.print(line, style="red", highlight=False)
    raise typer.Exit(1 if missed else 0)


class Engines:
    """The two engines of a profile that are measured."""

    def __init__(self, registry: Registry, profile: str) -> None:
        chosen = registry.profile(profile).engines
        self.interjections = cast("Interjections", self._built(registry, chosen["interjections"].model))
        self.recognizer = cast("Recognizer", self._built(registry, chosen["stt"].model))

    @staticmethod
    def _built(registry: Registry, name: str) -> object:
        manifest = registry.manifest(name)
        return build_engine(manifest, registry.pull(manifest), threads=1)


def _row(result: Judged) -> dict[str, object]:
    sound = result.case.line.sound
    about = {"part": result.case.part, "label": sound.label, "kind": sound.kind, "source": sound.source}
    return {
        **about,
        "said": sound.text,
        "readings": {reading.text: round(reading.probability, 3) for reading in result.readings},
        "wanted": {k: round(v, 3) for k, v in result.wanted.items()},
    }


if __name__ == "__main__":
    typer.run(main)
