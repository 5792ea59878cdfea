from __future__ import annotations

import asyncio
from time import monotonic

import jiwer
import numpy as np
import pytest
import soxr

from benchmarks.human_speech import Recorded
from benchmarks.wer import normalized
from inference.registry import Registry
from inference.stt.faster_whisper import FasterWhisper, load
from orchestrator.core.audio import FULL_SCALE, AudioFrame, joined
from orchestrator.core.ports import Reading
from tests.unit.inference.recordings import RATE, heard, human_recordings

# One-word answers, where a short context loops most, and questions of usual length.
BRIEF = ("activated", "digits/7", "digits/11", "digits/30", "digits/day-1", "digits/day-5", "digits/mon-9", "seconds")
SENTENCES = ("conf-invalid", "conf-getpin", "conf-onlyperson", "agent-pass", "check-number-dial-again", "conf-kicked")


@pytest.fixture(scope="module")
def whisper() -> FasterWhisper:
    registry = Registry()
    manifest = registry.manifest("whisper-tiny-en")
    return load(manifest, registry.pull(manifest), threads=2)


def sound(samples: np.ndarray) -> AudioFrame:
    return AudioFrame((samples * FULL_SCALE).astype(np.int16), RATE)


def tone(hertz: float, level: float = 0.3, duration: float = 3.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(duration * RATE)) / RATE)


def hiss(level: float, duration: float = 3.0) -> np.ndarray:
    return np.random.default_rng(1).normal(0.0, level, round(duration * RATE))


async def word_error_rate(whisper: FasterWhisper, recordings: list[Recorded]) -> float:
    texts = [(await whisper.recognize(heard(one))).text for one in recordings]
    return float(jiwer.wer([normalized(one.text) for one in recordings], [normalized(text) for text in texts]))


async def test_sentences_read_from_a_book_are_understood(whisper: FasterWhisper) -> None:
    assert await word_error_rate(whisper, human_recordings("book/")) <= 0.12


async def test_sentences_from_a_telephone_are_understood(whisper: FasterWhisper) -> None:
    prompts = [one for one in human_recordings("prompt/") if one.name.removeprefix("prompt/") in SENTENCES]
    assert len(prompts) == len(SENTENCES)
    assert await word_error_rate(whisper, prompts) <= 0.08


async def test_one_word_is_heard_once(whisper: FasterWhisper) -> None:
    words = [one for one in human_recordings("prompt/") if one.name.removeprefix("prompt/") in BRIEF]
    texts = [normalized((await whisper.recognize(heard(one))).text) for one in words]
    assert [len(text.split()) for text in texts] == [1] * len(BRIEF)
    assert sum(text == normalized(one.text) for text, one in zip(texts, words, strict=True)) >= len(BRIEF) - 2


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(3 * RATE),
        np.zeros(0),
        np.zeros(7),
        hiss(0.002),
        hiss(0.02),
        hiss(0.2),
        tone(440.0),
        tone(350.0) / 2 + tone(440.0) / 2,
        tone(697.0) / 2 + tone(1209.0) / 2,
    ],
    ids=["silence", "nothing", "seven samples", "faint hiss", "hiss", "loud hiss", "440 Hz", "dial tone", "a key"],
)
async def test_what_nobody_said_is_no_text(whisper: FasterWhisper, samples: np.ndarray) -> None:
    assert (await whisper.recognize(sound(samples))).text == ""


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
async def test_any_rate_is_understood(whisper: FasterWhisper, rate: int) -> None:
    (sentence,) = human_recordings("prompt/conf-getpin")
    pcm = soxr.resample(heard(sentence).pcm.astype(np.float32), RATE, rate).astype(np.int16)
    assert "conference" in (await whisper.recognize(AudioFrame(pcm, rate))).text


async def test_an_answer_says_its_language_and_how_sure_it_is(whisper: FasterWhisper) -> None:
    (sentence,) = human_recordings("prompt/conf-getpin")
    transcript = await whisper.recognize(heard(sentence))
    assert transcript.final
    assert transcript.language == "en"
    assert transcript.confidence is not None
    assert 0.5 < transcript.confidence <= 1.0


async def test_a_prompt_is_context_and_never_part_of_the_answer(whisper: FasterWhisper) -> None:
    (sentence,) = human_recordings("prompt/conf-getpin")
    transcript = await whisper.recognize(heard(sentence), prompt="Hello, this is Acme Dental.")
    assert "conference" in transcript.text
    assert "Acme" not in transcript.text


async def test_the_event_loop_goes_on_while_it_recognises(whisper: FasterWhisper) -> None:
    (sentence,) = human_recordings("book/0870")
    answer = asyncio.ensure_future(whisper.recognize(heard(sentence)))
    ticks = 0
    while not answer.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert answer.result().text
    assert ticks > 5


async def test_a_request_that_nobody_waits_for_gives_way_to_the_next(whisper: FasterWhisper) -> None:
    (sentence,) = human_recordings("book/0870")
    started = monotonic()
    await whisper.recognize(heard(sentence))
    alone = monotonic() - started
    abandoned = [asyncio.ensure_future(whisper.recognize(heard(sentence))) for _ in range(8)]
    await asyncio.sleep(0)
    for answer in abandoned:
        answer.cancel()
    started = monotonic()
    await whisper.recognize(heard(sentence))
    assert monotonic() - started < 5 * alone


async def test_a_short_sound_has_several_readings_with_the_right_words_among_the_first(
    whisper: FasterWhisper,
) -> None:
    words = [one for one in human_recordings("prompt/") if one.name.removeprefix("prompt/") in BRIEF]
    for word in words:
        *read, nobody = await whisper.readings(heard(word), language="en")
        assert len(read) == 8
        assert nobody.text == ""
        assert [one.probability for one in read] == sorted((one.probability for one in read), reverse=True)
        assert sum(one.probability for one in (*read, nobody)) == pytest.approx(1.0)
    first = [{normalized(one.text) for one in (await whisper.readings(heard(word)))[:4]} for word in words]
    assert sum(normalized(word.text) in texts for word, texts in zip(words, first, strict=True)) >= len(BRIEF) - 1


async def test_every_word_is_told_when_it_was_said(whisper: FasterWhisper) -> None:
    prompts = {one.name.removeprefix("prompt/"): heard(one) for one in human_recordings("prompt/")}
    first, second = prompts["conf-invalid"], prompts["agent-pass"]
    pause = AudioFrame(np.zeros(2 * RATE, np.int16), RATE)
    alone = [(await whisper.timed(one)).text for one in (first, second)]
    both = await whisper.timed(AudioFrame(joined([first, pause, second]).pcm, RATE, 5.0), language="en")
    said = [word.text for word in both.words]
    assert " ".join(said) == both.text
    assert normalized(both.text) == normalized(" ".join(alone))
    number = len(alone[0].split())
    assert all(5.0 <= word.start <= word.end <= 5.3 + first.duration for word in both.words[:number])
    begun = 5.0 + first.duration + pause.duration
    assert all(begun - 0.3 <= word.start <= word.end <= begun + second.duration for word in both.words[number:])


@pytest.mark.parametrize("samples", [np.zeros(3 * RATE), hiss(0.02), tone(440.0)])
async def test_what_nobody_said_has_no_words(whisper: FasterWhisper, samples: np.ndarray) -> None:
    assert (await whisper.timed(sound(samples))).words == ()


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(0), hiss(0.02, 1.0), tone(440.0, duration=1.0)])
async def test_where_nobody_speaks_that_is_the_only_reading(whisper: FasterWhisper, samples: np.ndarray) -> None:
    assert await whisper.readings(sound(samples)) == (Reading("", 1.0),)


async def test_a_window_longer_than_the_model_s_is_refused(whisper: FasterWhisper) -> None:
    with pytest.raises(ValueError, match="30 s are accepted"):
        await whisper.recognize(sound(np.zeros(31 * RATE)))


async def test_a_language_that_the_model_does_not_know_is_refused(whisper: FasterWhisper) -> None:
    with pytest.raises(ValueError, match="does not know the language 'fr'"):
        await whisper.recognize(sound(np.zeros(RATE)), language="fr")
