"""`python -m benchmarks.charts`: the plots of docs/latency.md, from the figures of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
import typer
from matplotlib.axes import Axes
from rich.console import Console

Results: TypeAlias = Mapping[str, Any]
RESULTS = Path(__file__).parent / "results"
PLOTS = Path(__file__).parents[1] / "docs" / "latency"

# The way of a turn: each part ends where the next begins. Those of a reply that was begun ahead overlap the silence.
_PARTS = (
    ("until the pause is found", "pause", "#cbd5e1"),
    ("until the words are there", "transcription", "#94a3b8"),
    ("until the turn is over", "endpointing", "#475569"),
    ("until the reply sounds", "voice_to_voice", "#2a9d8f"),
)
_WITH, _WITHOUT = "#2a9d8f", "#e76f51"


def main(
    run: Annotated[Path, typer.Option(help="Figures of `make bench`.")] = RESULTS / "latest.json",
    without: Annotated[Path | None, typer.Option(help="The same run with OFFHOOK_SPECULATION=false.")] = None,
    turn_ends: Annotated[Path | None, typer.Option(help="Figures of benchmarks.turn_ends.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the plots go.")] = PLOTS,
) -> None:
    """Draw every plot that the given figures allow."""
    folder.mkdir(parents=True, exist_ok=True)
    results = _read(run)
    _draw(folder / "turns.svg", lambda axes: turns(axes, results["turns"]), height=7.0)
    if without is not None:
        runs = {"replies begun ahead": results, "not begun before the turn is over": _read(without)}
        _draw(folder / "speculation.svg", lambda axes: distributions(axes, runs))
    if "interruptions" in results:
        _draw(folder / "barge_in.svg", lambda axes: barge_in(axes, results["interruptions"]))
    if turn_ends is not None:
        policies = _read(turn_ends)["policies"]
        _draw(folder / "turn_ends.svg", lambda axes: trade(axes, policies))
    Console().print(f"plots: {folder}", highlight=False, soft_wrap=True)


def turns(axes: Axes, rows: Sequence[Results]) -> None:
    """What every turn is made of, from the end of the caller's speech; the slowest below."""
    told = [row for row in rows if all(span in row["spans_s"] for _, span, _ in _PARTS)]
    ordered = sorted(told, key=lambda row: (row["kind"], row["spans_s"]["voice_to_voice"]))
    places = np.arange(len(ordered))
    reached = np.zeros(len(ordered))
    for label, span, colour in _PARTS:
        until = np.maximum(reached, [row["spans_s"][span] for row in ordered])
        axes.barh(places, until - reached, left=reached, color=colour, label=label, height=0.85)
        reached = until
    kinds = [row["kind"] for row in ordered]
    for kind in dict.fromkeys(kinds):
        first, count = kinds.index(kind), kinds.count(kind)
        axes.text(-0.02, first + count / 2, f"{kind} (n = {count})", rotation=90, ha="right", va="center", size=8)
    axes.invert_yaxis()
    axes.set(xlabel="seconds since the end of the caller's speech", yticks=[], xlim=(0, None))
    axes.legend(loc="upper right", frameon=False, fontsize=8)


def distributions(axes: Axes, runs: Mapping[str, Results]) -> None:
    """The share of turns answered within so many seconds at the caller."""
    for (name, results), colour in zip(runs.items(), (_WITH, _WITHOUT), strict=True):
        _share(axes, [row["voice_to_voice_s"] for row in results["turns"]], name, colour)
    axes.set(xlabel="voice to voice at the caller, s", ylabel="turns answered, %", xlim=(0, None), ylim=(0, 101))
    axes.legend(loc="lower right", frameon=False)


def barge_in(axes: Axes, rows: Sequence[Results]) -> None:
    """The share of interrupted replies that were silent within so many seconds."""
    _share(axes, [row["barge_in_s"] for row in rows], "interruptions", _WITH)
    axes.set(xlabel="onset to silence at the caller, s", ylabel="agent silent, %", xlim=(0, None), ylim=(0, 101))
    axes.legend(loc="lower right", frameon=False)


def trade(axes: Axes, policies: Mapping[str, Results]) -> None:
    """Turns cut off against the wait of callers who were done: towards the lower left is better."""
    for name, found in policies.items():
        wait, cut = found["wait_s"]["p50"], 100 * found["cut_off"]
        axes.plot(wait, cut, "o", color=_WITHOUT if name.startswith("sound") else _WITH)
        axes.annotate(name, (wait, cut), xytext=(5, 5), textcoords="offset points", fontsize=8)
    axes.set(
        xlabel="median wait of whole utterances, s",
        ylabel="turns ended too early, %",
        xlim=(0, None),
        ylim=(0, None),
    )


def _share(axes: Axes, values: Sequence[float | None], name: str, colour: str) -> None:
    known = np.sort([value for value in values if value is not None])
    share = np.arange(1, len(known) + 1) / max(1, len(known))
    axes.step(known, share * 100, where="post", color=colour, label=f"{name} (n = {len(known)})")
    axes.axhline(95, color="#bbbbbb", linewidth=0.8)


def _draw(path: Path, plot: Callable[[Axes], None], height: float = 4.0) -> None:
    figure, axes = plt.subplots(figsize=(7, height))
    plot(axes)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _read(path: Path) -> Results:
    try:
        results: Results = json.loads(path.read_text())
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
    return results


if __name__ == "__main__":
    typer.run(main)
