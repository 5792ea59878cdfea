"""Recordings are transcribed once their calls are over: sealed objects in a folder, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import numpy as np
import pytest

from inference.registry import Registry, build_engine
from inference.transcribing import OFF, RecordingRecognizer
from orchestrator.core.audio import AudioFrame, Pcm, joined
from orchestrator.core.errors import ConfigError
from orchestrator.core.events import CallEnded, CallStarted, EndReason, Record, RecordingStarted, Spoken
from orchestrator.core.ports import Recognizer, TextToSpeech
from orchestrator.core.privacy import Masking
from orchestrator.jobs.transcription import RecognizerReach, transcription
from orchestrator.recordings.archive import Archive
from orchestrator.settings import Settings, read_settings
from orchestrator.store.call_analysis import SpokenCalls
from orchestrator.store.call_lists import CallFilter, CallLists
from orchestrator.store.calls import RecordedLine
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from orchestrator.store.jobs import TRANSCRIPTION, Job, JobState
from orchestrator.store.jobs_repository import JobsRepository
from telephony.recording import Recordings, open_objects
from tests.fakes.engines import FakeRecognizer
from tests.fakes.speech import Lexicon
from tests.integration.jobs.conftest import Jobs
from tests.integration.jobs.test_worker import working
from tests.integration.telephony.patience import until

RATE = 16_000
SENTENCE = "We are open from nine to five on Monday."


@dataclass(frozen=True)
class Line:
    """Something that a caller said: what of it was heard then, what is in the recording, and when (media clock)."""

    heard: str
    recorded: AudioFrame
    at: float

    @property
    def end(self) -> float:
        return self.at + self.recorded.duration


@dataclass
class Ears:
    """A recogniser of this process."""

    hear: Callable[[AudioFrame], str]
    wanted: bool = True
    failure: Exception | None = None
    languages: list[str | None] = field(default_factory=list)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Recognizer]:
        if self.failure is not None:
            raise self.failure
        yield FakeRecognizer(self.hear, delay=0.0)


@dataclass
class Calls:
    """Calls with recordings, and the jobs behind them."""

    jobs: Jobs
    settings: Settings
    archive: Archive
    lexicon: Lexicon = field(default_factory=Lexicon)

    def line(self, heard: str, recorded: str, at: float) -> Line:
        return Line(heard, self.lexicon.speak(recorded), at)

    async def ended(
        self, lines: Sequence[Line], masking: Masking = Masking.NONE, recorded_from: float | None = 0.0
    ) -> UUID:
        """A call in which a caller said *lines*, the recording of which is complete."""
        call = uuid4()
        length = max(line.end for line in lines) + 1.0
        records: list[Record] = [
            CallStarted(call, "desk", "inbound", "anna", "100", "sip", 1_800_000_000.0, masking=masking)
        ]
        records += [
            Spoken(call, index, "caller", line.heard, line.at, line.end) for index, line in enumerate(lines, start=1)
        ]
        if recorded_from is not None:
            key, wrapped = await self.archive.keyring.new(DEFAULT_ACCOUNT, call)
            records.append(RecordingStarted(call, wrapped.hex(), RATE, recorded_from))
        ended = CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_000.0 + length, length)
        await CallsRepository(self.jobs.database).write([*records, ended])
        if recorded_from is not None:
            with Recordings(self.settings.journals, open_objects(self.settings.object_store)) as recordings:
                recording = recordings.open(call, key, RATE, lambda reason: None)
                caller = _sound(lines, length)[round(recorded_from * RATE) :]
                # What the agent says is on the other channel, and no words of the caller.
                agent = self.lexicon.speak("agent " * 5).pcm
                recording.write(caller.tobytes(), np.resize(agent, len(caller)).tobytes())
                recording.close()
            async with self.archive.completing():
                await until(lambda: self._has_job(call), within=20.0)
        return call

    @asynccontextmanager
    async def transcribed(self, ears: RecognizerReach) -> AsyncIterator[None]:
        """A worker runs during the block."""
        kind = transcription(SpokenCalls(self.jobs.database), self.archive.library, ears)
        async with working(self.jobs, [kind]):
            yield

    async def over(self, ears: RecognizerReach, state: JobState = JobState.SUCCEEDED, within: float = 30.0) -> Job:
        """The only transcription, once it has come to *state*."""
        async with self.transcribed(ears):
            await until(lambda: self._is(state), within=within)
        return await self.job()

    async def job(self) -> Job:
        [job] = [job for job in await self.jobs.all() if job.kind == TRANSCRIPTION]
        return job

    async def lines(self, call: UUID) -> list[RecordedLine]:
        history = await CallsRepository(self.jobs.database).history(call)
        assert history is not None
        return list(history.transcript)

    async def searched(self, words: str) -> list[tuple[UUID, list[str]]]:
        found = await CallLists(self.jobs.database).page(DEFAULT_ACCOUNT, CallFilter(words=words), 10)
        return [(one.call.id, [line.text for line in one.lines]) for one in found]

    async def _has_job(self, call: UUID) -> bool:
        return any(job.call_id == call and job.kind == TRANSCRIPTION for job in await self.jobs.all())

    async def _is(self, state: JobState) -> bool:
        return (await self.job()).state is state


def _sound(lines: Sequence[Line], length: float) -> Pcm:
    pcm = np.zeros(round(length * RATE), np.int16)
    for line in lines:
        first = round(line.at * RATE)
        pcm[first : first + len(line.recorded.pcm)] = line.recorded.pcm
    return pcm


@pytest.fixture
def calls(jobs: Jobs, tmp_path: Path) -> Calls:
    settings = read_settings(data=tmp_path)
    settings.journals.mkdir()
    return Calls(jobs, settings, Archive(settings, jobs.database))


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
        await until(lambda: calls._is(JobState.SUCCEEDED), within=30.0)
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
