"""`python -m benchmarks`: start an Offhook, call it, measure it, and fail when it is out of bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.report import save, show
from benchmarks.run import Part, Run, measure
from benchmarks.scenario import read_scenario, scenario_file
from benchmarks.system import SystemFailed
from benchmarks.thresholds import compared, judge, read_thresholds
from orchestrator.core.errors import ConfigError

RESULTS = Path(__file__).parent / "results"
BASELINE = Path(__file__).parent / "baseline.json"
BASELINE_SCENARIO = "helpdesk"


def main(  # noqa: PLR0913, PLR0917 - one parameter an option
    profile: Annotated[str, typer.Option(help="The profile under test.")] = "cpu-tiny",
    scenario: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="What the callers say: helpdesk, heldout or a TOML file.")
    ] = BASELINE_SCENARIO,
    part: Annotated[list[Part] | None, typer.Option(help="Measure only this; may be repeated.")] = None,
    calls: Annotated[int | None, typer.Option(help="Only the first so many calls of each kind.", min=1)] = None,
    repeat: Annotated[int, typer.Option(help="Make every call so often, and pool them.", min=1)] = 1,
    output: Annotated[Path, typer.Option(help="Where the figures go.")] = RESULTS / "latest.json",
    baseline: Annotated[Path | None, typer.Option(help="Figures to compare with.")] = BASELINE,
    new_baseline: Annotated[bool, typer.Option("--new-baseline", help="Make this run the baseline.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Where to keep recordings of both ends of the calls.")] = None,
) -> None:
    """Measure Offhook at the caller's ear. Exits 1 when a threshold is missed."""
    if new_baseline and scenario != BASELINE_SCENARIO:
        raise typer.BadParameter(f"--new-baseline is for the scenario {BASELINE_SCENARIO}; --output keeps other runs")
    console = Console()
    parts = frozenset(part or Part)
    try:
        path = scenario_file(scenario)
        plan = read_scenario(path)
        plan = plan.model_copy(update={"calls": plan.calls[:calls], "interruptions": plan.interruptions[:calls]})
        thresholds = read_thresholds()
        results, turns = measure(Run(path.stem, plan, profile, parts, repeat, keep), console)
    except (ConfigError, SystemFailed) as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(2) from error
    save(results, turns, output)
    show(results, console)
    if baseline is not None and baseline.is_file():
        for line in compared(results, json.loads(baseline.read_text())):
            console.print(line, highlight=False)
    if new_baseline:
        summaries = {name: value for name, value in results.items() if name not in {"turns", "interruptions"}}
        BASELINE.write_text(json.dumps(summaries, indent=2) + "\n")
    verdicts = [verdict for verdict in judge(results, thresholds) if parts == set(Part) or verdict.value is not None]
    for verdict in verdicts:
        console.print(str(verdict), style=None if verdict.passed else "red", highlight=False, soft_wrap=True)
    console.print(f"figures: {output}", highlight=False, soft_wrap=True)
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
