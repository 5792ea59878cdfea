"""The fake speaker and the fake listener understand each other."""

from __future__ import annotations

from orchestrator.core.audio import AudioFrame, joined, silence
from tests.fakes.engines import FakeEmbedder, FakeTextToSpeech
from tests.fakes.speech import Lexicon
from tests.virtual_clock import run_virtual


def test_a_lexicon_hears_what_it_speaks() -> None:
    lexicon = Lexicon()
    speech = joined([silence(0.5, 16_000), lexicon.speak("open the the door"), silence(0.5, 16_000)])
    assert lexicon.hear(speech) == "open the the door"


def test_a_window_that_cuts_a_word_still_holds_it() -> None:
    lexicon = Lexicon()
    speech = lexicon.speak("open the door")
    assert lexicon.hear(AudioFrame(speech.pcm[:6_000], speech.rate)) == "open the"


def test_silence_is_no_text() -> None:
    assert Lexicon().hear(silence(1.0, 16_000)) == ""


def test_synthesised_frames_read_back_as_the_sentence() -> None:
    async def speak() -> str:
        voice = FakeTextToSpeech()
        return voice.lexicon.hear(joined([frame async for frame in voice.synthesize("See you on Monday.")]))

    assert run_virtual(speak()) == "See you on Monday."


def test_texts_that_share_words_lie_close() -> None:
    vectors = run_virtual(FakeEmbedder().embed(["opening hours today", "hours of opening", "cancel my card"]))
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]
