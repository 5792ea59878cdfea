"""The figures of a load test as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

_SUMMARIES = (
    "rtp_interval_s",
    "rtp_jitter_s",
    "caller_late_s",
    "heard_voice_to_voice_s",
    "voice_to_voice_s",
    "overhead_s",
)
_COUNTS = (
    "turns",
    "unanswered",
    "refused",
    "cut_off",
    "rtp_received",
    "rtp_lost",
    "call_minutes",
    "cores_used",
    "callers_cores_used",
)


def show_wave(figures: Mapping[str, Any], console: Console) -> None:
    """One number of simultaneous calls."""
    table = Table(f"{figures['calls']} calls at once", "n", "p50", "p95", "p99", "max", box=None)
    for name in _SUMMARIES:
        _add(table, name, figures.get(name))
    for name, summary in figures["spans_s"].items():
        _add(table, f"span {name}", summary)
    console.print(table)
    console.print("  ".join(f"{name} {figures[name]}" for name in _COUNTS), highlight=False, soft_wrap=True)
    for name in ("cpu_s_per_call_minute", "held"):
        console.print(f"{name}: {figures[name]}", highlight=False, soft_wrap=True)


def show_sequence(figures: Mapping[str, Any], console: Console) -> None:
    """What has grown."""
    table = Table("grown", "processes", "threads", "descriptors", "sockets", "RSS, kB a call", box=None)
    for part, grown in figures["parts"].items():
        table.add_row(part, *(str(value) for value in grown.values()))
    console.print(table)
    for name in ("calls", "failed", "tasks_grown", "objects_grown_per_call"):
        console.print(f"{name}: {figures[name]}", highlight=False)


def _add(table: Table, name: str, figures: object) -> None:
    """A row for a summary and one for each of its parts."""
    if not isinstance(figures, Mapping) or not figures["n"]:
        return
    table.add_row(name, *(_shown(figures[key]) for key in ("n", "p50", "p95", "p99", "max")))
    for part, inner in figures.items():
        if isinstance(inner, Mapping):
            _add(table, f"  {part}", inner)


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
