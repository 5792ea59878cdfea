"""Words are compared as a listener would compare them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.wer import normalized, telephone


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("10 of clubs.", "ten of clubs"),
        ("Press 21, please!", "press twenty one please"),
        ("Mr. John Dashwood", "mister john dashwood"),
        ("an ill-disposed man", "an ill disposed man"),
        ("Enter 911", "enter nine one one"),
        ("That's not valid", "thats not valid"),
    ],
)
def test_spellings_of_the_same_words_are_equal(heard: str, said: str) -> None:
    assert normalized(heard) == normalized(said)


def test_other_words_stay_different() -> None:
    assert normalized("five of spades") != normalized("nine of spades")


def test_a_telephone_line_keeps_the_level_and_drops_what_lies_over_four_kilohertz() -> None:
    t = np.arange(16000) / 16000
    low = (8000 * np.sin(2 * np.pi * 1000 * t)).astype(np.int16)
    high = (8000 * np.sin(2 * np.pi * 6000 * t)).astype(np.int16)
    assert np.std(telephone(low)) == pytest.approx(np.std(low), rel=0.05)
    assert np.std(telephone(high)) < 0.02 * np.std(high)
