"""How like what was heard is to what the agent was saying."""

from __future__ import annotations

import pytest

from orchestrator.calls.own_words import LATEST, Likeness, PlayedWord, likeness

SENTENCE = "Messages are kept for ninety days and after that they are deleted for good"
PACE = 0.3


def said(text: str, at: float = 0.0) -> list[PlayedWord]:
    return [PlayedWord(word, at + PACE * n, at + PACE * (n + 1)) for n, word in enumerate(text.split())]


def heard(text: str, at: float, played: list[PlayedWord], delay: float = 0.0) -> Likeness | None:
    return likeness(text.split(), at, at + PACE * len(text.split()), played, delay)


def test_an_echo_is_like_what_was_said_and_tells_its_delay() -> None:
    found = heard("kept for ninety days", 2 * PACE + 0.25, said(SENTENCE))
    assert found is not None
    assert (found.words, found.wrong) == (4, 0)
    assert found.delay == pytest.approx(0.25)


@pytest.mark.parametrize(
    "misread", ["Massages are cat for ninety tea days,", "Messages our cat for ninety daze", "messagesare kept"]
)
def test_what_a_recogniser_misreads_is_like_it_still(misread: str) -> None:
    found = heard(misread, 0.3, said(SENTENCE))
    assert found is not None
    assert found.words == len(misread.split())
    assert found.error < 0.4


def test_a_word_that_was_cut_is_like_its_beginning() -> None:
    found = heard("Good mor", 0.2, said("Good morning and"))
    assert found is not None
    assert (found.words, found.wrong, found.opening) == (2, 0, True)


def test_a_word_in_mid_sentence_opens_nothing() -> None:
    found = heard("kept for ninety", 2 * PACE + 0.1, said(SENTENCE))
    assert found is not None
    assert not found.opening


@pytest.mark.parametrize("own", ["What does a new line cost", "Stop it", "I would like to talk to somebody"])
def test_no_more_than_a_word_of_others_is_like_it(own: str) -> None:
    found = heard(own, 1.0, said(SENTENCE))
    assert found is None or found.words < 2


def test_what_follows_the_echo_is_not_part_of_it() -> None:
    found = heard("messages are kept for what does it cost", 0.2, said(SENTENCE))
    assert found is not None
    assert found.words == 4


def test_what_was_said_long_before_is_forgotten() -> None:
    played = said("kept for ninety days") + said("and that is all", at=4.0)
    assert heard("kept for ninety days", 4.0 + LATEST, played) is None


def test_words_that_were_said_twice_are_told_apart_by_the_delay_of_the_line() -> None:
    played = said("Hello") + said("Hello", at=0.6)
    at_once, late = heard("Hello", 0.7, played), heard("Hello", 0.7, played, delay=0.7)
    assert at_once is not None
    assert late is not None
    assert at_once.delay == pytest.approx(0.1)
    assert late.delay == pytest.approx(0.7)


@pytest.mark.parametrize("text", ["", "...", "\N{EIGHTH NOTE}"])
def test_no_words_are_like_nothing(text: str) -> None:
    assert heard(text, 0.2, said(SENTENCE)) is None
    assert heard("words", 0.2, said(text)) is None


def test_of_a_long_echo_the_beginning_is_compared() -> None:
    text = " ".join([SENTENCE] * 20)
    found = heard(text, 0.3, said(text))
    assert found is not None
    assert found.wrong == 0
    assert 390 <= found.letters <= 400
