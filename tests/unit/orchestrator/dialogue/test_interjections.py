from __future__ import annotations

import pytest

from orchestrator.core.ports import Interjection, Reading
from orchestrator.dialogue.interjections import WANTED, evidence, wants_turn

LIKE_AN_INTERRUPTION = Interjection(0.8, 0.15, 0.05)
LIKE_ASSENT = Interjection(0.1, 0.85, 0.05)
LIKE_A_NOISE = Interjection(0.1, 0.1, 0.8)


def read(*texts: str, nobody: float = 0.1) -> tuple[Reading, ...]:
    """Readings of falling probability, each half of the one before, and that nobody spoke."""
    shares = [0.5**index for index in range(len(texts))]
    spoken = (1.0 - nobody) / sum(shares)
    return *(Reading(text, share * spoken) for text, share in zip(texts, shares, strict=True)), Reading("", nobody)


def test_without_readings_the_sound_alone_decides() -> None:
    assert wants_turn(LIKE_AN_INTERRUPTION) == 0.8


@pytest.mark.parametrize("text", ["I see.", "Mm-hmm.", "Yeah.", "Okay."])
def test_assent_is_let_pass_though_it_sounded_like_an_interruption(text: str) -> None:
    assert wants_turn(LIKE_AN_INTERRUPTION, read(text)) < WANTED


@pytest.mark.parametrize("text", ["Stop!", "Wait.", "Tuesday", "what about Monday"])
def test_words_that_want_an_answer_are_heard_though_they_sounded_like_assent(text: str) -> None:
    assert wants_turn(LIKE_ASSENT, read(text)) >= WANTED


def test_assent_among_the_less_likely_readings_counts() -> None:
    misread, alone = read("not right", "That's right.", "That's right!"), read("not right", "Not right.", "Not bright.")
    assert wants_turn(LIKE_ASSENT, misread) < wants_turn(LIKE_ASSENT, alone)


def test_assent_to_a_question_is_an_answer() -> None:
    assert wants_turn(LIKE_ASSENT, read("Yes.")) < WANTED
    assert wants_turn(LIKE_ASSENT, read("Yes."), asked=True) >= WANTED


def test_a_noise_into_which_words_are_invented_is_none() -> None:
    assert wants_turn(LIKE_A_NOISE, read("Thank you.", "You", nobody=0.6)) < WANTED


def test_a_sound_in_which_nobody_is_heard_is_told_by_the_sound() -> None:
    nobody = (Reading("", 1.0),)
    assert wants_turn(LIKE_A_NOISE, nobody) < WANTED <= wants_turn(Interjection(0.99, 0.01, 0.0), nobody)


def test_nothing_read_and_nobody_asked_have_numbers_of_their_own() -> None:
    assert (
        evidence(LIKE_A_NOISE, ())[3:] == evidence(LIKE_A_NOISE, (Reading("", 1.0),))[3:] == (1.0, 0.0, 0.0, 0.0, 0.0)
    )
