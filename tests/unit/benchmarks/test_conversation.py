"""The caller's manners, on a line whose agent speaks at given times."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.conversation import FRAME, TICK, Conversation, Line, Manners

LOUD = np.full(FRAME, 3000, dtype=np.int16)
HISS = np.full(FRAME, 40, dtype=np.int16)
MANNERS = Manners(quiet=1.0, greeting=4.0, reply=5.0, monologue=8.0)


def spoken(duration: float) -> np.ndarray:
    return np.full(round(duration * 16000), 1000, dtype=np.int16)


def held(conversation: Conversation, *agent: tuple[float, float], duration: float = 60.0) -> np.ndarray:
    """What the caller sends while the agent speaks in these stretches (start, end); stops when it is finished."""
    sent = []
    while not conversation.finished and conversation.now < duration:
        now = conversation.now
        sent.append(conversation.exchange(LOUD if any(start <= now < end for start, end in agent) else HISS))
    return np.concatenate(sent)


def test_the_first_question_waits_until_the_greeting_is_over() -> None:
    conversation = Conversation((Line("q", spoken(1.0)),), MANNERS)
    held(conversation, (0.5, 2.0), (2.6, 3.0))
    assert conversation.said[0].start == pytest.approx(4.0, abs=0.1)


def test_an_agent_without_a_greeting_is_asked_all_the_same() -> None:
    conversation = Conversation((Line("q", spoken(1.0)),), MANNERS)
    held(conversation)
    assert conversation.said[0].start == pytest.approx(4.0, abs=0.1)


def test_the_next_question_waits_until_the_reply_is_over() -> None:
    conversation = Conversation((Line("a", spoken(1.0)), Line("b", spoken(1.0))), MANNERS)
    held(conversation, (0.0, 1.0), (5.0, 7.0))
    assert [said.start for said in conversation.said] == pytest.approx([2.0, 8.0], abs=0.1)


def test_a_question_without_a_reply_is_given_up() -> None:
    conversation = Conversation((Line("a", spoken(1.0)),), MANNERS)
    held(conversation, (0.0, 1.0))
    assert conversation.now == pytest.approx(2.0 + 1.0 + 5.0, abs=0.1)


def test_an_agent_that_never_stops_is_left_after_the_monologue_limit() -> None:
    conversation = Conversation((Line("a", spoken(1.0)),), MANNERS)
    held(conversation, (0.0, 1.0), (4.0, 60.0))
    assert conversation.now == pytest.approx(12.0, abs=0.1)


def test_talking_over_starts_a_given_time_after_the_reply_began() -> None:
    conversation = Conversation((Line("a", spoken(1.0)), Line("b", spoken(0.5), over=1.5)), MANNERS)
    held(conversation, (0.0, 1.0), (4.0, 5.8), (7.0, 8.0))
    assert conversation.said[1].start == pytest.approx(5.5, abs=0.1)
    assert conversation.now == pytest.approx(9.0, abs=0.1)


def test_talking_over_waits_out_a_pause_between_two_sentences() -> None:
    conversation = Conversation((Line("a", spoken(1.0)), Line("b", spoken(0.5), over=1.5)), MANNERS)
    held(conversation, (0.0, 1.0), (4.0, 5.3), (6.1, 6.4), (8.0, 8.4))
    assert conversation.said[1].start == pytest.approx(6.12, abs=0.05)


def test_a_reply_that_ended_too_soon_to_be_talked_over_is_followed_up_after_the_usual_silence() -> None:
    conversation = Conversation((Line("a", spoken(1.0)), Line("b", spoken(0.5), over=3.0)), MANNERS)
    held(conversation, (0.0, 1.0), (4.0, 6.5))
    assert conversation.said[1].start == pytest.approx(7.5, abs=0.1)


def test_what_the_agent_has_not_stopped_saying_is_no_reply_to_the_interruption() -> None:
    conversation = Conversation((Line("a", spoken(1.0)), Line("b", spoken(0.5), over=1.5)), MANNERS)
    held(conversation, (0.0, 1.0), (4.0, 6.4), (8.5, 9.5))
    assert conversation.now == pytest.approx(10.5, abs=0.1)


def test_a_single_loud_frame_is_not_a_voice() -> None:
    conversation = Conversation((Line("a", spoken(1.0)),), MANNERS)
    held(conversation, (1.0, 1.02))
    assert conversation.said[0].start == pytest.approx(4.0, abs=0.1)


def test_what_is_sent_is_the_line_at_its_time_and_silence_around_it() -> None:
    conversation = Conversation((Line("a", spoken(0.99)),), MANNERS)
    sent = held(conversation, (0.0, 1.0))
    said = conversation.said[0]
    assert np.flatnonzero(sent)[0] == round(said.start * 16000)
    assert np.count_nonzero(sent) == len(spoken(0.99))
    assert len(sent) % FRAME == 0


def test_keys_are_given_once_when_their_turn_comes() -> None:
    conversation = Conversation((Line("k", np.zeros(0, dtype=np.int16), keys="12#"),), MANNERS)
    keyed = []
    while not conversation.finished and conversation.now < 30:
        conversation.exchange(LOUD if conversation.now < 1.0 else HISS)
        keyed.append((conversation.now, conversation.keys()))
    pressed = [(at, keys) for at, keys in keyed if keys]
    assert [keys for _, keys in pressed] == ["12#"]
    assert pressed[0][0] == pytest.approx(2.0 + TICK, abs=0.1)
