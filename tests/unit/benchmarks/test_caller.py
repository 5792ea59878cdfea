"""What a recorded call shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.caller import as_sent, read_call
from benchmarks.conversation import Line, Said
from orchestrator.core.audio import Pcm
from telephony.sip.caller import Buffered, Codec, PlacedCall
from tests.sounds import mixed, noise, voice

QUESTION = mixed(2.0, (0.2, voice(1.5, -30.0)), (0.0, noise(2.0, -62.0)))
LOUD_QUESTION = mixed(2.0, (0.2, voice(1.5, -12.0)))


def placed(sent: Pcm, heard: Pcm, hung_up_by: str = "caller", buffered: tuple[Buffered, ...] = ()) -> PlacedCall:
    return PlacedCall(sent, heard, hung_up_by, "PCMU", 0, buffered)  # type: ignore[arg-type]


def laid(duration: float, *parts: tuple[float, Pcm]) -> Pcm:
    out = np.zeros(round(duration * 16000), dtype=np.int16)
    for at, pcm in parts:
        out[round(at * 16000) : round(at * 16000) + len(pcm)] = pcm
    return out


def said(at: float, pcm: Pcm, name: str = "q", over: float | None = None) -> Said:
    return Said(Line(name, pcm, over=over), at, at + len(pcm) / 16000)


def test_each_question_is_measured_by_its_own_loudness() -> None:
    sent = laid(20.0, (2.0, QUESTION), (10.0, LOUD_QUESTION))
    heard = mixed(20.0, (0.2, voice(1.0)), (4.7, voice(2.0)), (12.9, voice(2.0)))
    call = read_call(placed(sent, heard), [said(2.0, QUESTION), said(10.0, LOUD_QUESTION)])
    measured = [turn.sound.voice_to_voice for turn in call.turns if turn.sound]
    assert measured == pytest.approx([1.0, 1.2], abs=0.01)
    assert call.greeting
    assert call.greeting.end == pytest.approx(1.2, abs=0.01)
    assert call.succeeded


def test_a_call_that_ended_before_the_first_question_has_no_turns() -> None:
    call = read_call(placed(laid(3.0), mixed(3.0, (0.5, voice(2.0))), hung_up_by="agent"), [])
    assert call.turns == ()
    assert not call.succeeded


def test_a_question_without_a_reply_fails_the_call() -> None:
    call = read_call(placed(laid(9.0, (2.0, QUESTION)), mixed(9.0, (0.5, voice(1.0)))), [said(2.0, QUESTION)])
    assert not call.turns[0].answered
    assert not call.succeeded


def test_what_delays_the_reply_at_the_caller_is_that_of_the_replys_moment() -> None:
    held = tuple(Buffered(at / 100, 0.12 if at > 400 else 0.02) for at in range(900))
    sent, heard = laid(9.0, (2.0, QUESTION)), mixed(9.0, (0.5, voice(1.0)), (5.0, voice(1.0)))
    turn = read_call(placed(sent, heard, buffered=held), [said(2.0, QUESTION)]).turns[0]
    assert turn.waited == pytest.approx(0.12, abs=0.02)


def test_talking_over_a_reply_measures_until_it_is_silent() -> None:
    sent = laid(14.0, (2.0, QUESTION), (6.0, LOUD_QUESTION))
    heard = mixed(14.0, (0.2, voice(1.0)), (4.5, voice(2.0)), (9.0, voice(1.0)))
    call = read_call(placed(sent, heard), [said(2.0, QUESTION), said(6.0, LOUD_QUESTION, over=1.5)])
    assert call.turns[1].barge_in == pytest.approx(6.5 - 6.2, abs=0.01)


@pytest.mark.parametrize("codec", ["PCMU", "G722"])
def test_a_line_that_talks_over_the_agent_begins_with_its_speech(codec: Codec) -> None:
    line = Line("q", QUESTION)
    assert len(as_sent(line, codec).pcm) == len(QUESTION)
    assert len(QUESTION) - len(as_sent(replace(line, over=1.0), codec).pcm) == pytest.approx(0.2 * 16000, abs=160)


def test_keys_may_be_pressed_over_a_reply() -> None:
    line = Line("keys", np.zeros(0, dtype=np.int16), over=1.0, keys="1")
    assert len(as_sent(line, "PCMU").pcm) == 0
