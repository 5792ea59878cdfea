"""A number of simultaneous calls, and the figures of them."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from benchmarks.load_caller import Made, Plan, make_call
from benchmarks.load_overhead import Overhead, StubDelays, overheads
from benchmarks.load_questions import rotated
from benchmarks.load_resources import Holding, cpu_between, holdings
from benchmarks.load_system import LoadSystem
from benchmarks.load_talk import Patience, Question
from benchmarks.statistics import summary
from orchestrator.core.turn import Mark

# Between the first dials of two callers: no multiple of the 20 ms in which all of them send.
_APART = 0.173
_LOOK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Wave:
    """Calls that go on at once. turns: questions of each; number: of the agent; name: tells the wave's calls apart."""

    name: str
    calls: int
    turns: int
    number: str
    patience: Patience = Patience()


@dataclass(slots=True)
class Measured:
    """A wave as it went. stored: the API's answer about each call; cpu: seconds that each part used, callers_cpu: that
    the callers did; peak: the most that each part held."""

    wave: Wave
    made: list[Made]
    stored: list[dict[str, Any]]
    cpu: dict[str, float]
    peak: dict[str, Holding]
    load_average: tuple[float, float, float]
    callers_cpu: float = 0.0


async def run_wave(system: LoadSystem, wave: Wave, asked: Sequence[Question]) -> Measured:
    """Make the calls of *wave*, and fetch what was stored of them. Raises SystemFailed."""
    plans = [
        Plan(
            system.gateways[index % len(system.gateways)],
            wave.number,
            f"{wave.name}-{index}",
            rotated(asked, index * wave.turns, wave.turns),
            wave.patience,
        )
        for index in range(wave.calls)
    ]
    before, own = await asyncio.to_thread(holdings, system.pid), time.process_time()
    peak = dict(before)
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(_later(index * _APART, plan)) for index, plan in enumerate(plans)]
        watch = group.create_task(_watch(system.pid, peak))
        await asyncio.wait(calls)
        watch.cancel()
    made = [call.result() for call in calls]
    after, own = await asyncio.to_thread(holdings, system.pid), time.process_time() - own
    _raise_to(peak, after)
    callers = {one.plan.caller for one in made if one.refused is None}
    stored = await asyncio.to_thread(system.stored, callers)
    return Measured(wave, made, stored, cpu_between(before, after), peak, os.getloadavg(), own)


def wave_figures(measured: Measured, delays: StubDelays | None) -> dict[str, object]:
    """The figures of *measured*; the overhead only with *delays*, when all engines were stubs."""
    made = measured.made
    asked = [one for call in made for one in call.asked]
    spans: dict[str, list[float]] = defaultdict(list)
    for call in measured.stored:
        for turn in call["turns"]:
            if Mark.SPEECH_ENDED in turn["marks"]:
                for name, seconds in turn["spans"].items():
                    spans[name].append(seconds)
    minutes = sum(call.duration for call in made) / 60
    figures: dict[str, object] = {
        "calls": measured.wave.calls,
        "refused": sum(call.refused is not None for call in made),
        "cut_off": sum(call.cut_off for call in made),
        "unanswered": sum(isnan(one.replied) for one in asked),
        "turns": len(asked),
        "call_minutes": round(minutes, 2),
        "rtp_interval_s": summary(seconds for call in made for seconds in call.arrivals.intervals),
        "rtp_jitter_s": summary(call.arrivals.worst_jitter for call in made),
        "rtp_received": sum(call.arrivals.received for call in made),
        "rtp_lost": sum(call.arrivals.lost for call in made),
        "caller_late_s": summary(seconds for call in made for seconds in call.late),
        "heard_voice_to_voice_s": summary(one.voice_to_voice for one in asked if not isnan(one.voice_to_voice)),
        "voice_to_voice_s": summary(spans.pop("voice_to_voice", [])),
        "spans_s": {name: summary(seconds) for name, seconds in sorted(spans.items())},
        "cpu_s_per_call_minute": {part: round(used / minutes, 2) for part, used in measured.cpu.items()}
        if minutes
        else {},
        "cores_used": round(sum(measured.cpu.values()) / max(call.duration for call in made), 2) if minutes else 0.0,
        "callers_cores_used": round(measured.callers_cpu / max(call.duration for call in made), 2) if minutes else 0.0,
        "held": {part: _shown(holding) for part, holding in measured.peak.items()},
        "load_average": measured.load_average,
    }
    if delays is not None:
        figures["overhead_s"] = overhead_figures([one for call in measured.stored for one in overheads(call, delays)])
    return figures


def overhead_figures(found: Sequence[Overhead]) -> dict[str, object]:
    """The orchestrator's own share of the wait, and beside the total its two parts."""
    return summary(one.total for one in found) | {
        "late": summary(one.late for one in found),
        "behind": summary(one.behind for one in found),
    }


async def _later(seconds: float, plan: Plan) -> Made:
    await asyncio.sleep(seconds)
    return await make_call(plan)


async def _watch(pid: int, peak: dict[str, Holding]) -> None:
    """Note the most that each part holds, until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        _raise_to(peak, await asyncio.to_thread(holdings, pid))


def _raise_to(peak: dict[str, Holding], now: Mapping[str, Holding]) -> None:
    for part, holding in now.items():
        if part not in peak or holding.rss_bytes > peak[part].rss_bytes:
            peak[part] = holding


def _shown(holding: Holding) -> dict[str, int]:
    return {
        "processes": holding.processes,
        "rss_mb": round(holding.rss_bytes / 2**20),
        "threads": holding.threads,
        "descriptors": holding.descriptors,
        "sockets": holding.sockets,
    }
