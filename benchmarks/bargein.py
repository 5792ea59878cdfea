"""Barge-in on the wire: a caller talks over replies and hears how soon the agent falls silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from benchmarks.bench import Bench
from benchmarks.caller import MeasuredCall
from benchmarks.conversation import RATE, Line
from benchmarks.scenario import Interruption, Scenario
from benchmarks.statistics import split_summary
from benchmarks.system import SystemFailed
from benchmarks.timeline import AgentTurn, clocks_apart
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import LegError
from orchestrator.core.turn import Mark
from telephony.sip.caller import Codec

# What the caller hears of a reply begins this much before the place where its energy is found, and ends as much later.
_AROUND = 0.15
# No agent stops sooner: it takes so long to tell a voice from a click.
_SOONEST = 0.1


@dataclass(frozen=True, slots=True)
class Interrupted:
    """One reply that was talked over.

    line: by whom; onset: when they began, in seconds of the caller's recording; silenced: seconds from there until the
    agent was heard no more, None when the reply was over by itself before anybody could have stopped it; reply: the
    turn whose reply it was; heard: what the caller heard of it, at 16 kHz. codec: of the call.
    """

    line: Line
    codec: Codec
    onset: float
    silenced: float | None
    reply: AgentTurn | None
    heard: AudioFrame

    @property
    def kind(self) -> str:
        """Who decided the words that were cut short."""
        return self.reply.answer if self.reply else "unknown"


def interrupt(bench: Bench, scenario: Scenario, repeat: int = 1) -> list[Interrupted]:
    """Every interruption of the scenario, *repeat* times; a call that fails gives none."""
    found = []
    for plan in scenario.interruptions * repeat:
        for one in _one_call(bench, plan):
            found.append(one)
            silenced = "the agent was silent" if one.silenced is None else f"{one.silenced * 1000:.0f} ms"
            bench.told(f"interrupted  {one.codec:4}  {one.kind:8} after {one.line.over:.1f} s: {silenced}")
    return found


def _one_call(bench: Bench, plan: Interruption) -> list[Interrupted]:
    asked = [bench.lines[plan.question]]
    for words, over in plan.moments():
        if not plan.in_a_row and len(asked) > 1:
            asked.append(bench.lines[plan.question])
        asked.append(replace(bench.lines[words], over=over))
    try:
        measured, stored = bench.call(plan.codec, asked)
    except (LegError, SystemFailed) as error:
        bench.told(f"interruption failed: {error}")
        return []
    return interruptions(measured, stored, plan.codec)


def interruptions(call: MeasuredCall, stored: Sequence[AgentTurn], codec: Codec) -> list[Interrupted]:
    """The replies that lines of *call* were said over, with the turns that the agent *stored* of them."""
    apart = clocks_apart(call.turns, stored)
    found = []
    for before, turn in zip(call.turns, call.turns[1:], strict=False):
        if turn.line.over is None or turn.sound is None or before.sound is None:
            continue
        silent_from = turn.sound.onset + (turn.barge_in or 0.0)
        moment = turn.sound.onset + apart
        reply = _reply_at(moment, stored)
        over = reply is not None and reply.marks.get(Mark.REPLY_ENDED, inf) < moment + _SOONEST
        begun = before.sound.speech_ended if before.sound.reply_started is None else before.sound.reply_started
        piece = slice(max(0, round((begun - _AROUND) * RATE)), round((silent_from + _AROUND) * RATE))
        found.append(
            Interrupted(
                line=turn.line,
                codec=codec,
                onset=turn.sound.onset,
                silenced=None if over else turn.barge_in,
                reply=reply,
                heard=AudioFrame(call.placed.heard[piece], RATE, piece.start / RATE),
            )
        )
    return found


def _reply_at(moment: float, stored: Sequence[AgentTurn]) -> AgentTurn | None:
    """The turn whose reply was the latest to begin before *moment* of the agent's clock."""
    begun = [turn for turn in stored if turn.marks.get(Mark.REPLY_STARTED, moment) < moment]
    return max(begun, key=lambda turn: turn.marks[Mark.REPLY_STARTED], default=None)


def barge_in_figures(found: list[Interrupted]) -> dict[str, object]:
    """Seconds from the caller's onset to silence, split by the kind of reply beside the total."""
    by_kind: dict[str, list[float]] = {"approved": [], "llm": []}
    for one in found:
        if one.silenced is not None:
            by_kind.setdefault(one.kind, []).append(one.silenced)
    return {"barge_in_s": split_summary(by_kind)}
