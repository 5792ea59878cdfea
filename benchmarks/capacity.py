"""How many calls a GPU holds, and how many cores they need: `python -m benchmarks.capacity`.

A model, not a measurement. Each engine is busy for some seconds of every turn; a GPU holds as many calls as keep it
busy for no more than the share of its time in which requests do not queue. What goes in stands in capacity.toml, with
where it is from; the cost of a call outside of its engines is measured by benchmarks/load.py.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console
from rich.table import Table

from inference.complaint import explain
from orchestrator.core.errors import ConfigError

ASSUMPTIONS = Path(__file__).parent / "capacity.toml"
MEASURED = Path(__file__).parent / "load_baseline.json"
_OUTSIDE_OF_ENGINES = ("orchestrator", "gateways", "database")

Positive = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Talk(_Part):
    """What happens in a turn. See capacity.toml for all of these."""

    turn: Positive
    question: Positive
    reply_tokens: Positive
    dropped_replies: Annotated[float, Field(ge=0)]


class Hearing(_Part):
    """How the recogniser is used."""

    partial_every: Positive
    padding: Annotated[float, Field(ge=0)]
    last_passes: Annotated[float, Field(ge=1)]

    def audio(self, question: float) -> float:
        """Seconds of audio that the recogniser is given for *question* seconds of speech, over all passes."""
        partial = [number * self.partial_every for number in range(1, int(question / self.partial_every) + 1)]
        return sum(window + self.padding for window in partial) + self.last_passes * (question + self.padding)


class Limits(_Part):
    """Shares of time that may be used."""

    busy: Annotated[float, Field(gt=0, le=1)]
    cores_busy: Annotated[float, Field(gt=0, le=1)]


class Recogniser(_Part):
    """real_time: seconds of audio a second."""

    model: str
    real_time: Positive


class Gpu(_Part):
    """What a GPU does for a language model."""

    name: str
    together: Annotated[int, Field(ge=1)]
    tokens: Positive
    first: Positive
    source: str
    holds_both: bool


class Assumptions(_Part):
    """Everything that is taken for granted."""

    talk: Talk
    hearing: Hearing
    limits: Limits
    recogniser: Recogniser
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True, slots=True)
class Capacity:
    """Calls that a GPU holds: for the language model alone, for the recogniser alone, for both (None when they do not
    fit together); cores: that so many calls need outside of the GPU, for the larger of the figures that can be had."""

    gpu: str
    language_model: int
    recogniser: int
    both: int | None
    cores: int


def read_assumptions(path: Path = ASSUMPTIONS) -> Assumptions:
    """The assumptions in *path*. Raises ConfigError."""
    try:
        return Assumptions.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        raise ConfigError(explain(error, str(path), Assumptions)) from error


def cores_of_a_call(results: Mapping[str, object]) -> float:
    """Cores that a call keeps busy outside of its engines, from the results of a load test. Raises ConfigError."""
    try:
        used = results["calls"]["cpu_s_per_call_minute"]  # type: ignore[index]
        return sum(float(used[part]) for part in _OUTSIDE_OF_ENGINES) / 60
    except (KeyError, TypeError) as error:
        raise ConfigError("the results of the load test hold no calls.cpu_s_per_call_minute") from error


def generating(gpu: Gpu, talk: Talk) -> float:
    """Share of its time that a call has a request at the language model of *gpu*, replies that are dropped included."""
    request = gpu.first + talk.reply_tokens * gpu.together / gpu.tokens
    return request * (1 + talk.dropped_replies) / talk.turn


def capacity(gpu: Gpu, assumed: Assumptions, cores: float) -> Capacity:
    """Calls that *gpu* holds. cores: that one call keeps busy outside of it."""
    talk, limits = assumed.talk, assumed.limits
    thinking = generating(gpu, talk) / gpu.together
    hearing = assumed.hearing.audio(talk.question) / assumed.recogniser.real_time / talk.turn
    both = int(limits.busy / (thinking + hearing)) if gpu.holds_both else None
    alone = int(limits.busy / thinking)
    return Capacity(
        gpu=gpu.name,
        language_model=alone,
        recogniser=int(limits.busy / hearing),
        both=both,
        cores=ceil(max(both or 0, alone) * cores / limits.cores_busy),
    )


def main(
    assumptions: Annotated[Path, typer.Option(help="What is taken for granted.")] = ASSUMPTIONS,
    measured: Annotated[Path, typer.Option(help="Results of `python -m benchmarks.load --calls 20`.")] = MEASURED,
) -> None:
    """Print how many calls each GPU holds."""
    console = Console()
    try:
        assumed = read_assumptions(assumptions)
        cores = cores_of_a_call(json.loads(measured.read_text()))
    except (ConfigError, OSError, ValueError) as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    table = Table("GPU", "language model alone", "recogniser alone", "both", "cores beside it", box=None)
    for gpu in assumed.gpus:
        found = capacity(gpu, assumed, cores)
        both = "" if found.both is None else str(found.both)
        table.add_row(found.gpu, str(found.language_model), str(found.recogniser), both, str(found.cores))
    console.print(table)
    console.print(f"A call keeps {cores:.3f} cores busy outside of its engines ({measured}).", highlight=False)
    console.print(f"Everything else is assumed: {assumptions}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
