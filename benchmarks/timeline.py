"""What the system says about its own turns, laid beside what the caller measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.caller import MeasuredTurn
from orchestrator.core.turn import Mark

# The agent's clock starts with its gateway's answer, the caller's with its own media: this covers a slow line.
_CLOCKS_APART = 1.5
_SAME_MOMENT = 0.8


@dataclass(frozen=True, slots=True)
class AgentTurn:
    """A turn as the agent stored it. marks and spans: seconds, by name."""

    index: int
    answer: str
    caller_text: str
    reply_text: str
    heard_text: str
    marks: Mapping[str, float]
    spans: Mapping[str, float]


def read_turns(call: Mapping[str, Any]) -> list[AgentTurn]:
    """The turns in the API's answer about one call."""
    return [
        AgentTurn(
            index=turn["index"],
            answer=turn["answer"] or "",
            caller_text=turn["caller_text"],
            reply_text=turn["reply_text"],
            heard_text=turn["heard_text"],
            marks=turn["marks"],
            spans=turn["spans"],
        )
        for turn in call["turns"]
    ]


def matched(measured: Sequence[MeasuredTurn], stored: Sequence[AgentTurn]) -> list[AgentTurn | None]:
    """For each measured turn, the stored one whose speech ended at the same moment; None when there is none."""
    offset = clocks_apart(measured, stored)
    marked = [turn for turn in stored if Mark.SPEECH_ENDED in turn.marks]
    ends = [turn.sound.speech_ended if turn.sound else None for turn in measured]
    return [None if end is None else _nearest(end + offset, marked) for end in ends]


def clocks_apart(measured: Sequence[MeasuredTurn], stored: Sequence[AgentTurn]) -> float:
    """Seconds to add to the caller's clock to get the agent's: what makes the ends of the most turns agree."""
    ends = [turn.sound.speech_ended for turn in measured if turn.sound]
    return _offset(ends, [turn.marks[Mark.SPEECH_ENDED] for turn in stored if Mark.SPEECH_ENDED in turn.marks])


def _offset(ends: Sequence[float], marks: Sequence[float]) -> float:
    candidates = [mark - end for end in ends for mark in marks if abs(mark - end) < _CLOCKS_APART]

    def agreement(offset: float) -> tuple[int, float]:
        near = [min(abs(end + offset - mark) for mark in marks) for end in ends]
        return sum(distance < _SAME_MOMENT for distance in near), -sum(min(distance, _SAME_MOMENT) for distance in near)

    return max(candidates, key=agreement, default=0.0)


def _nearest(moment: float, stored: Sequence[AgentTurn]) -> AgentTurn | None:
    near = [turn for turn in stored if abs(turn.marks[Mark.SPEECH_ENDED] - moment) < _SAME_MOMENT]
    return min(near, key=lambda turn: abs(turn.marks[Mark.SPEECH_ENDED] - moment), default=None)
