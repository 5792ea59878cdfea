"""`python -m benchmarks.turn_ends`: how often callers are cut off and how long they wait, policy by policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.report import machine
from benchmarks.turn_ends_engines import Engines
from benchmarks.turn_ends_figures import Figures, figures, sound_alone
from benchmarks.turn_ends_fit import fitted
from benchmarks.turn_ends_listener import Outcome, listen
from benchmarks.turn_ends_set import Spoken, spoken
from inference.registry import Registry, default_cache
from orchestrator.calls.completion import Evidence
from orchestrator.calls.endpointing import Patience
from orchestrator.core.errors import ConfigError
from orchestrator.core.expectation import ANYTHING, Expectation

RESULTS = Path(__file__).parent / "results"
KEPT = default_cache() / "turn-ends"
_COLUMNS = ("turns", "paused", "cut_off", "cut_off_paused", "heard", "wait_s.p50", "wait_s.p90", "added_wait_s.p50")


class Split(StrEnum):
    """Which part of the set: everything is tuned on dev, and nothing on heldout."""

    DEV = "dev"
    HELDOUT = "heldout"


@dataclass(frozen=True, slots=True)
class SoundAlone(Patience):
    """The turn detector's verdict and nothing else: a short silence when it is at least one half, else a long one."""

    linger: float = 0.0
    short: float = 0.24
    long: float = 1.0
    half: float = 0.5  # smart-turn model card

    def needed(
        self, evidence: Evidence, expects: Expectation = ANYTHING, language: str = "en", *, waited: float = 0.0
    ) -> float:
        """Seconds of silence that end an utterance."""
        return self.short if (evidence.sound or 0.0) >= self.half else self.long


POLICIES: Mapping[str, tuple[Patience, bool]] = {
    "sound alone": (SoundAlone(), True),
    "quick": (Patience.named("quick"), True),
    "normal": (Patience.named("normal"), True),
    "patient": (Patience.named("patient"), True),
    "normal, question unknown": (Patience.named("normal"), False),
}
"""By name: the patience, and whether it is told what the question expects."""


def main(
    split: Annotated[Split, typer.Option(help="Which callers.")] = Split.DEV,
    profile: Annotated[str, typer.Option(help="The profile whose engines listen.")] = "cpu-tiny",
    fit: Annotated[bool, typer.Option("--fit", help="Print weights fitted to what is heard, and stop.")] = False,
    output: Annotated[Path | None, typer.Option(help="Where the figures go.")] = None,
) -> None:
    """Play the evaluation set to the endpointing, in media time, and count."""
    console = Console()
    if fit and split is not Split.DEV:
        raise typer.BadParameter("--fit is for the development split: nothing is tuned on the other")
    try:
        registry = Registry()
        callers = spoken(split.value, registry, KEPT / "voices")
        engines = Engines(registry, profile, KEPT / "answers.json")
        if fit:
            console.print(fitted(heard(callers, engines, _endless(), knows_question=True)), highlight=False)
            return
        results = measured(callers, engines)
    except ConfigError as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    target = output or RESULTS / f"turn_ends_{split.value}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"split": split.value, "machine": machine(), **results}, indent=2) + "\n")
    show(results, console)
    console.print(f"figures: {target}", highlight=False, soft_wrap=True)


def measured(callers: Sequence[Spoken], engines: Engines) -> dict[str, object]:
    """The figures of every policy, and of the turn detector's verdicts by themselves."""
    # What is said of every pause serves all policies: each hears a part of it.
    endless = heard(callers, engines, _endless(), knows_question=True)
    policies = {
        name: figures(heard(callers, engines, patience, knows_question=knows))
        for name, (patience, knows) in POLICIES.items()
    }
    return {"policies": policies, "verdicts": sound_alone(endless)}


def heard(callers: Sequence[Spoken], engines: Engines, patience: Patience, *, knows_question: bool) -> list[Outcome]:
    """What an endpointer with *patience* makes of each caller; the answers are kept even when it is stopped."""
    try:
        return [listen(caller, engines, patience, knows_question=knows_question) for caller in callers]
    finally:
        engines.save()


def show(results: Mapping[str, object], console: Console) -> None:
    """The policies as a table: all turns, then parts of them."""
    table = Table("policy", *_COLUMNS, box=None)
    policies = results["policies"]
    assert isinstance(policies, Mapping)
    for name, found in policies.items():
        table.add_row(name, *_cells(found))
        for part in ("structured", "unseen_speakers"):
            table.add_row(f"  {part}", *_cells(found[part]))
        for kind, inner in found["kinds"].items() if name == "normal" else ():
            table.add_row(f"  {kind}", *_cells(inner))
    console.print(table)
    console.print(f"the turn detector's verdicts alone: {results['verdicts']}", highlight=False)


def _endless() -> Patience:
    """Nothing ends a turn: every pause is heard with all that was said before it."""
    return Patience(linger=0.0, quickest=60.0, longest=60.0, answer=60.0)


def _cells(found: Figures) -> list[str]:
    cells = []
    for column in _COLUMNS:
        value: object = found
        for key in column.split("."):
            value = value[key] if isinstance(value, Mapping) else None
        share = column.startswith(("cut_off", "heard")) and isinstance(value, float)
        cells.append(f"{value:.1%}" if share else "" if value is None else str(value))
    return cells


if __name__ == "__main__":
    typer.run(main)
