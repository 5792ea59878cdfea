"""What is found out about a call after its end: engines in processes of their own, found by their sockets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from inference.placement import Terms, open_engines
from inference.reach import ReachedEngines, announced
from orchestrator.core.errors import EngineUnavailable
from orchestrator.core.events import CallEnded, CallStarted, EndReason, Record, Spoken, TurnFinished
from orchestrator.core.ports import LanguageModel, Mood, Sentiment
from orchestrator.core.turn import AnswerKind, Mark, Turn
from orchestrator.jobs.kinds import JobKind
from orchestrator.jobs.rollup import rollup
from orchestrator.jobs.sentiment import sentiment
from orchestrator.jobs.summary import summary
from orchestrator.store.analytics import Analytics, Days
from orchestrator.store.call_analysis import SpokenCalls
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from orchestrator.store.jobs import SENTIMENT, SUMMARY, JobState
from tests.contracts.reference import LOADER, ReferenceModels, reference_profile
from tests.fakes.engines import FakeLanguageModel
from tests.integration.jobs.conftest import Jobs
from tests.integration.jobs.test_worker import working
from tests.integration.telephony.patience import until

STARTED = 1_800_000_000.0  # 2027-01-15T08:00:00Z
DAY = date(2027, 1, 15)


class Moods:
    """A classifier that knows three words."""

    async def score(self, text: str) -> Mood:
        return {"great": Mood(0.0, 0.2, 0.8), "awful": Mood(0.6, 0.4, 0.0)}.get(text, Mood(0.0, 1.0, 0.0))


@dataclass
class Engines:
    """Engines of this process."""

    model: FakeLanguageModel = field(default_factory=lambda: FakeLanguageModel(first_token=0.0, per_token=0.0))

    async def llm(self) -> LanguageModel:
        return self.model

    async def sentiment(self) -> Sentiment:
        return Moods()


def kinds(jobs: Jobs, engines: Engines | ReachedEngines) -> list[JobKind]:
    spoken = SpokenCalls(jobs.database)
    return [summary(spoken, engines), sentiment(spoken, engines), rollup()]


async def ended(jobs: Jobs, said: Sequence[str], reason: EndReason = EndReason.CALLER_HANGUP) -> UUID:
    """A call of half a minute in which the caller said that, a turn each, and was answered after a second."""
    call = uuid4()
    records: list[Record] = [CallStarted(call, "desk", "inbound", "anna", "100", "sip", STARTED)]
    for index, text in enumerate(said):
        turn = Turn(index, caller_text=text, reply_text="Yes.", heard_text="Yes.", answer=AnswerKind.LLM)
        turn.marks |= {Mark.SPEECH_ENDED: 10.0 * index + 2.0, Mark.REPLY_STARTED: 10.0 * index + 3.0}
        records += [
            Spoken(call, index, "caller", text, 10.0 * index, 10.0 * index + 2.0),
            Spoken(call, index, "agent", "Yes.", 10.0 * index + 3.0, 10.0 * index + 4.0),
            TurnFinished(call, turn),
        ]
    await CallsRepository(jobs.database).write([*records, CallEnded(call, reason, STARTED + 30.0, 30.0)])
    return call


async def analysed(jobs: Jobs) -> bool:
    """Whether every job is done; none waits for its time."""
    await _at_once(jobs)
    return all(job.finished_at is not None for job in await jobs.all())


async def test_a_call_gets_a_summary_and_a_sentiment_and_its_day_is_counted(jobs: Jobs) -> None:
    engines = Engines()
    engines.model.answer = lambda messages: "The caller praised\n the food. It was noted. It was noted. And then the"
    call = await ended(jobs, ["great", "fine", "awful"])
    await ended(jobs, [], EndReason.ENGINE_FAILED)
    await ended(jobs, [], EndReason.NOT_ANSWERED)
    async with working(jobs, kinds(jobs, engines)):
        await until(lambda: analysed(jobs), within=30.0)
    history = await CallsRepository(jobs.database).history(call)
    assert history is not None
    assert history.call.summary == "The caller praised the food. It was noted."
    assert engines.model.closed == 1, "what nobody reads was written all the same"
    assert [turn.sentiment for turn in history.turns] == pytest.approx([0.8, 0.0, -0.6])
    assert history.call.sentiment == pytest.approx(0.2 / 3)
    [day] = await Analytics(jobs.database).page(DEFAULT_ACCOUNT, Days(DAY, DAY), None, 10)
    assert (day.day, day.agent, day.calls, day.unanswered, day.failed, day.seconds) == (DAY, "desk", 3, 1, 1, 90.0)
    assert (day.turns, day.answered, day.latency_p50) == (3, 3, 1.0)
    assert day.sentiment == pytest.approx(0.2 / 3)
    assert {job.state for job in await jobs.all()} == {JobState.SUCCEEDED}
    assert "food" not in str([(job.result, job.payload) for job in await jobs.all()])


async def test_a_call_in_which_nobody_spoke_has_neither(jobs: Jobs) -> None:
    engines, call = Engines(), await ended(jobs, [])
    async with working(jobs, kinds(jobs, engines)):
        await until(lambda: analysed(jobs), within=30.0)
    history = await CallsRepository(jobs.database).history(call)
    assert history is not None
    assert (history.call.summary, history.call.sentiment, engines.model.requests) == (None, None, [])


async def test_a_model_that_says_nothing_is_asked_again_and_given_up(jobs: Jobs) -> None:
    engines = Engines()
    engines.model.answer = lambda messages: ""
    await ended(jobs, ["fine"])
    async with working(jobs, kinds(jobs, engines)):
        await until(lambda: _given_up(jobs), within=30.0)
    [job] = [job for job in await jobs.all() if job.kind == SUMMARY]
    assert (job.state, job.error, job.attempts) == (JobState.FAILED, "bad_output", 5)


async def test_engines_are_reached_in_the_processes_that_run_them(jobs: Jobs, tmp_path: Path) -> None:
    profile, file = reference_profile(process="all"), tmp_path / "engines.json"
    call = await ended(jobs, ["so angry"])
    reached = ReachedEngines(profile, file)
    with pytest.raises(EngineUnavailable):
        await reached.sentiment()
    async with open_engines(profile, ReferenceModels(), Terms(placement="local", loader=LOADER)) as engines:
        with announced(engines.addresses, file):
            assert oct(file.stat().st_mode)[-3:] == "600"
            async with working(jobs, kinds(jobs, reached)):
                await until(lambda: analysed(jobs), within=30.0)
        assert not file.exists()
    history = await CallsRepository(jobs.database).history(call)
    assert history is not None
    assert history.call.sentiment == pytest.approx(-0.75)
    assert history.call.summary


async def test_jobs_wait_for_engines_that_are_not_there_yet(jobs: Jobs, tmp_path: Path) -> None:
    profile, file = reference_profile(process="all"), tmp_path / "engines.json"
    await ended(jobs, ["so angry"])
    async with working(jobs, kinds(jobs, ReachedEngines(profile, file))):
        await until(lambda: _refused(jobs), within=30.0)
        async with open_engines(profile, ReferenceModels(), Terms(placement="local", loader=LOADER)) as engines:
            with announced(engines.addresses, file):
                await until(lambda: _hurried(jobs), within=30.0)


async def _given_up(jobs: Jobs) -> bool:
    await _at_once(jobs)
    return any(job.kind == SUMMARY and job.state is JobState.FAILED for job in await jobs.all())


async def _refused(jobs: Jobs) -> bool:
    tried = [job for job in await jobs.all() if job.kind in {SUMMARY, SENTIMENT}]
    return all(job.error == "engine_unavailable" for job in tried)


async def _hurried(jobs: Jobs) -> bool:
    await _at_once(jobs)
    return all(job.state is JobState.SUCCEEDED for job in await jobs.all())


async def _at_once(jobs: Jobs) -> None:
    """Nothing waits for its time."""
    async with jobs.database.connection() as connection:
        await connection.execute("UPDATE jobs SET due_at = now() WHERE state = 'queued'")
        await connection.execute("UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued'")
