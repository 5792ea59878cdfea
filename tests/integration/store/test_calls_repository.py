"""Calls in a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from orchestrator.core.errors import RecordRefused
from orchestrator.core.events import FIRST_ACCOUNT, EndReason, Happened, Spoken, TurnFinished
from orchestrator.core.turn import AnswerKind, Mark
from orchestrator.store.calls import Consent, RecordedLine
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database
from tests.fakes.records import answered_turn, small_call, started

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def test_a_call_is_read_back_as_it_was_recorded(calls: CallsRepository) -> None:
    call_id = uuid4()
    records = small_call(call_id)
    await calls.write(records)

    history = await calls.history(call_id)

    assert history is not None
    assert (history.call.agent_id, history.call.version) == (UUID(int=5), 3)
    assert (history.call.agent, history.call.driver, history.call.caller) == ("demo", "sip", "+33612345678")
    assert history.call.started_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert history.call.reason is EndReason.CALLER_HANGUP
    assert history.call.duration == 7.0
    assert history.call.recorded
    assert history.consent == Consent(given=True, how="speech", at=0.1)
    spoken = [record for record in records if isinstance(record, Spoken)]
    assert list(history.transcript) == [
        RecordedLine(line.turn, line.speaker, line.text, line.start, line.end, transcription=None) for line in spoken
    ]
    assert list(history.events) == [record for record in records if isinstance(record, Happened)]
    (turn,) = history.turns
    assert turn.answer is AnswerKind.LLM
    assert turn.marks[Mark.SPEECH_ENDED] == 4.5
    assert turn.voice_to_voice == turn.spans["voice_to_voice"] == 0.75


async def test_writing_a_call_again_changes_nothing(calls: CallsRepository) -> None:
    call_id = uuid4()
    await calls.write(small_call(call_id))
    once = await calls.history(call_id)

    await calls.write(small_call(call_id))

    assert await calls.history(call_id) == once


async def test_a_later_account_of_a_turn_replaces_the_earlier_one(calls: CallsRepository) -> None:
    call_id = uuid4()
    turn = answered_turn()
    await calls.write([started(call_id), TurnFinished(call_id, turn)])

    await calls.write([TurnFinished(call_id, replace(turn, heard_text="It is"))])

    history = await calls.history(call_id)
    assert history is not None
    assert [kept.heard_text for kept in history.turns] == ["It is"]


async def test_a_batch_with_a_refused_record_leaves_nothing(calls: CallsRepository) -> None:
    call_id = uuid4()
    with pytest.raises(RecordRefused):
        await calls.write([started(call_id), Happened(uuid4(), 0, "state", 0.0)])

    assert await calls.history(call_id) is None


async def test_the_end_of_an_unknown_call_is_refused(calls: CallsRepository) -> None:
    with pytest.raises(RecordRefused, match="start was never written"):
        await calls.write(small_call()[-1:])


async def test_text_that_postgresql_cannot_hold_is_kept_with_replacements(calls: CallsRepository) -> None:
    call_id = uuid4()
    await calls.write(
        [
            started(call_id),
            Spoken(call_id, 1, "caller", "null \0 and lone \ud83d surrogate", 0.0, 1.0),
            Happened(call_id, 0, "odd", 0.0, {"text\0": "a\0b", "level": float("nan"), "set": {1}, "id": call_id}),
        ]
    )

    history = await calls.history(call_id)
    assert history is not None
    assert history.transcript[0].text == "null \ufffd and lone \ufffd surrogate"
    assert history.events[0].payload == {"text\ufffd": "a\ufffdb", "level": None, "set": [1], "id": str(call_id)}


async def test_recent_calls_come_newest_first(calls: CallsRepository) -> None:
    ids = [uuid4() for _ in range(5)]
    await calls.write([started(call_id, at=1_800_000_000.0 + minute) for minute, call_id in enumerate(ids)])

    assert [call.id for call in await calls.recent(limit=2)] == [ids[4], ids[3]]


async def test_an_account_sees_only_its_own_calls(calls: CallsRepository, database: Database) -> None:
    async with database.connection() as connection:
        other = await connection.fetchval("INSERT INTO accounts (name) VALUES ('other') RETURNING id")
    theirs = CallsRepository(database, other)
    call_id = uuid4()
    await calls.write([started(call_id, account=other), *small_call(call_id)[1:]])

    assert await calls.history(call_id) is None
    assert await calls.recent() == []
    assert await calls.latency(LONG_AGO) == []
    history = await theirs.history(call_id)
    assert history is not None
    assert history.call.account_id == other
    assert len(history.events) == 3


async def test_latency_is_told_for_each_kind_of_answer(calls: CallsRepository) -> None:
    call_id = uuid4()
    slow = [TurnFinished(call_id, answered_turn(n, latency=n / 100)) for n in range(1, 101)]
    fast = [TurnFinished(call_id, answered_turn(200 + n, 0.25, AnswerKind.APPROVED)) for n in range(3)]
    await calls.write([started(call_id), *slow, *fast])

    approved, llm = await calls.latency(LONG_AGO)

    assert (approved.answer, approved.n, approved.p99) == (AnswerKind.APPROVED, 3, 0.25)
    assert (llm.answer, llm.n) == (AnswerKind.LLM, 100)
    assert (llm.p50, llm.p95, llm.max) == pytest.approx((0.505, 0.9505, 1.0))
    assert await calls.latency(datetime.now(UTC) + timedelta(hours=1)) == []


async def test_calls_of_a_dead_orchestrator_end_at_their_last_event(calls: CallsRepository) -> None:
    cut, alive, over = uuid4(), uuid4(), uuid4()
    await calls.write([started(cut), Happened(cut, 0, "state", 12.5), started(alive), *small_call(over)])

    assert await calls.end_abandoned(alive=[alive]) == [cut]

    history = await calls.history(cut)
    assert history is not None
    assert history.call.reason is EndReason.ERROR
    assert history.call.duration == 12.5
    assert history.call.ended_at == history.call.started_at + timedelta(seconds=12.5)
    assert await calls.end_abandoned(alive=[alive]) == []


async def test_where_other_orchestrators_may_live_only_calls_that_must_be_over_are_ended(
    calls: CallsRepository,
) -> None:
    cut, recent = uuid4(), uuid4()
    begun = started(cut)
    await calls.write([begun, replace(started(recent), started_at=begun.started_at + 60.0)])
    between = datetime.fromtimestamp(begun.started_at + 30.0, UTC)

    assert await calls.end_abandoned(begun_before=between) == [cut]


async def test_two_writers_of_the_same_accounts_do_not_wait_for_each_other(database: Database) -> None:
    async with database.connection() as connection:
        other = await connection.fetchval("INSERT INTO accounts (name) VALUES ('other') RETURNING id")
    ids = [uuid4() for _ in range(4)]
    whose = [FIRST_ACCOUNT, other]
    calls = CallsRepository(database)
    await calls.write([started(call_id, account=whose[index % 2]) for index, call_id in enumerate(ids)])

    async def write(order: list[UUID]) -> None:
        for seq in range(30):
            await calls.write([Happened(call_id, seq, "state", 0.0) for call_id in order])

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(write(ids[:2]))
        group.create_task(write(ids[:1:-1]))
