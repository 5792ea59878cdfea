"""Calls with recordings: sealed objects in a folder, rows in a real PostgreSQL, jobs behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import numpy as np

from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.events import CallEnded, CallStarted, EndReason, Record, RecordingStarted, Spoken
from orchestrator.core.ports import Recognizer, Word
from orchestrator.core.privacy import Masking
from orchestrator.jobs.recorded import RecognizerReach
from orchestrator.jobs.recording_masking import MaskedRecordings, recording_masking
from orchestrator.jobs.transcription import transcription
from orchestrator.recordings.archive import Archive
from orchestrator.settings import Settings, read_settings
from orchestrator.store.call_analysis import SpokenCalls
from orchestrator.store.call_lists import CallFilter, CallLists
from orchestrator.store.calls import RecordedLine
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from orchestrator.store.jobs import RECORDING_MASKING, TRANSCRIPTION, Job, JobState
from telephony.recording import Recordings, open_objects
from tests.fakes.engines import FakeRecognizer
from tests.fakes.speech import Lexicon
from tests.integration.jobs.conftest import Jobs
from tests.integration.jobs.test_worker import working
from tests.integration.telephony.patience import until

RATE: Final = 16_000
OF_RECORDINGS: Final = {TRANSCRIPTION, RECORDING_MASKING}


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
    time: Callable[[AudioFrame], Sequence[Word]] = lambda window: ()
    failure: Exception | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Recognizer]:
        if self.failure is not None:
            raise self.failure
        yield FakeRecognizer(self.hear, delay=0.0, time=self.time)


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
        self,
        lines: Sequence[Line],
        masking: Masking = Masking.NONE,
        recorded_from: float | None = 0.0,
        told: Sequence[Line] | None = None,
    ) -> UUID:
        """A call in which a caller said *lines*, the recording of which is complete. told: what the agent said in one
        that is to be masked; it talks all the time in others.
        """
        call = uuid4()
        length = max(line.end for line in (*lines, *(told or ()))) + 1.0
        records: list[Record] = [
            CallStarted(call, "desk", "inbound", "anna", "100", "sip", 1_800_000_000.0, masking=masking)
        ]
        records += [
            Spoken(call, index, "caller", line.heard, line.at, line.end) for index, line in enumerate(lines, start=1)
        ]
        records += [
            Spoken(call, index, "agent", line.heard, line.at, line.end) for index, line in enumerate(told or ())
        ]
        if recorded_from is not None:
            key, wrapped = await self.archive.keyring.new(DEFAULT_ACCOUNT, call)
            records.append(RecordingStarted(call, wrapped.hex(), RATE, recorded_from, masked=told is not None))
        ended = CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_000.0 + length, length)
        await CallsRepository(self.jobs.database).write([*records, ended])
        if recorded_from is not None:
            with Recordings(self.settings.journals, open_objects(self.settings.object_store)) as recordings:
                recording = recordings.open(call, key, RATE, lambda reason: None)
                begin = round(recorded_from * RATE)
                caller = _sound(lines, length)[begin:]
                # What the agent says is on the other channel, and no words of the caller.
                talk = np.resize(self.lexicon.speak("agent " * 5).pcm, len(caller))
                agent = talk if told is None else _sound(told, length)[begin:]
                recording.write(caller.tobytes(), agent.tobytes())
                recording.close()
            async with self.archive.completing():
                await until(lambda: self._has_job(call), within=20.0)
        return call

    @asynccontextmanager
    async def transcribed(self, ears: RecognizerReach) -> AsyncIterator[None]:
        """A worker runs during the block."""
        spoken, archive = SpokenCalls(self.jobs.database), self.archive
        masked = MaskedRecordings(archive.recordings, archive.editions)
        kinds = [
            transcription(spoken, archive.library, ears),
            recording_masking(spoken, archive.library, masked, ears),
        ]
        async with working(self.jobs, kinds):
            yield

    async def over(self, ears: RecognizerReach, state: JobState = JobState.SUCCEEDED, within: float = 30.0) -> Job:
        """The only job about a recording, once it has come to *state*."""
        async with self.transcribed(ears):
            await until(lambda: self.is_in(state), within=within)
        return await self.job()

    async def job(self) -> Job:
        [job] = [job for job in await self.jobs.all() if job.kind in OF_RECORDINGS]
        return job

    async def lines(self, call: UUID) -> list[RecordedLine]:
        history = await CallsRepository(self.jobs.database).history(call)
        assert history is not None
        return list(history.transcript)

    async def searched(self, words: str) -> list[tuple[UUID, list[str]]]:
        found = await CallLists(self.jobs.database).page(DEFAULT_ACCOUNT, CallFilter(words=words), 10)
        return [(one.call.id, [line.text for line in one.lines]) for one in found]

    async def _has_job(self, call: UUID) -> bool:
        return any(job.call_id == call and job.kind in OF_RECORDINGS for job in await self.jobs.all())

    async def is_in(self, state: JobState) -> bool:
        return (await self.job()).state is state


def recorded_calls(jobs: Jobs, folder: Path) -> Calls:
    """None yet; *folder* is empty."""
    settings = read_settings(data=folder)
    settings.journals.mkdir()
    return Calls(jobs, settings, Archive(settings, jobs.database))


def _sound(lines: Sequence[Line], length: float) -> Pcm:
    pcm = np.zeros(round(length * RATE), np.int16)
    for line in lines:
        first = round(line.at * RATE)
        pcm[first : first + len(line.recorded.pcm)] = line.recorded.pcm
    return pcm
