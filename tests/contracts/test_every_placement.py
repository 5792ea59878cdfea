"""What each port promises, wherever its engine runs."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from inference.operations import OPERATIONS, Operation
from inference.placed import Placement
from inference.placement import EngineSet, Terms, open_engines
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import EngineError, EngineOverloaded, EngineTimeout
from orchestrator.core.ports import LanguageModel, Message, Mood, Reading, TextDelta, Tool, ToolCall, Transcript, Word
from orchestrator.core.streams import closing
from tests.contracts.reference import LOADER, ReferenceModels, reference_profile

pytestmark = pytest.mark.asyncio(loop_scope="module")


def user(text: str) -> list[Message]:
    return [Message("system", "Be brief."), Message("user", text)]


async def state(llm: LanguageModel) -> tuple[int, int]:
    """Generations that were closed and messages that were prefilled so far."""
    reply = [delta async for delta in llm.complete(user("state"))]
    assert isinstance(reply[0], TextDelta)
    closed, prefilled, _ = reply[0].text.split()
    return int(closed), int(prefilled)


async def test_a_window_is_recognised_with_its_prompt_and_language(engines: EngineSet) -> None:
    window = AudioFrame(np.array([1, -2, 300], dtype=np.int16), 8_000, 2.5)
    assert await engines.recognizer.recognize(window, prompt="Offhook", language="fr") == Transcript(
        "3 samples at 8000 from 2.5 sum 299", language="fr", confidence=0.5, words=(Word("Offhook", 0.25, 0.5),)
    )


async def test_a_short_sound_has_readings(engines: EngineSet) -> None:
    sound = AudioFrame(np.array([1, -2, 300], dtype=np.int16), 8_000)
    readings = await engines.recognizer.readings(sound, language="fr")
    assert readings == (Reading("3 samples in fr", 0.75), Reading("", 0.25))


async def test_words_have_times(engines: EngineSet) -> None:
    heard = await engines.recognizer.timed(AudioFrame(np.zeros(4_000, dtype=np.int16), 8_000, 2.5), language="fr")
    assert heard == Transcript("samples in fr", words=(Word("samples", 2.5, 3.0),))


async def test_ten_seconds_of_audio_arrive_whole(engines: EngineSet) -> None:
    pcm = np.random.default_rng(7).integers(-32_768, 32_767, 160_000).astype(np.int16)
    heard = (await engines.recognizer.recognize(AudioFrame(pcm, 16_000))).text
    assert heard == f"160000 samples at 16000 from 0.0 sum {int(pcm.sum())}"


async def test_a_reply_streams_piece_by_piece(engines: EngineSet) -> None:
    deltas = [delta async for delta in engines.llm.complete(user("how are you"))]
    assert deltas == [TextDelta("how"), TextDelta("are"), TextDelta("you")]


async def test_a_reply_ends_at_max_tokens(engines: EngineSet) -> None:
    assert len([delta async for delta in engines.llm.complete(user("one two three four"), max_tokens=2)]) == 2


async def test_tools_and_their_calls_cross_both_ways(engines: EngineSet) -> None:
    schema: dict[str, object] = {"type": "object", "required": ["day"], "properties": {"day": {"enum": ["é", 1, None]}}}
    reply = [
        delta async for delta in engines.llm.complete(user(""), tools=[Tool("book", "Book", schema)], conversation="c")
    ]
    assert reply == [ToolCall("book", {"conversation": "c", "parameters": schema})]


async def test_closing_a_reply_closes_the_generation(engines: EngineSet) -> None:
    closed, _ = await state(engines.llm)
    async with closing(engines.llm.complete(user("forever"))) as reply:
        async for _ in reply:
            break
    assert await eventually(engines.llm, closed + 1)


async def test_cancelling_the_reader_of_a_reply_closes_the_generation(engines: EngineSet) -> None:
    closed, _ = await state(engines.llm)
    reading = asyncio.Event()

    async def read() -> None:
        async with closing(engines.llm.complete(user("forever"))) as reply:
            async for _ in reply:
                reading.set()

    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await eventually(engines.llm, closed + 1)


async def eventually(llm: LanguageModel, closed: int) -> bool:
    """Whether so many generations are closed within five seconds: the news must travel to another process."""
    async with asyncio.timeout(5):
        while (await state(llm))[0] != closed:
            pass
    return True


async def test_a_prefill_reaches_the_engine(engines: EngineSet) -> None:
    _, prefilled = await state(engines.llm)
    await engines.llm.prefill(user("hello"), conversation="c")
    assert (await state(engines.llm))[1] == prefilled + 2


async def test_speech_streams_in_frames_with_their_times(engines: EngineSet) -> None:
    frames = [frame async for frame in engines.tts.synthesize("abc", voice="joe")]
    assert [(int(frame.pcm[0]), len(frame.pcm), frame.rate, frame.at) for frame in frames] == [
        (0, 160, 16_000, 0.0),
        (1, 160, 16_000, 0.01),
        (2, 160, 16_000, 0.02),
    ]
    assert frames[0].pcm.dtype == np.int16


async def test_closing_speech_after_its_first_frame_leaves_the_voice_free(engines: EngineSet) -> None:
    async with closing(engines.tts.synthesize("a long sentence")) as frames:
        async for _ in frames:
            break
    assert len([frame async for frame in engines.tts.synthesize("ab")]) == 2


async def test_embeddings_are_float32_rows_of_unit_norm(engines: EngineSet) -> None:
    vectors = await engines.embedder.embed(["one", "three", ""])
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 2)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0)


async def test_no_texts_give_no_rows(engines: EngineSet) -> None:
    assert (await engines.embedder.embed([])).shape == (0, 2)


async def test_moods_come_back_as_they_were_found(engines: EngineSet) -> None:
    assert await engines.sentiment.score("I am angry") == Mood(0.75, 0.25, 0.0)


async def test_many_requests_at_once_each_get_their_own_answer(engines: EngineSet) -> None:
    async def ask(text: str) -> list[object]:
        return [delta async for delta in engines.llm.complete(user(text))]

    replies = await asyncio.gather(*(ask(f"call {index}") for index in range(20)))
    assert replies == [[TextDelta("call"), TextDelta(str(index))] for index in range(20)]


@pytest.mark.parametrize(
    ("word", "error", "says"),
    [
        ("overloaded", EngineOverloaded, "reference: full"),
        ("wrong", ValueError, "this cannot be asked"),
        ("surprise", EngineError, "ZeroDivisionError: division by zero"),
    ],
)
async def test_errors_keep_their_type_and_message(
    engines: EngineSet, word: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as unary:
        await engines.sentiment.score(word)
    with pytest.raises(error, match=says):
        async for _ in engines.llm.complete(user(word)):
            pass
    assert type(unary.value) is error


async def test_an_error_in_mid_stream_comes_after_what_was_given(engines: EngineSet) -> None:
    given: list[Any] = []
    with pytest.raises(EngineOverloaded):
        async for delta in engines.llm.complete(user("first overloaded")):
            given.append(delta)  # noqa: PERF401 - what came before the error is the point
    assert given == [TextDelta("first")]


async def test_requests_under_way_are_counted(engines: EngineSet) -> None:
    async with closing(engines.llm.complete(user("forever"))) as reply:
        await anext(aiter(reply))
        assert {engine.kind: engine.in_flight for engine in engines.health()}["llm"] == 1
    assert {engine.in_flight for engine in engines.health()} == {0}
    assert engines.ready


@pytest.mark.parametrize("placement", ["direct", "local", "ray"])
async def test_an_engine_that_gives_nothing_in_time_is_a_timeout(placement: Placement) -> None:
    operations = {**OPERATIONS, "llm": {"complete": Operation(0.3, pause=0.3), "prefill": Operation(0.3)}}
    terms = Terms(placement=placement, ray="testing", loader=LOADER, operations=operations)
    async with open_engines(reference_profile(process="all"), ReferenceModels(), terms) as engines:
        with pytest.raises(EngineTimeout, match=r"reference-llm: prefill gave nothing for 0\.3 s"):
            await engines.llm.prefill(user("hang"))
        with pytest.raises(EngineTimeout, match=r"complete gave nothing for 0\.3 s"):
            async for _ in engines.llm.complete(user("first hang")):
                pass
