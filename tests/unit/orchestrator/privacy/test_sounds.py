"""When what is personal was said."""

from __future__ import annotations

import pytest

from orchestrator.core.ports import Transcript, Word
from orchestrator.core.privacy import Masking
from orchestrator.privacy.masks import find
from orchestrator.privacy.sounds import MARGIN, moments


def heard(text: str, pieces: list[str]) -> Transcript:
    """Each of *pieces* takes a second."""
    return Transcript(text, words=tuple(Word(piece, float(at), at + 1.0) for at, piece in enumerate(pieces)))


def test_a_span_is_silent_from_its_first_word_to_its_last_with_a_margin() -> None:
    text = "my card is 4111 1111 1111 1111, thanks"
    said = heard(text, ["my", "card", "is", "4111", "1111", "1111", "1111,", "thanks"])
    assert moments(said, find(text, Masking.NUMBERS)) == [(3.0 - MARGIN, 7.0 + MARGIN)]


def test_pieces_of_words_are_found_in_the_text_that_they_make() -> None:
    text = "it's 020-7946-0958 or jane@example.com"
    said = heard(text, ["it's", "020", "-7946", "-0958", "or", "jane", "@example", ".com"])
    assert moments(said, find(text, Masking.ALL)) == [(1.0 - MARGIN, 4.0 + MARGIN), (5.0 - MARGIN, 8.0 + MARGIN)]


def test_a_word_that_is_said_twice_is_silent_where_it_is_personal() -> None:
    text = "eight people, and the code is 8 3 5 1"
    said = heard(text, text.split())
    assert moments(said, find(text, Masking.NUMBERS)) == [(6.0 - MARGIN, 10.0 + MARGIN)]


def test_nothing_personal_is_never_silent() -> None:
    assert moments(heard("hello", ["hello"]), []) == []
    assert moments(Transcript(""), []) == []


def test_words_that_are_not_in_the_text_are_a_fault() -> None:
    with pytest.raises(ValueError, match="substring"):
        moments(heard("hello", ["goodbye"]), [])
