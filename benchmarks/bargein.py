"""Barge-in on the wire: a caller talks over long replies and hears how soon the agent falls silent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.bench import Bench
from benchmarks.caller import MeasuredTurn
from benchmarks.scenario import Interruption, Scenario
from benchmarks.statistics import split_summary
from benchmarks.system import SystemFailed
from benchmarks.timeline import AgentTurn, matched
from orchestrator.core.errors import LegError


@dataclass(frozen=True, slots=True)
class Interrupted:
    """One reply that was talked over. question: its stored turn; silenced: seconds, None when it had ended before."""

    question: AgentTurn | None
    interruption: MeasuredTurn

    @property
    def silenced(self) -> float | None:
        """Seconds from the interruption's onset until the agent was heard no more."""
        return self.interruption.barge_in

    @property
    def kind(self) -> str:
        """Who decided the words that were cut short."""
        return self.question.answer if self.question else "unknown"


def interrupt(bench: Bench, scenario: Scenario) -> list[Interrupted]:
    """Every interruption of the scenario; a call that fails gives none."""
    found = []
    for plan in scenario.interruptions:
        for one in _one_call(bench, plan):
            found.append(one)
            silenced = "the agent was silent" if one.silenced is None else f"{one.silenced * 1000:.0f} ms"
            bench.told(f"interrupted  {one.kind:8} after {plan.over:.1f} s: {silenced}")
    return found


def _one_call(bench: Bench, plan: Interruption) -> list[Interrupted]:
    asked = []
    for words in plan.lines:
        asked += [bench.lines[plan.question], replace(bench.lines[words], over=plan.over)]
    try:
        measured, stored = bench.call(plan.codec, asked)
    except (LegError, SystemFailed) as error:
        bench.told(f"interruption failed: {error}")
        return []
    agent_turns = matched(measured.turns, stored)
    return [
        Interrupted(question, interruption)
        for question, interruption in zip(agent_turns[::2], measured.turns[1::2], strict=False)
    ]


def barge_in_figures(found: list[Interrupted]) -> dict[str, object]:
    """Seconds from the caller's onset to silence, split by the kind of reply beside the total."""
    by_kind: dict[str, list[float]] = {"approved": [], "llm": []}
    for one in found:
        if one.silenced is not None:
            by_kind.setdefault(one.kind, []).append(one.silenced)
    return {"barge_in_s": split_summary(by_kind)}
