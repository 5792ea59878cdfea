"""`python -m benchmarks`: start an Offhook, call it, measure it, and fail when it is out of bounds."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.bargein import barge_in_figures, interrupt
from benchmarks.bench import Bench
from benchmarks.latency import JudgedTurn, latency_figures, place_calls
from benchmarks.processes import usage
from benchmarks.questions import questions
from benchmarks.report import machine, save, show
from benchmarks.scenario import SCENARIOS, Scenario, read_scenario
from benchmarks.system import Setup, SystemFailed, running
from benchmarks.thresholds import compared, judge, read_thresholds
from benchmarks.wer import word_error_rates
from inference.registry import Registry, default_cache
from orchestrator.core.errors import ConfigError
from telephony.sip.caller import Phone

RESULTS = Path(__file__).parent / "results"
BASELINE = Path(__file__).parent / "baseline.json"


class Part(StrEnum):
    """The measurements; each can be left out."""

    LATENCY = "latency"
    BARGE_IN = "barge-in"
    WER = "wer"


def main(  # noqa: PLR0913, PLR0917 - one parameter an option
    profile: Annotated[str, typer.Option(help="The profile under test.")] = "cpu-tiny",
    scenario: Annotated[Path, typer.Option(help="What the callers say.")] = SCENARIOS / "helpdesk.toml",
    part: Annotated[list[Part] | None, typer.Option(help="Measure only this; may be repeated.")] = None,
    calls: Annotated[int | None, typer.Option(help="Only the first so many calls of each kind.", min=1)] = None,
    output: Annotated[Path, typer.Option(help="Where the figures go.")] = RESULTS / "latest.json",
    baseline: Annotated[Path | None, typer.Option(help="Figures to compare with.")] = BASELINE,
    new_baseline: Annotated[bool, typer.Option("--new-baseline", help="Make this run the baseline.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Where to keep recordings of both ends of the calls.")] = None,
) -> None:
    """Measure Offhook at the caller's ear. Exits 1 when a threshold is missed."""
    console = Console()
    parts = set(part or Part)
    try:
        plan = read_scenario(scenario)
        plan = plan.model_copy(update={"calls": plan.calls[:calls], "interruptions": plan.interruptions[:calls]})
        thresholds = read_thresholds()
        results, turns = measure(plan, profile, parts, console, keep)
    except (ConfigError, SystemFailed) as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    save(results, turns, output)
    show(results, console)
    if baseline is not None and baseline.is_file():
        for line in compared(results, json.loads(baseline.read_text())):
            console.print(line, highlight=False)
    if new_baseline:
        summaries = {name: value for name, value in results.items() if name != "turns"}
        BASELINE.write_text(json.dumps(summaries, indent=2) + "\n")
    verdicts = [verdict for verdict in judge(results, thresholds) if parts == set(Part) or verdict.value is not None]
    for verdict in verdicts:
        console.print(str(verdict), style=None if verdict.passed else "red", highlight=False, soft_wrap=True)
    console.print(f"figures: {output}", highlight=False, soft_wrap=True)
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(1)


def measure(
    plan: Scenario, profile: str, parts: set[Part], console: Console, keep: Path | None = None
) -> tuple[dict[str, object], list[JudgedTurn]]:
    """The figures of the chosen parts, and the turns behind them. Raises ConfigError, SystemFailed."""
    registry = Registry()
    results: dict[str, object] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "profile": profile,
        "machine": machine(),
        "load_average_before": os.getloadavg(),
    }
    turns: list[JudgedTurn] = []
    if Part.WER in parts:
        console.print("recognising human recordings …", highlight=False)
        results |= word_error_rates(registry, profile)
    if parts & {Part.LATENCY, Part.BARGE_IN}:
        lines = questions(plan.words(), registry, profile, default_cache() / "benchmark-speech")
        with tempfile.TemporaryDirectory(prefix="offhook-bench-") as folder:
            agents = Path(folder) / "agents"
            agents.mkdir()
            shutil.copy(SCENARIOS / "agents" / f"{plan.agent}.toml", agents)
            console.print("starting offhook …", highlight=False)
            with running(Setup(Path(folder) / "data", agents, profile)) as system, Phone() as phone:
                bench = Bench(
                    phone,
                    system,
                    plan.number,
                    lines,
                    lambda line: console.print(line, highlight=False, soft_wrap=True),
                    keep,
                )
                if Part.LATENCY in parts:
                    with usage(system.pid) as used:
                        turns = place_calls(bench, plan)
                    results |= latency_figures(turns)
                    results["cpu_s_per_turn"] = round(used.cpu / max(1, len(turns)), 2)
                    results["rss_mb"] = round(used.peak_rss_bytes / 2**20)
                if Part.BARGE_IN in parts:
                    results |= barge_in_figures(interrupt(bench, plan))
    results["load_average"] = os.getloadavg()
    return results, turns


if __name__ == "__main__":
    typer.run(main)
