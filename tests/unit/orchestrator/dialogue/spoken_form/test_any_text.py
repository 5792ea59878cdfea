from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.dialogue.spoken_form import spoken

PIECES = (
    *("Dr.", "St.", "M.", "Mme", "A", "a", "am", "pm", "p.m.", "h", "km", "$", "€", "%", "°C", "-", "\u2013", ":", "/"),
    *(
        "#",
        "&",
        "+",
        "@",
        "example.com",
        "May",
        "mai",
        "Mon",
        "lun",
        "1st",
        "2e",
        "1",
        "12",
        "05",
        "2026",
        "00",
        "4521",
    ),
    *("0123456789", "+33", "(415)", "x", "k", "M", "½", "e.g.", "no", "n°", "code", "order number", "between", "'"),
    *("(", ")", " ", " ", " ", "\u00a0", "\n", "²", "www.", "http://", "ext.", "é", "٣", "=", "etc.", "T", "_", "ß"),
    *(".", ",", '"', "İ"),
)
TEXTS = (
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
    | st.text(max_size=40)
    | st.text(alphabet="0123456789 .,:-/+()$€%hHkmapM#&@½", max_size=24)
)
LANGUAGES = st.sampled_from(["en", "en-GB", "fr", "fr-CA"])
QUIET = [
    "Hello, this is Bright Smile Dental. How can I help you?",
    "Bonjour, ici le cabinet dentaire. Comment puis-je vous aider ?",
    "Well - I mean... yes; no: maybe!",
    "",
    " \n",
    "日本語のテキスト",
]


@settings(max_examples=400, deadline=None)
@given(TEXTS, LANGUAGES)
def test_any_text_is_said_without_digits_and_said_again_alike(text, language):
    said = spoken(text, language)
    assert not re.search("[0-9]", said)
    assert spoken(said, language) == said


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abcdefghij ,;!?", max_size=60), LANGUAGES)
def test_words_and_punctuation_come_back_unchanged(text, language):
    assert spoken(text, language) == text


@pytest.mark.parametrize("text", QUIET)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_text_without_anything_to_say_otherwise_is_the_same(text, language):
    assert spoken(text, language) == text


@pytest.mark.parametrize("language", ["de", "", "tlh-KX", "x", "en_", "1", "français"])
def test_an_unknown_language_leaves_the_text_or_reads_it(language):
    said = spoken("At 14:30, $5.", language)
    assert said == ("At two thirty p.m., five dollars." if language.startswith("en") else "At 14:30, $5.")


@pytest.mark.parametrize("text", ["9" * 20_000, "1." * 5_000, "a@" * 5_000, "$" * 5_000, "1 " * 5_000, "A-" * 5_000])
def test_a_very_long_row_is_read_in_time(text):
    assert not re.search("[0-9]", spoken(text, "en"))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**15 - 1), st.sampled_from(["en", "fr"]))
def test_every_amount_of_money_keeps_its_full_stop(amount, language):
    said = spoken(f"It is {amount} €.", language)
    assert said.endswith(("euros.", "euro.")) and "€" not in said
