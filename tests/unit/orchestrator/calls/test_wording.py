from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.calls.wording import Ending, Progress, digits, ending, progress
from orchestrator.core.expectation import ANYTHING, Expectation, Form

TEN = Expectation(Form.DIGITS, 10)
SOME_DIGITS = Expectation(Form.DIGITS)
DATE = Expectation(Form.DATE)
WITH_YEAR = Expectation(Form.DATE, 3)
EMAIL = Expectation(Form.EMAIL)
SPELLING = Expectation(Form.SPELLING, 5)
LANGUAGES = st.sampled_from(["en", "en-GB", "fr", "de"])


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("", "en", Ending.NOTHING),
        ("...", "en", Ending.NOTHING),
        ("I would like to.", "en", Ending.OPEN),
        ("It's", "en", Ending.OPEN),
        ("Well, um...", "en", Ending.OPEN),
        ("My number is 552", "en", Ending.NUMBER),
        ("five five two", "en-US", Ending.NUMBER),
        ("I was thinking,", "en", Ending.TRAILING),
        ("a table for dinner", "en", Ending.TRAILING),
        ("Yes.", "en", Ending.CLOSING),
        ("Yes, I do.", "en", Ending.CLOSED),
        ("Where are you from?", "en", Ending.CLOSED),
        ("Tomorrow, please", "en", Ending.CLOSING),
        ("How much does it cost?", "en", Ending.CLOSED),
        ("Je voudrais un", "fr", Ending.OPEN),
        ("Parce qu'", "fr", Ending.OPEN),
        ("Parce que.", "fr-CA", Ending.OPEN),
        ("Le douze.", "fr", Ending.NUMBER),
        ("Oui, merci.", "fr", Ending.CLOSING),
        ("Il faut que je parte à une heure.", "fr", Ending.CLOSED),
        ("Ich möchte to.", "de", Ending.CLOSED),
    ],
)
def test_a_text_ends(text, language, expected):
    assert ending(text, language) is expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("552-819-4410", "en", 10),
        ("five five two", "en", 3),
        ("double five oh twelve", "en", 5),
        ("triple 7", "en", 3),
        ("twenty one", "en", 2),
        ("twenty-one", "en", 2),
        ("five-five-two", "en", 3),
        ("vingt-et-un", "fr", 2),
        ("soixante-dix", "fr", 2),
        ("zéro six double douze", "fr", 4),
        ("no number at all", "en", 0),
        ("12", "xx", 2),
    ],
)
def test_digits_are_counted(text, language, expected):
    assert digits(text, language) == expected


@pytest.mark.parametrize(
    ("text", "expects", "expected"),
    [
        ("552", ANYTHING, Progress.OTHER),
        ("I don't have one.", TEN, Progress.OTHER),
        ("Oh, I don't know.", TEN, Progress.OTHER),
        ("Five", TEN, Progress.BEGUN),
        ("twenty-one, thirty-five", TEN, Progress.BEGUN),
        ("March twenty-first", DATE, Progress.WHOLE),
        ("No, thanks.", EMAIL, Progress.OTHER),
        ("Why?", EMAIL, Progress.OTHER),
        ("I don't know.", SPELLING, Progress.OTHER),
        ("I'll check.", SPELLING, Progress.OTHER),
        ("I spell it J O N", Expectation(Form.SPELLING, 4), Progress.BEGUN),
        ("", TEN, Progress.OTHER),
        ("Why do you ask?", TEN, Progress.OTHER),
        ("It's 552", TEN, Progress.BEGUN),
        ("It's 552 819 4410.", TEN, Progress.WHOLE),
        ("It's 552 819 4410.", SOME_DIGITS, Progress.BEGUN),
        ("On the 12th of", DATE, Progress.BEGUN),
        ("In March", DATE, Progress.BEGUN),
        ("On the twelfth of March.", DATE, Progress.WHOLE),
        ("3/12", DATE, Progress.WHOLE),
        ("On the twelfth of March.", WITH_YEAR, Progress.BEGUN),
        ("3/12", WITH_YEAR, Progress.BEGUN),
        ("March 12th, 1984.", WITH_YEAR, Progress.WHOLE),
        ("3/12/84", WITH_YEAR, Progress.WHOLE),
        ("March twelve", DATE, Progress.WHOLE),
        ("Next week.", DATE, Progress.OTHER),
        ("maria dot lopez", EMAIL, Progress.BEGUN),
        ("It's maria.lopez at", EMAIL, Progress.BEGUN),
        ("My email is info.", EMAIL, Progress.BEGUN),
        ("maria dot lopez at gmail dot com", EMAIL, Progress.WHOLE),
        ("It's j.smith@example.com.", EMAIL, Progress.WHOLE),
        ("I don't have one.", EMAIL, Progress.OTHER),
        ("S-M-I", SPELLING, Progress.BEGUN),
        ("S M I T H", SPELLING, Progress.WHOLE),
        ("SMITH.", SPELLING, Progress.WHOLE),
        ("just a moment", SPELLING, Progress.OTHER),
    ],
)
def test_an_answer_has_come(text, expects, expected):
    assert progress(text, expects, "en") is expected


@given(st.text(max_size=60), LANGUAGES, st.sampled_from(Form))
def test_any_text_has_an_ending_and_a_progress(text, language, form):
    assert ending(text, language) in Ending
    assert progress(text, Expectation(form, 4), language) in Progress
    assert digits(text, language) >= 0


@given(
    st.lists(
        st.sampled_from(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]), max_size=20
    )
)
def test_every_digit_read_out_counts_once(words):
    assert digits(" ".join(words), "en") == len(words)
