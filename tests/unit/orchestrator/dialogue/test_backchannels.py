from __future__ import annotations

import pytest

from orchestrator.dialogue.backchannels import WANTED, Words, is_backchannel, wants_turn, words_in


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
    assert is_backchannel(text)


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
    assert not is_backchannel(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, Words.UNKNOWN),
        ("", Words.NONE),
        ("[BLANK_AUDIO]", Words.NONE),
        ("♪♪", Words.NONE),
        ("Thank you.", Words.UNKNOWN),
        ("you", Words.UNKNOWN),
        ("Mm-hmm.", Words.ASSENT),
        ("Hold on", Words.COMMAND),
        ("Wait, wait", Words.COMMAND),
        ("Excusez-moi", Words.COMMAND),
        ("Tuesday", Words.SOME),
        ("yeah but", Words.SOME),
        ("my name is Anna", Words.SENTENCE),
    ],
)
def test_what_was_read_in_a_sound_has_a_kind(text: str | None, words: Words) -> None:
    assert words_in(text) is words


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_without_text_the_sound_alone_decides(probability: float) -> None:
    assert wants_turn(probability) == pytest.approx(probability, abs=1e-3)


def test_assent_is_let_pass_though_it_sounded_like_an_interruption() -> None:
    assert wants_turn(0.9, "I see.") < WANTED


def test_a_command_is_heard_though_it_sounded_like_a_noise() -> None:
    assert wants_turn(0.1, "Stop!") >= WANTED


def test_words_that_are_invented_into_noise_change_nothing() -> None:
    assert wants_turn(0.2, "Thank you.") == pytest.approx(wants_turn(0.2))


def test_assent_to_a_question_is_an_answer() -> None:
    assert wants_turn(0.4, "Yes.", asked=True) >= WANTED
    assert wants_turn(0.4, "Yes.") < WANTED


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        wants_turn(probability)


@pytest.mark.parametrize(("confidence", "words"), [(None, Words.SENTENCE), (0.7, Words.SENTENCE), (0.3, Words.UNKNOWN)])
def test_words_that_the_recogniser_is_not_sure_of_say_nothing(confidence, words):
    assert words_in("I have a trick that would be fine.", confidence) is words
    assert wants_turn(0.3, "What if we do that?", confidence=confidence) >= 0.3 - 1e-9


@pytest.mark.parametrize(("text", "words"), [("Stop!", Words.COMMAND), ("Yeah.", Words.ASSENT), ("", Words.NONE)])
def test_a_command_and_assent_are_taken_however_unsure_they_are(text, words):
    assert words_in(text, 0.1) is words
