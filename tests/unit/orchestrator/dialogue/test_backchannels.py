from __future__ import annotations

import pytest

from orchestrator.dialogue.backchannels import Words, words_in


@pytest.mark.parametrize(
    "text",
    [
        "Yeah.", "Mm-hmm.", "mhm", "Uh-huh.", "uh huh", "Okay!", "OK", "Right.", "I see.", "Got it.", "Sure, sure.",
        "Yeah, yeah, okay.", "Oh, I see", "That's right.", "All right", "Hmm...", "Of course", "Ha ha ha!", "hahaha",
        "Oui.", "Ouais, ouais", "D'accord.", "D\u2019accord", "Ah oui, d'accord", "Très bien.", "Je vois", "C'est ça.",
        "Bien sûr", "Hum hum", "Ok, ok, voilà",
    ],
)  # fmt: skip
def test_assent_and_laughter_alone_are_back_channels(text: str) -> None:
    assert words_in(text) is Words.ASSENT


@pytest.mark.parametrize(
    "text",
    [
        "", "...", "(coughs)", "[laughter]", "No.", "Stop", "Wait", "Yeah, but not today", "Okay, so what about Monday",
        "Right, and the price?", "I see a problem", "Sure thing doctor", "Hello?", "What?", "Yes I want that one",
        "Oui mais non", "Non", "Attendez", "D'accord, et demain ?",
        "Je vois pas", "Thank you.", "Oklahoma", "rights",
    ],
)  # fmt: skip
def test_anything_more_or_else_is_no_back_channel(text: str) -> None:
    assert words_in(text) is not Words.ASSENT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", Words.NONE),
        ("[BLANK_AUDIO]", Words.NONE),
        ("♪♪", Words.NONE),
        ("Thank you.", Words.INVENTED),
        ("you", Words.INVENTED),
        ("Mm-hmm.", Words.ASSENT),
        ("Hold on", Words.COMMAND),
        ("Wait, wait", Words.COMMAND),
        ("Excusez-moi", Words.COMMAND),
        ("Tuesday", Words.OTHER),
        ("yeah but", Words.OTHER),
        ("my name is Anna", Words.OTHER),
    ],
)
def test_what_was_read_in_a_sound_has_a_kind(text: str, words: Words) -> None:
    assert words_in(text) is words
