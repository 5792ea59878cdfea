"""Measured turns find the stored ones, although the two clocks differ."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.caller import MeasuredTurn
from benchmarks.conversation import Line
from benchmarks.measure import TurnSound
from benchmarks.timeline import AgentTurn, matched
from orchestrator.core.turn import Mark


def heard(speech_ended: float) -> MeasuredTurn:
    sound = TurnSound(speech_ended - 2.0, speech_ended, speech_ended + 1.0, speech_ended + 3.0, cut_in=False)
    return MeasuredTurn(Line("q", np.zeros(0, dtype=np.int16)), sound)


def stored(index: int, speech_ended: float | None) -> AgentTurn:
    marks = {} if speech_ended is None else {Mark.SPEECH_ENDED.value: speech_ended}
    return AgentTurn(index, "llm", "", "", "", marks, {})


def indexes(found: list[AgentTurn | None]) -> list[int | None]:
    return [turn.index if turn else None for turn in found]


@pytest.mark.parametrize("offset", [-0.4, 0.0, 0.07, 1.2])
def test_turns_are_matched_whatever_the_clocks_differ_by(offset: float) -> None:
    turns = [stored(0, None), stored(1, 5.0 + offset), stored(2, 12.01 + offset), stored(3, 20.02 + offset)]
    assert indexes(matched([heard(5.0), heard(12.0), heard(20.0)], turns)) == [1, 2, 3]


def test_a_turn_that_the_agent_never_stored_has_no_match() -> None:
    turns = [stored(0, None), stored(1, 5.05), stored(2, 20.05)]
    assert indexes(matched([heard(5.0), heard(12.0), heard(20.0)], turns)) == [1, None, 2]


def test_a_call_without_stored_turns_matches_nothing() -> None:
    assert indexes(matched([heard(5.0)], [stored(0, None)])) == [None]
    assert indexes(matched([heard(5.0)], [])) == [None]


def test_a_line_without_speech_matches_nothing() -> None:
    keyed = MeasuredTurn(Line("k", np.zeros(0, dtype=np.int16), keys="1"), None)
    assert indexes(matched([heard(5.0), keyed], [stored(1, 5.0)])) == [1, None]
