from __future__ import annotations

import math

import pytest

from inference.llm.utterance_end import SAMPLE, before_the_end, end_probability

TEMPLATE = f"<system>Be brief.</system><user>{SAMPLE}</user><assistant>"


@pytest.mark.parametrize("text", ["I would like to", "I would like to.", "I would like to...", "I would like to, "])
def test_the_prompt_stops_where_the_words_stop(text):
    assert before_the_end(TEMPLATE, text) == "<system>Be brief.</system><user>I would like to"


def test_what_ends_a_message_or_a_sentence_counts():
    candidates = [
        ("", 0.1),
        (".", 0.2),
        ("?!", 0.1),
        (".\n\n", 0.05),
        ("\n", 0.05),
        (" to", 0.3),
        (",", 0.1),
        (" ", 0.1),
    ]
    assert end_probability((token, math.log(chance)) for token, chance in candidates) == pytest.approx(0.5)


def test_a_probability_is_none_above_one():
    assert end_probability([(".", 0.0), ("", 0.0)]) == 1.0
