from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.tts.word_ends import WordEnd, word_ends


def said(text: str, *sentences: str) -> list[str]:
    """What has been said at the end of each word of *text*, given the phonemes of its *sentences*."""
    return [sentences[end.sentence][: end.phonemes] for end in word_ends(text, sentences)]


def test_each_word_ends_with_its_phonemes() -> None:
    assert said("We offer lines.", "wi ofr lainz.") == ["wi", "wi ofr", "wi ofr lainz"]


def test_every_sentence_has_its_own_phonemes() -> None:
    assert word_ends("Yes. We do.", ["jes.", "wi du."]) == [WordEnd(0, 3), WordEnd(1, 2), WordEnd(1, 5)]


def test_words_that_are_run_together_share_the_phonemes_of_their_clause() -> None:
    ends = said("Well, any in the country, by night.", "wel, eni inde kuntɹi, bai nait.")
    assert [ends[0], *ends[4:]] == ["wel", *("wel, eni inde kuntɹi" + rest for rest in ("", ", bai", ", bai nait"))]
    assert ends[1].startswith("wel, en")


def test_a_dash_is_said_with_the_word_before_it() -> None:
    assert said("Yes - no", "jes nou") == ["jes", "jes", "jes nou"]


def test_a_quotation_ends_a_clause_like_what_it_holds() -> None:
    assert said('He said "stop," and left.', "hi sed stap, and left.")[2] == "hi sed stap"


def test_clauses_that_do_not_match_are_taken_as_one() -> None:
    ends = said("See e.g. A.B. now", "si idzi eibi nau")
    assert len(ends) == 4
    assert ends[-1] == "si idzi eibi nau"


@pytest.mark.parametrize("text", ["", "…", "- - -"])
def test_nothing_said_has_no_ends(text: str) -> None:
    assert word_ends(text, []) == []


@given(
    st.lists(st.sampled_from(["a", "the", "word,", "-", "e.g.", "end.", "12", '"so!"', "?"]), max_size=12),
    st.lists(st.text(alphabet="abc ,.", min_size=1, max_size=20), max_size=3),
)
def test_ends_are_in_order_and_one_for_each_word(words: list[str], sentences: list[str]) -> None:
    ends = word_ends(" ".join(words), sentences)
    assert len(ends) in {0, len(words)}
    places = [(end.sentence, end.phonemes) for end in ends]
    assert all(before <= after for before, after in pairwise(places))
