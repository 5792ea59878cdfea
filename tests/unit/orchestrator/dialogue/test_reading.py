from __future__ import annotations

import pytest

from orchestrator.dialogue.reading import Reading, words_said

WORDS = {"Nguyen": "win", "SQL": "sequel", "Saint Ouen": "san twan", "C++": "see plus plus"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Doctor Nguyen is in.", "Doctor Win is in."),
        ("NGUYEN, nguyen and Nguyen-Smith.", "Win, win and Win-Smith."),
        ("MySQL is not SQL.", "MySQL is not Sequel."),
        ("From Saint Ouen at 2 pm.", "From San twan at two p.m."),
        ("Is it C++?", "Is it See plus plus?"),
        ("Dr. Nguyen, nguyen@nguyen.com", "Doctor Win, nguyen at nguyen dot com"),
    ],
)
def test_whole_words_are_said_as_the_agent_says_them(written, said):
    reading = Reading("en", WORDS)
    assert reading(written) == said


def test_without_pronunciations_only_the_spoken_form_is_left():
    assert Reading("fr", {})("À 14h30.") == "À quatorze heures trente."


@pytest.mark.parametrize(("count", "words"), [(0, 0), (1, 1), (2, 2), (3, 2), (6, 2), (7, 3), (8, 4), (9, 5), (99, 5)])
def test_a_word_that_is_read_as_several_has_been_said_with_the_last_of_them(count, words):
    spoken = "It costs twelve dollars and fifty cents a month"
    assert words_said("It costs $12.50 a month", spoken, count) == words


def test_words_that_are_read_as_they_are_written_are_counted_as_they_are():
    assert [words_said("one two three", "one two three", count) for count in range(5)] == [0, 1, 2, 3, 3]
