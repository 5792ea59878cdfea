"""How far into a reply a transcript of the caller's recording reaches."""

from __future__ import annotations

import pytest

from benchmarks.heard_words import HeardWords, heard_words_figures, words_reached

REPLY = "We offer telephone lines for every desk, with voicemail in two languages. A line costs $12.50 a month."


@pytest.mark.parametrize(
    ("transcript", "words"),
    [
        ("", 0),
        ("We", 1),
        ("We offer telephone lines", 4),
        ("We often tell a phone lines for every", 6),  # misheard words in the middle move nothing
        ("We offer telephone lines for every desk with voice mail in two", 11),
        ("we offer telephone lines for every desk with voice", 9),  # a word cut in two: most of its letters are there
        ("We offer telephone lines for every desk with voicemail in two languages, a line costs $12.50", 16),
        ("We offer telephone lines for every desk with voicemail in 2 languages. A line costs twelve dollars", 15),
        (REPLY, 18),
    ],
)
def test_the_most_similar_beginning_of_the_reply_was_heard(transcript: str, words: int) -> None:
    assert words_reached(REPLY, transcript) == pytest.approx(words, abs=0 if words != 15 else 1)


def test_words_are_counted_as_they_are_written() -> None:
    assert words_reached("It costs $12.50 a month now", "it costs twelve dollars and fifty cents") == 3


def test_a_history_that_is_ahead_of_the_recording_is_off_by_more_than_none() -> None:
    assert HeardWords(REPLY, "We offer telephone lines for", "We offer telephone").off == 2
    assert HeardWords(REPLY, "We offer", "We offer telephone").off == -1


def test_the_share_within_one_word_counts_only_replies_that_were_talked_over() -> None:
    found = [HeardWords(REPLY, kept, "We offer telephone") for kept in ("We offer", "We offer telephone lines", "")]
    figures = heard_words_figures([*found, None])["heard_words_off"]
    assert isinstance(figures, dict)
    assert (figures["n"], figures["max"], figures["within_1"]) == (3, 3.0, 0.6667)
    assert figures["distribution"] == {"-3": 1, "-1": 1, "+1": 1}
