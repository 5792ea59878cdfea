"""Many short calls one after the other: what is still held afterwards that was not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from benchmarks.load_caller import Made, Plan, make_call
from benchmarks.load_resources import Holding, holdings, slope
from benchmarks.load_system import LoadSystem
from benchmarks.load_talk import Patience, Question

# After so many calls everything rests and is looked at.
_LOOK_AFTER = 20
_REST = 2.0
# A line is free again a moment after the goodbye.
_BETWEEN_CALLS = 0.15
# One caller in so many hears the reply out; the others hang up in the middle of it.
_PATIENT = 4
_QUIET = 0.3


@dataclass(frozen=True, slots=True)
class Look:
    """What was held after so many *calls*, with none going on. inside: of the orchestrator's loop and heap."""

    calls: int
    parts: dict[str, Holding]
    inside: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SequencePlan:
    """How many calls, how many of them at a time, and to which number."""

    calls: int
    at_once: int
    number: str


async def run_sequence(
    system: LoadSystem, plan: SequencePlan, asked: Sequence[Question], told: Callable[[str], None]
) -> tuple[list[Look], int]:
    """A look after every twenty calls, and the number of calls that did not go as they should."""
    looks: list[Look] = []
    failed = 0
    for first in range(0, plan.calls, _LOOK_AFTER):
        upto = min(plan.calls, first + _LOOK_AFTER)
        waiting = iter(range(first, upto))
        async with asyncio.TaskGroup() as group:
            workers = [
                group.create_task(_work(system.gateways[number % len(system.gateways)], plan.number, asked, waiting))
                for number in range(plan.at_once)
            ]
        failed += sum(worker.result() for worker in workers)
        await asyncio.sleep(_REST)
        looks.append(Look(upto, await asyncio.to_thread(holdings, system.pid), await asyncio.to_thread(system.inside)))
        told(f"{upto:4} calls  {_line(looks[-1])}")
    return looks, failed


async def _work(gateway: int, number: str, asked: Sequence[Question], waiting: Iterator[int]) -> int:
    """Make calls until none is *waiting*; how many of them failed."""
    failed = 0
    for index in waiting:
        patience = Patience(quiet=_QUIET, hears_out=index % _PATIENT == 0)
        made = await make_call(Plan(gateway, number, f"sequence-{index}", [asked[index % len(asked)]], patience))
        failed += _went_wrong(made)
        await asyncio.sleep(_BETWEEN_CALLS)
    return failed


def _went_wrong(made: Made) -> bool:
    return made.refused is not None or made.cut_off or not made.asked or isnan(made.asked[0].replied)


def sequence_figures(looks: Sequence[Look], failed: int) -> dict[str, object]:
    """What has grown between the first look and the last one, and how fast memory grows from call to call."""
    first, last = looks[0], looks[-1]
    calls = max(1, last.calls - first.calls)
    return {
        "calls": last.calls,
        "failed": failed,
        "tasks_grown": last.inside["tasks"] - first.inside["tasks"],
        "objects_grown_per_call": round((last.inside["objects"] - first.inside["objects"]) / calls, 2),
        "parts": {part: _grown(part, looks) for part in sorted(first.parts)},
        "looks": [_row(look) for look in looks],
    }


def _grown(part: str, looks: Sequence[Look]) -> dict[str, float]:
    first, last = looks[0].parts[part], looks[-1].parts.get(part, Holding())
    return {
        "processes": last.processes - first.processes,
        "threads": last.threads - first.threads,
        "descriptors": last.descriptors - first.descriptors,
        "sockets": last.sockets - first.sockets,
        "rss_kb_per_call": round(
            slope((look.calls, look.parts.get(part, Holding()).rss_bytes / 1024) for look in looks), 1
        ),
    }


def _row(look: Look) -> dict[str, object]:
    return {
        "calls": look.calls,
        "inside": look.inside,
        "rss_mb": {part: round(holding.rss_bytes / 2**20, 1) for part, holding in look.parts.items()},
        "threads": {part: holding.threads for part, holding in look.parts.items()},
        "sockets": {part: holding.sockets for part, holding in look.parts.items()},
    }


def _line(look: Look) -> str:
    memory = "  ".join(f"{part} {holding.rss_bytes / 2**20:.1f} MB" for part, holding in sorted(look.parts.items()))
    return f"tasks {look.inside['tasks']}  objects {look.inside['objects']}  {memory}"
