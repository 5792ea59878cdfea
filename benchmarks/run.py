"""One run of the benchmark: an Offhook is started, called and measured."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from benchmarks.bargein import Interrupted, barge_in_figures, interrupt
from benchmarks.bench import Bench
from benchmarks.heard_words import heard_words, heard_words_figures, interruption_rows
from benchmarks.latency import JudgedTurn, latency_figures, place_calls, turn_rows
from benchmarks.processes import usage
from benchmarks.questions import questions
from benchmarks.report import machine
from benchmarks.scenario import Scenario, agent_file
from benchmarks.system import Setup, running
from benchmarks.wer import recogniser, word_error_rates
from inference.registry import Registry, default_cache
from telephony.sip.caller import Phone


class Part(StrEnum):
    """The measurements; each can be left out."""

    LATENCY = "latency"
    BARGE_IN = "barge-in"
    WER = "wer"


@dataclass(frozen=True, slots=True)
class Run:
    """What to measure.

    scenario: the name of *plan*; repeat: how often its calls are made; keep: folder for the recordings of both ends of
    every call.
    """

    scenario: str
    plan: Scenario
    profile: str
    parts: frozenset[Part] = frozenset(Part)
    repeat: int = 1
    keep: Path | None = None


def measure(run: Run, console: Console) -> tuple[dict[str, object], list[JudgedTurn]]:
    """The figures of the chosen parts, and the turns behind them. Raises ConfigError, SystemFailed."""
    registry = Registry()
    results: dict[str, object] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "profile": run.profile,
        "scenario": run.scenario,
        "machine": machine(),
        "load_average_before": os.getloadavg(),
    }
    turns: list[JudgedTurn] = []
    interrupted: list[Interrupted] = []
    agent = agent_file(run.plan.agent)
    if Part.WER in run.parts:
        console.print("recognising human recordings …", highlight=False)
        results |= word_error_rates(registry, run.profile)
    if run.parts & {Part.LATENCY, Part.BARGE_IN}:
        with _bench(run, agent, registry, console) as bench:
            if Part.LATENCY in run.parts:
                with usage(bench.system.pid) as used:
                    turns = place_calls(bench, run.plan, run.repeat)
                results |= latency_figures(turns)
                results["turns"] = turn_rows(turns)
                results["cpu_s_per_turn"] = round(used.cpu / max(1, len(turns)), 2)
                results["rss_mb"] = round(used.peak_rss_bytes / 2**20)
            if Part.BARGE_IN in run.parts:
                interrupted = interrupt(bench, run.plan, run.repeat)
                results |= barge_in_figures(interrupted)
    if interrupted:
        heard = heard_words(interrupted, recogniser(registry, run.profile))
        results |= heard_words_figures(heard)
        results["interruptions"] = interruption_rows(interrupted, heard)
    results["load_average"] = os.getloadavg()
    return results, turns


@contextmanager
def _bench(run: Run, agent: Path, registry: Registry, console: Console) -> Iterator[Bench]:
    """A system of its own with that *agent*, and a phone to call it with."""
    lines = questions(run.plan.words(), registry, run.profile, default_cache() / "benchmark-speech")
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as folder:
        agents = Path(folder) / "agents"
        agents.mkdir()
        shutil.copy(agent, agents)
        console.print("starting offhook …", highlight=False)
        with running(Setup(Path(folder) / "data", agents, run.profile)) as system, Phone() as phone:
            yield Bench(
                phone,
                system,
                run.plan.number,
                lines,
                lambda line: console.print(line, highlight=False, soft_wrap=True),
                run.keep,
            )
