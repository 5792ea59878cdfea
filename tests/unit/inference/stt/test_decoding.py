from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.stt.decoding import (
    Hypothesis,
    first_round,
    is_monotonous,
    repeats,
    token_limit,
    without_begun_round,
)

TOKENS = st.lists(st.integers(0, 50000), max_size=30).map(tuple)


def hypothesis(*tokens: int, logprob: float = -0.2, no_speech: float = 0.1, cut: bool = False) -> Hypothesis:
    return Hypothesis(tokens, logprob, no_speech, cut)


def test_a_transcript_that_ended_by_itself_is_sound() -> None:
    assert hypothesis(1, 2, 3, 4, 5).is_sound


@pytest.mark.parametrize("bad", [{"cut": True}, {"logprob": -1.3}])
def test_a_transcript_that_was_stopped_or_guessed_is_not_sound(bad: dict[str, float]) -> None:
    assert not hypothesis(1, 2, 3, 4, 5, **bad).is_sound  # type: ignore[arg-type]


def test_low_confidence_with_no_speech_is_noise() -> None:
    assert hypothesis(1, logprob=-1.7, no_speech=0.95).is_noise
    assert not hypothesis(1, logprob=-0.3, no_speech=0.95).is_noise
    assert not hypothesis(1, logprob=-1.7, no_speech=0.2).is_noise


def test_a_loop_is_cut_after_its_first_round() -> None:
    looped = hypothesis(7, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, cut=True).without_loop()
    assert looped is not None
    assert looped.tokens == (7, 1, 2, 3, 4, 5)
    assert looped.is_sound


def test_a_short_round_may_have_been_said_and_is_left_to_a_wider_context() -> None:
    assert hypothesis(5, 5, 5, 5, 5, 5, 5, 5, 5, cut=True).without_loop() is None


def test_a_loop_that_the_decoder_was_unsure_of_is_left_to_a_wider_context() -> None:
    assert hypothesis(1, 2, 3, 4, 1, 2, 3, 4, 1, logprob=-1.5, cut=True).without_loop() is None


@given(TOKENS)
def test_different_tokens_hold_no_loop(tokens: tuple[int, ...]) -> None:
    unique = tuple(dict.fromkeys(tokens))
    assert first_round(unique) is None
    assert not repeats(unique)


@given(TOKENS.filter(lambda tokens: len(tokens) >= 4), st.integers(2, 5), st.data())
def test_a_loop_of_distinct_tokens_is_found_however_often_it_ran(
    tokens: tuple[int, ...], rounds: int, data: st.DataObject
) -> None:
    unique = tuple(dict.fromkeys(tokens))
    unfinished = data.draw(st.integers(0, len(unique) - 1))
    if len(unique) >= 4:
        assert first_round(unique * rounds + unique[:unfinished]) == len(unique)


def test_a_repetition_that_ended_by_itself_may_have_been_said_and_is_left_to_a_wider_context() -> None:
    said_twice = hypothesis(1, 2, 3, 4, 5, 1, 2, 3, 4, 5)
    assert not said_twice.is_sound
    assert said_twice.without_loop() is None


def test_more_tokens_are_allowed_for_longer_speech() -> None:
    assert token_limit(0.5) >= 8
    assert token_limit(10.0) > 10 * 4


def test_loops_compress_better_than_language() -> None:
    assert is_monotonous("thank you " * 30)
    assert not is_monotonous("Thank you for calling, how may I help you today?")
    assert not is_monotonous("")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Which folder do they go to? Which", "Which folder do they go to?"),
        ("So it is. The blue one with the handle. The", "So it is. The blue one with the handle."),
        ("please take off the shoes. Please take", "please take off the shoes."),
    ],
)
def test_a_second_round_that_was_hardly_begun_is_left_out(text: str, said: str) -> None:
    assert without_begun_round(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "It is broken. I",
        "It is broken. It",
        "It's the blue one with the handle. The",
        "No. No.",
        "five five five",
        "Yes. And the",
        "",
        "I do. What do you",
        "Tell me, tell me",
        "call Mr. Smith and Mrs. Smith",
        "Call for Mrs. Call",
        "It belongs to St. James and St. James",
        "S. A. S",
        "J. O. J. O",
        "My code is 5. 5",
    ],
)
def test_what_a_caller_may_have_gone_on_to_say_is_kept(text: str) -> None:
    assert without_begun_round(text) == text
