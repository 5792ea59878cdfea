"""What a run leaves behind: JSON, a plot, and a table for whoever ran it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.latency import JudgedTurn

LIMIT = 2.0
_COLOURS = {"approved": "#2a9d8f", "llm": "#264653", "fallback": "#e76f51", "unknown": "#8d99ae"}


def machine() -> dict[str, object]:
    """The machine that a run was made on."""
    processor = [line for line in _proc("cpuinfo") if line.startswith("model name")]
    memory = next((line.split()[1] for line in _proc("meminfo") if line.startswith("MemTotal")), "0")
    return {
        "processor": processor[0].partition(":")[2].strip() if processor else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": int(memory) // 1024,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def save(results: Mapping[str, object], turns: Sequence[JudgedTurn], path: Path) -> None:
    """Write the figures to *path* and the plot beside it, as SVG, when there are turns to show."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    if turns:
        plot(turns, path.with_suffix(".svg"))


def plot(turns: Sequence[JudgedTurn], path: Path) -> None:
    """Voice-to-voice latency: the share of turns answered within so many seconds, by kind of answer."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for kind, colour in _COLOURS.items():
        values = np.sort(
            [turn.voice_to_voice for turn in turns if turn.kind == kind and turn.voice_to_voice is not None]
        )
        if len(values):
            share = np.arange(1, len(values) + 1) / len(values)
            axes.step(values, share * 100, where="post", color=colour, label=f"{kind} (n = {len(values)})")
            axes.plot(values, share * 100, ".", color=colour)
    axes.axvline(LIMIT, color="#d62828", linestyle="--", linewidth=1, label=f"limit {LIMIT:g} s (p95)")
    axes.axhline(95, color="#bbbbbb", linewidth=0.8)
    axes.set(xlabel="voice to voice at the caller, s", ylabel="turns answered, %", xlim=(0, None), ylim=(0, 101))
    axes.legend(loc="lower right", frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def show(results: Mapping[str, object], console: Console) -> None:
    """The summaries as a table."""
    table = Table("figure", "n", "p50", "p95", "p99", "max", box=None)
    for name in ("voice_to_voice_s", "timeline_error_s", "barge_in_s", "heard_words_off"):
        _add(table, name, results.get(name))
    spans = results.get("spans_s")
    for name, figures in spans.items() if isinstance(spans, Mapping) else ():
        _add(table, f"span {name}", figures)
    console.print(table)
    by_run = results.get("voice_to_voice_p95_by_run_s")
    if isinstance(by_run, Sequence) and len(by_run) > 1:
        console.print(f"voice_to_voice_s.p95 of each run: {', '.join(map(_shown, by_run))}", highlight=False)
    if isinstance(words := results.get("heard_words_off"), Mapping):
        console.print(f"heard_words_off.within_1: {words['within_1']}, {words['distribution']}", highlight=False)
    for name in ("wer", "cpu_s_per_turn", "rss_mb", "unanswered", "cut_in", "unmatched"):
        if name in results:
            console.print(f"{name}: {results[name]}", highlight=False)


def _add(table: Table, name: str, figures: object) -> None:
    """A row for a summary and one for each of its parts."""
    if not isinstance(figures, Mapping):
        return
    table.add_row(name, *(_shown(figures[key]) for key in ("n", "p50", "p95", "p99", "max")))
    for part, inner in figures.items():
        if isinstance(inner, Mapping) and "p50" in inner:
            _add(table, f"  {part}", inner)


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)


def _proc(name: str) -> list[str]:
    return Path(f"/proc/{name}").read_text().splitlines()
