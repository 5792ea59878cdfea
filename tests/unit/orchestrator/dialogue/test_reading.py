from __future__ import annotations

import pytest

from orchestrator.dialogue.reading import Reading

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
