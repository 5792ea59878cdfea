from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.ports import TextDelta
from orchestrator.dialogue.sentences import SentenceCutter, ends_sentence, sentences, speakable
from tests.virtual_clock import run_virtual


def pieces_of(text: str, size: int = 3, first_clause: int = 1000) -> list[str]:
    cutter = SentenceCutter(first_clause=first_clause)
    fed = [piece for start in range(0, len(text), size) for piece in cutter.feed(text[start : start + size])]
    return fed + cutter.flush()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello. How are you? Fine!", ["Hello.", "How are you?", "Fine!"]),
        ("Ask Dr. Lee at 8 a.m. tomorrow. Bye.", ["Ask Dr. Lee at 8 a.m. tomorrow.", "Bye."]),
        ("It costs 3.50 dollars. Good?", ["It costs 3.50 dollars.", "Good?"]),
        ('She said "yes." Then she left.', ['She said "yes."', "Then she left."]),
        ("First line\nsecond line", ["First line", "second line"]),
        ("It is at 5 Main Ave. on the left. Bye.", ["It is at 5 Main Ave. on the left.", "Bye."]),
        ("Demandez Mme. Petit. Merci.", ["Demandez Mme. Petit.", "Merci."]),
        ("Write to j_doe@example.com about #4521. Bye.", ["Write to j_doe@example.com about #4521.", "Bye."]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_text_is_cut_at_sentences(text, pieces):
    assert pieces_of(text) == pieces


def test_a_first_sentence_without_a_comma_is_cut_where_a_speaker_would_breathe():
    text = "Our customer service team is always here to help you with the payment of your open invoices and more. Bye."
    assert pieces_of(text, first_clause=24) == [
        "Our customer service team is always here to help you",
        "with the payment of your open invoices and more.",
        "Bye.",
    ]


@pytest.mark.parametrize(
    ("piece", "ends"), [("Yes.", True), ('He said "no!"', True), ("Well,", False), ("it is", False)]
)
def test_the_end_of_a_sentence_is_told_from_that_of_a_clause(piece, ends):
    assert ends_sentence(piece) is ends


def test_a_long_first_sentence_is_cut_at_a_clause_and_later_ones_are_not():
    text = "Thank you for your call today, we are happy to help. As for the price, it is low, really."
    assert pieces_of(text, first_clause=24) == [
        "Thank you for your call today,",
        "we are happy to help.",
        "As for the price, it is low, really.",
    ]


def test_markup_is_not_spoken():
    assert speakable("**Brush** twice:\n- `morning`\n- evening") == "Brush twice: morning evening"


@given(st.text(alphabet="ab .,!?\n", max_size=80), st.integers(1, 10), st.integers(1, 40))
def test_no_word_is_lost_or_doubled(text, size, first_clause):
    assert " ".join(pieces_of(text, size, first_clause)).split() == speakable(text).split()


@given(st.text(alphabet="ab .,!?\n", max_size=60), st.integers(1, 10))
def test_pieces_do_not_depend_on_how_the_text_arrives(text, size):
    assert " ".join(pieces_of(text, size)) == " ".join(pieces_of(text, 1))


def test_closing_the_sentences_closes_the_model():
    closed = []

    async def deltas():
        try:
            yield TextDelta("One. Two. ")
            yield TextDelta("Three. ")
        finally:
            closed.append(True)

    async def take_one():
        stream = sentences(deltas())
        first = await anext(stream)
        await stream.aclose()
        return first

    assert run_virtual(take_one()) == "One."
    assert closed == [True]
