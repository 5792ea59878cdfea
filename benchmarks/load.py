"""`python -m benchmarks.load`: many calls at once, or one after the other, and what they cost.

    python -m benchmarks.load --calls 20                          engines that wait instead of computing
    python -m benchmarks.load --calls 1,2,3,4 --profile cpu-tiny  real engines: from how many calls on do callers wait?
    python -m benchmarks.load --sequence 200                      is anything left over when calls have ended?

docs/capacity.md tells what the figures mean.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.load_overhead import StubDelays, stub_delays
from benchmarks.load_questions import load_questions
from benchmarks.load_run import Wave, run_wave, wave_figures
from benchmarks.load_sequence import SequencePlan, run_sequence, sequence_figures
from benchmarks.load_show import show_sequence, show_wave
from benchmarks.load_system import LoadSetup, LoadSystem, under_load
from benchmarks.load_talk import Question
from benchmarks.report import machine
from benchmarks.scenario import agent_file
from benchmarks.system import SystemFailed
from benchmarks.thresholds import judge, read_thresholds
from inference.registry import Registry
from orchestrator.agents import read_agent
from orchestrator.core.errors import ConfigError

THRESHOLDS = Path(__file__).parent / "load_thresholds.toml"
RESULTS = Path(__file__).parent / "results"
STUB = "stub"
_AGENT = {STUB: "load"}
_OTHER_AGENT = "helpdesk"


def main(  # noqa: PLR0913, PLR0917 - one parameter an option
    calls: Annotated[
        str, typer.Option(help="Calls at once; several numbers, such as 1,2,3, one after the other.")
    ] = "20",
    profile: Annotated[str, typer.Option(help="The profile under load.")] = STUB,
    turns: Annotated[int, typer.Option(help="Questions in each call.", min=1)] = 10,
    sequence: Annotated[int, typer.Option(help="Make so many short calls one after the other instead.", min=0)] = 0,
    at_once: Annotated[int, typer.Option(help="How many of a sequence at a time.", min=1)] = 4,
    gateways: Annotated[
        int | None, typer.Option(help="Gateway processes; one for every four calls when absent.", min=1)
    ] = None,
    speculation: Annotated[
        bool, typer.Option(help="Begin replies before it is certain that the caller is done.")
    ] = True,
    hotspots: Annotated[Path | None, typer.Option(help="Profile the orchestrator into this file (slows it).")] = None,
    output: Annotated[Path, typer.Option(help="Where the figures go.")] = RESULTS / "load.json",
) -> None:
    """Put an Offhook under load. Exits 1 when a threshold is missed on stub engines."""
    console = Console()
    try:
        numbers = [at_once] if sequence else _numbers(calls)
        registry = Registry()
        agent = _AGENT.get(profile, _OTHER_AGENT)
        number = read_agent(agent_file(agent)).numbers[0]
        asked = load_questions(registry, profile, human=profile == STUB)
        delays = stub_delays(registry, profile) if profile == STUB else None
        thresholds = read_thresholds(THRESHOLDS)
        environment = {"OFFHOOK_SPECULATION": str(speculation).lower()}
        setup = LoadSetup(profile, agent, max(numbers), gateways, environment)
        results: dict[str, object] = {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "profile": profile,
            "speculation": speculation,
            "gateways": gateways,
            "machine": machine(),
            "load_average_before": os.getloadavg(),
        }
        with under_load(setup) as system:
            if sequence:
                results["sequence"] = _sequence(system, SequencePlan(sequence, at_once, number), asked, console)
            else:
                waves = [Wave(f"wave-{count}", count, turns, number) for count in numbers]
                found = _waves(system, waves, asked, delays, hotspots, console)
                results |= {"calls": found[-1], "steps": found}
    except (ConfigError, SystemFailed) as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"figures: {output}", highlight=False, soft_wrap=True)
    part = "sequence." if sequence else "calls."
    wanted = {name: limit for name, limit in thresholds.items() if name.startswith(part)} if profile == STUB else {}
    verdicts = judge(results, wanted)
    for verdict in verdicts:
        console.print(str(verdict), style=None if verdict.passed else "red", highlight=False, soft_wrap=True)
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(1)


def _waves(  # noqa: PLR0913, PLR0917
    system: LoadSystem,
    waves: list[Wave],
    asked: list[Question],
    delays: StubDelays | None,
    hotspots: Path | None,
    console: Console,
) -> list[Mapping[str, object]]:
    """The figures of each wave."""
    found: list[Mapping[str, object]] = []
    if hotspots is not None:
        system.toggle_profile()
    for wave in waves:
        measured = asyncio.run(run_wave(system, wave, asked))
        found.append(wave_figures(measured, delays))
        show_wave(found[-1], console)
    if hotspots is not None:
        system.toggle_profile()
        system.inside()  # it answers when the profile is written
        hotspots.write_bytes(system.window.with_suffix(".prof").read_bytes())
    return found


def _sequence(system: LoadSystem, plan: SequencePlan, asked: list[Question], console: Console) -> Mapping[str, object]:
    shortest = sorted(asked, key=lambda question: len(question.payloads))[: plan.at_once]
    looks, failed = asyncio.run(
        run_sequence(system, plan, shortest, lambda line: console.print(line, highlight=False, soft_wrap=True))
    )
    figures = sequence_figures(looks, failed)
    show_sequence(figures, console)
    return figures


def _numbers(text: str) -> list[int]:
    """Raises ConfigError for anything but numbers of calls."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ConfigError(f"--calls: accepted are numbers of calls from 1 on, such as 20 or 1,2,3 (got {text!r})")
    return [int(part) for part in parts]


if __name__ == "__main__":
    typer.run(main)
