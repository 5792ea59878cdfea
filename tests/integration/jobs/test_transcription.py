"""Recordings are transcribed once their calls are over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from inference.registry import Registry, build_engine
from inference.transcribing import OFF, RecordingRecognizer
from orchestrator.core.audio import joined
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Recognizer, TextToSpeech
from orchestrator.core.privacy import Masking
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.jobs import TRANSCRIPTION, JobState
from orchestrator.store.jobs_repository import JobsRepository
from tests.integration.jobs.conftest import Jobs
from tests.integration.jobs.recorded import RATE, Calls, Ears, Line, recorded_calls
from tests.integration.telephony.patience import until

SENTENCE = "We are open from nine to five on Monday."


@pytest.fixture
def calls(jobs: Jobs, tmp_path: Path) -> Calls:
    return recorded_calls(jobs, tmp_path)


async def test_the_recording_is_heard_anew_by_a_process_of_its_own(calls: Calls) -> None:
    registry = Registry()
    profile = registry.profile("cpu-tiny")
    voice = registry.manifest("piper-joe")
    tts = cast("TextToSpeech", build_engine(voice, registry.pull(voice), 1))
    said = joined([frame async for frame in tts.synthesize(SENTENCE)])
    assert said.rate == RATE
    call = await calls.ended([Line("weir a bin front line to fire", said, 1.0)])
    assert not await calls.searched("monday")
    job = await calls.over(RecordingRecognizer(profile, registry), within=120.0)
    [line] = await calls.lines(call)
    assert line.text == "weir a bin front line to fire", "what was acted upon is gone"
    assert line.transcription is not None
    assert {"open", "monday"} <= set(line.transcription.lower().strip(".").split())
    assert await calls.searched("monday") == await calls.searched("weir") == [(call, [line.text])]
    assert job.result is not None
    assert (job.result["lines"], job.result["withheld"]) == (1, 0)
    assert job.result["seconds"] == pytest.approx(said.duration + 0.6, abs=0.1)


async def test_lines_are_found_in_a_recording_that_began_in_mid_call(calls: Calls) -> None:
    call = await calls.ended(
        [
            calls.line("before", "never recorded", 1.0),
            calls.line("yess", "yes", 4.0),
            calls.line("to", "two tickets please", 6.0),
        ],
        recorded_from=3.5,
    )
    await calls.over(Ears(calls.lexicon.hear))
    assert [line.transcription for line in await calls.lines(call)] == [None, "yes", "two tickets please"]
    assert [line.text for line in await calls.lines(call)] == ["before", "yess", "to"]


async def test_what_is_written_is_masked_by_the_policy_of_the_call(calls: Calls) -> None:
    call = await calls.ended(
        [
            calls.line("my card is [card]", "my card is 4111 1111 1111 1111 now", 1.0),
            calls.line("thanks from [name]", "thanks from Martha", 5.0),
            calls.line("my name is [name]", "my name is Martha", 8.0),
            calls.line("good by", "goodbye", 11.0),
        ],
        Masking.ALL,
    )
    job = await calls.over(Ears(calls.lexicon.hear))
    assert [line.transcription for line in await calls.lines(call)] == [
        "my card is [card] now",
        None,  # that the name was masked there, the recording alone does not tell
        "my name is [name]",
        "goodbye",
    ]
    assert job.result is not None and job.result["withheld"] == 1
    assert not await calls.searched("martha")
    assert not await calls.searched("4111")


async def test_a_call_without_a_recording_is_not_transcribed(calls: Calls) -> None:
    await calls.ended([calls.line("hello", "hello", 1.0)], recorded_from=None)
    async with calls.archive.completing():
        pass
    assert TRANSCRIPTION not in {job.kind for job in await calls.jobs.all()}


async def test_a_recording_that_was_erased_meanwhile_is_no_failure(calls: Calls) -> None:
    call = await calls.ended([calls.line("hello", "hello there", 1.0)])
    await calls.archive.erasure.delete(DEFAULT_ACCOUNT, call)
    job = await calls.over(Ears(calls.lexicon.hear))
    assert (job.attempts, job.result) == (1, {"lines": 0, "withheld": 0, "seconds": 0.0})
    assert [line.transcription for line in await calls.lines(call)] == [None]


async def test_words_that_were_erased_meanwhile_do_not_come_back(calls: Calls) -> None:
    call = await calls.ended([calls.line("hello", "hello there", 1.0)])
    listening, erased = asyncio.Event(), asyncio.Event()

    class Waiting(Ears):
        @asynccontextmanager
        async def opened(self) -> AsyncIterator[Recognizer]:
            listening.set()
            await erased.wait()
            async with Ears.opened(self) as recognizer:
                yield recognizer

    async with calls.transcribed(Waiting(calls.lexicon.hear)):
        await listening.wait()
        async with calls.jobs.database.connection() as connection:
            await connection.execute("DELETE FROM transcripts WHERE call_id = $1", call)
            await connection.execute("UPDATE calls SET words = NULL, transcript_erased_at = now() WHERE id = $1", call)
        erased.set()
        await until(lambda: calls.is_in(JobState.SUCCEEDED), within=30.0)
    assert await calls.lines(call) == []
    assert not await calls.searched("there")
    async with calls.jobs.database.connection() as connection:
        assert await connection.fetchval("SELECT words FROM calls WHERE id = $1", call) is None


async def test_a_second_time_writes_what_is_heard_then_and_nothing_twice(calls: Calls) -> None:
    call = await calls.ended([calls.line("hallo", "hello there", 1.0)])
    job = await calls.over(Ears(calls.lexicon.hear))
    async with calls.jobs.database.connection() as connection:
        await connection.execute("UPDATE jobs SET state = 'failed' WHERE id = $1", job.id)
    assert await JobsRepository(calls.jobs.database).retry(DEFAULT_ACCOUNT, job.id)
    await calls.over(Ears(lambda window: ""))
    assert [line.transcription for line in await calls.lines(call)] == [None]
    assert not await calls.searched("there") and await calls.searched("hallo")


async def test_a_model_that_is_not_here_fails_the_job_and_says_so(calls: Calls) -> None:
    await calls.ended([calls.line("hello", "hello", 1.0)])
    job = await calls.over(Ears(calls.lexicon.hear, failure=ConfigError("nothing was pulled")), JobState.FAILED)
    assert (job.error, job.attempts) == ("no_model", 1)


async def test_damaged_objects_fail_the_job_and_leave_what_was_heard(calls: Calls) -> None:
    call = await calls.ended([calls.line("hallo", "hello there", 1.0)])
    [segment] = (calls.settings.data / "objects").rglob("000000")
    data = bytearray(segment.read_bytes())
    data[40_000] ^= 1  # where the line is
    segment.write_bytes(data)
    job = await calls.over(Ears(calls.lexicon.hear), JobState.FAILED)
    assert (job.error, job.attempts) == ("recording_damaged", 1)
    assert [(line.text, line.transcription) for line in await calls.lines(call)] == [("hallo", None)]


async def test_nothing_is_transcribed_where_nobody_wants_it(calls: Calls) -> None:
    call = await calls.ended([calls.line("hallo", "hello", 1.0)])
    registry = Registry()
    job = await calls.over(RecordingRecognizer(registry.profile("cpu-tiny"), registry, OFF))
    assert job.result is not None and job.result["lines"] == 0
    assert [line.transcription for line in await calls.lines(call)] == [None]


def test_only_a_recogniser_transcribes() -> None:
    registry = Registry()
    with pytest.raises(ConfigError, match="'stt' is accepted"):
        RecordingRecognizer(registry.profile("cpu-tiny"), registry, "piper-joe")
