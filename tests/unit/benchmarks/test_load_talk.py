from __future__ import annotations

from collections.abc import Callable
from math import isnan

import pytest

from benchmarks.load_rtp import SILENCE, TICK
from benchmarks.load_talk import Patience, Question, Talk

QUESTION = Question("q", (b"a" * 160, b"b" * 160, b"c" * 160), speech_ends=0.05)


def carried_on(talk: Talk, agent: Callable[[float], bool], seconds: float) -> list[bytes]:
    """What *talk* sends while *agent* is loud at the times that it says."""
    sent = []
    for tick in range(round(seconds / TICK)):
        at = tick * TICK
        talk.hear(agent(at), at)
        sent.append(talk.next_payload(at))
    return sent


def test_a_caller_asks_when_the_greeting_has_been_over_for_a_while() -> None:
    talk = Talk([QUESTION], Patience(quiet=0.5), 0.0)
    sent = carried_on(talk, lambda at: 0.2 <= at < 1.0, 2.0)
    assert talk.greeted
    spoken = [payload for payload in sent if payload != SILENCE]
    assert spoken == list(QUESTION.payloads)
    assert sent.index(QUESTION.payloads[0]) * TICK == pytest.approx(1.5, abs=2 * TICK)


def test_the_wait_is_from_the_end_of_speech_to_the_first_sound_of_the_reply() -> None:
    talk = Talk([QUESTION], Patience(quiet=0.5), 0.0)
    carried_on(talk, lambda at: at < 0.4 or 2.0 <= at < 3.0, 4.0)
    (asked,) = talk.asked
    # Its last 20 ms went out one tick after the first two, and its speech ends in the middle of them.
    began = asked.speech_ended - QUESTION.speech_ends + TICK
    assert began == pytest.approx(0.4 + 0.5, abs=2 * TICK)
    assert asked.replied == pytest.approx(2.0)
    assert asked.voice_to_voice == pytest.approx(2.0 - asked.speech_ended)
    assert talk.done


def test_a_click_is_no_reply() -> None:
    talk = Talk([QUESTION], Patience(quiet=0.2, reply=1.0), 0.0)
    carried_on(talk, lambda at: at < 0.4 or abs(at - 1.0) < TICK / 2, 1.5)
    assert isnan(talk.asked[0].replied)


def test_a_caller_without_a_reply_asks_the_next_question_and_then_gives_up() -> None:
    talk = Talk([QUESTION, QUESTION], Patience(quiet=0.2, reply=0.5), 0.0)
    carried_on(talk, lambda at: at < 0.4, 3.0)
    assert [isnan(asked.replied) for asked in talk.asked] == [True, True]
    assert talk.done


def test_a_caller_who_is_not_greeted_asks_all_the_same() -> None:
    talk = Talk([QUESTION], Patience(greeting=0.3), 0.0)
    carried_on(talk, lambda at: False, 1.0)
    assert not talk.greeted
    assert len(talk.asked) == 1


def test_a_caller_in_a_hurry_leaves_as_soon_as_the_last_reply_is_heard() -> None:
    talk = Talk([QUESTION], Patience(quiet=0.3, hears_out=False), 0.0)
    carried_on(talk, lambda at: at < 0.4 or at >= 1.5, 1.6)
    assert talk.done
    assert not isnan(talk.asked[0].replied)
