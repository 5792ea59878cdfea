"""Which replies were talked over, and how soon they were silent."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bargein import Interrupted, barge_in_figures, interruptions
from benchmarks.caller import MeasuredCall, MeasuredTurn
from benchmarks.conversation import RATE, Line
from benchmarks.measure import TurnSound
from benchmarks.timeline import AgentTurn
from orchestrator.core.turn import Mark
from telephony.sip.caller import PlacedCall

NOTHING = np.zeros(0, dtype=np.int16)
# The agent's clock is this much ahead of the caller's.
APART = 0.4


def called(*turns: MeasuredTurn) -> MeasuredCall:
    heard = np.arange(30 * RATE, dtype=np.int64).astype(np.int16)
    return MeasuredCall(PlacedCall(heard, heard, "caller", "PCMU", 0, ()), None, turns)


def asked(ended: float, replied: float) -> MeasuredTurn:
    return MeasuredTurn(Line("q", NOTHING), TurnSound(ended - 1.0, ended, replied, replied + 5.0, cut_in=False))


def said_over(onset: float, silenced: float | None) -> MeasuredTurn:
    sound = TurnSound(onset, onset + 1.0, onset + 2.0, onset + 4.0, cut_in=False)
    return MeasuredTurn(Line("o", NOTHING, over=1.5), sound, silenced)


def stored(index: int, answer: str, **marks: float) -> AgentTurn:
    on_agents_clock = {name: at + APART for name, at in marks.items()}
    return AgentTurn(index, answer, "", "", "", on_agents_clock, {})


def marks(ended: float, started: float) -> dict[str, float]:
    return {Mark.SPEECH_ENDED.value: ended, Mark.REPLY_STARTED.value: started}


def test_an_interruption_belongs_to_the_latest_reply_that_had_begun() -> None:
    call = called(asked(4.0, 5.0), said_over(7.0, 0.2), said_over(10.0, 0.3))
    turns = [
        stored(0, "approved", **marks(4.0, 5.0)),
        stored(1, "llm", **marks(8.0, 9.0)),
        stored(2, "approved", **marks(11.0, 12.0)),
    ]
    first, second = interruptions(call, turns, "PCMU")
    assert (first.kind, first.silenced) == ("approved", 0.2)
    assert (second.kind, second.silenced) == ("llm", 0.3)


def test_what_was_heard_lasts_from_the_reply_to_its_silence() -> None:
    (one,) = interruptions(called(asked(4.0, 5.0), said_over(7.0, 0.2)), [stored(0, "llm", **marks(4.0, 5.0))], "PCMU")
    assert one.heard.at == pytest.approx(4.85)
    assert one.heard.end == pytest.approx(7.35)


def test_a_reply_that_was_over_by_itself_was_not_interrupted() -> None:
    call = called(asked(4.0, 5.0), said_over(7.0, 0.03))
    over = stored(0, "llm", **marks(4.0, 5.0), reply_ended=7.03)
    assert [one.silenced for one in interruptions(call, [over], "PCMU")] == [None]


def test_a_reply_that_was_said_to_its_end_over_the_caller_counts_as_it_was() -> None:
    call = called(asked(4.0, 5.0), said_over(7.0, 0.9))
    deaf = stored(0, "llm", **marks(4.0, 5.0), reply_ended=7.9)
    found = interruptions(call, [deaf], "PCMU")
    assert [one.silenced for one in found] == [0.9]
    assert barge_in_figures(found)["barge_in_s"]["max"] == 0.9  # type: ignore[index]


def test_an_agent_that_was_silent_is_not_counted() -> None:
    found = interruptions(called(asked(4.0, 5.0), said_over(7.0, None)), [], "PCMU")
    assert [one.kind for one in found] == ["unknown"]
    assert isinstance(found[0], Interrupted)
    assert barge_in_figures(found)["barge_in_s"]["n"] == 0  # type: ignore[index]
