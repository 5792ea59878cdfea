"""What is kept is kept for as long as its account says, and no longer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from orchestrator.compliance.retention import Retention
from orchestrator.core.events import FIRST_ACCOUNT, CallEnded, CallStarted, Happened, Record
from orchestrator.core.privacy import Kept
from orchestrator.store.audit_repository import AuditRepository
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.retention_repository import RetentionRepository
from tests.fakes.records import small_call
from tests.integration.api.conftest import OPERATOR, Control
from tests.integration.api.test_audit import entries, rewritten, verification
from tests.integration.dump import dump

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
DAY = 86_400.0
FOR_EVER = dict.fromkeys((kind.value for kind in Kept), None)


class Recordings:
    """Recordings that are removed, or cannot be."""

    def __init__(self) -> None:
        self.deleted: list[UUID] = []
        self.failing = False

    async def delete(self, account: UUID, call_id: UUID) -> int:
        if self.failing:
            raise ConnectionError
        self.deleted.append(call_id)
        return 1


@pytest.fixture
def recordings() -> Recordings:
    return Recordings()


def retention(control: Control, recordings: Recordings, at_once: int = 100) -> Retention:
    database = control.database
    return Retention(RetentionRepository(database, at_once), recordings, AuditRepository(database), lambda: control.now)


async def call_of(control: Control, days_ago: float, account: UUID = FIRST_ACCOUNT, *, live: bool = False) -> UUID:
    """A call that ended so many days before now, or began then and goes on."""
    call, at = uuid4(), control.now - days_ago * DAY
    records: list[Record] = [Happened(call, 9, "partial", 3.0, {"stable": "what", "unstable": "time"})]
    for record in small_call(call):
        match record:
            case CallStarted():
                records.insert(0, replace(record, started_at=at, account=account))
            case CallEnded():
                records += [] if live else [replace(record, ended_at=at)]
            case _:
                records.append(record)
    await CallsRepository(control.database).write(records)
    return call


async def keep(control: Control, **days: int) -> None:
    answer = await control.client.put("/api/v1/retention", json={**FOR_EVER, **days}, headers=ADMIN)
    assert (answer.status_code, answer.json()) == (200, {**FOR_EVER, **days})


async def ids(control: Control) -> set[UUID]:
    async with control.database.connection() as connection:
        return {row["id"] for row in await connection.fetch("SELECT id FROM calls")}


async def test_everything_is_kept_until_somebody_says_for_how_long(control: Control, recordings: Recordings) -> None:
    assert (await control.client.get("/api/v1/retention", headers=ADMIN)).json() == FOR_EVER
    call = await call_of(control, 10_000)
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {}
    assert await ids(control) == {call}
    assert await entries(control) == []


async def test_old_calls_go_with_all_that_belongs_to_them(control: Control, recordings: Recordings) -> None:
    old, young = await call_of(control, 31), await call_of(control, 29)
    live = await call_of(control, 30.9, live=True)
    theirs = await call_of(control, 50, await control.account("other"))
    await keep(control, calls=30)
    erasing = retention(control, recordings)
    assert (await erasing.run(FIRST_ACCOUNT)).counts == {Kept.CALLS: 1}
    assert await ids(control) == {young, live, theirs}
    assert recordings.deleted == [old]
    assert str(old) not in await dump(control.database)
    assert (await erasing.run(FIRST_ACCOUNT)).counts == {}


async def test_a_call_whose_end_was_never_written_goes_as_well(control: Control, recordings: Recordings) -> None:
    await call_of(control, 31.1, live=True)
    await keep(control, calls=30)
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {Kept.CALLS: 1}


async def test_words_go_and_figures_stay(control: Control, recordings: Recordings) -> None:
    old = await call_of(control, 8)
    young = await call_of(control, 6)
    await keep(control, transcripts=7)
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {Kept.TRANSCRIPTS: 1}
    kept = (await control.client.get(f"/api/v1/calls/{old}", headers=ADMIN)).json()
    assert kept["transcript"] == []
    assert [(turn["caller_text"], turn["reply_text"], turn["heard_text"]) for turn in kept["turns"]] == [("", "", "")]
    assert kept["turns"][0]["spans"]["voice_to_voice"] == 0.75
    assert {event["type"] for event in kept["events"]} == {"state"}
    found = (await control.client.get("/api/v1/calls?q=noon", headers=ADMIN)).json()["items"]
    assert [one["id"] for one in found] == [str(young)]
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {}


async def test_events_go_and_words_stay(control: Control, recordings: Recordings) -> None:
    old = await call_of(control, 8)
    await keep(control, events=7)
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {Kept.EVENTS: 1}
    kept = (await control.client.get(f"/api/v1/calls/{old}", headers=ADMIN)).json()
    assert (kept["events"], len(kept["transcript"])) == ([], 3)
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {}


async def test_jobs_that_are_over_go_and_those_that_wait_stay(control: Control, recordings: Recordings) -> None:
    async with control.database.connection() as connection:
        await connection.execute(
            """
            INSERT INTO jobs (account_id, kind, state, finished_at) VALUES
                ($1, 'old', 'succeeded', to_timestamp($2)), ($1, 'young', 'failed', to_timestamp($3)),
                ($1, 'waiting', 'queued', NULL)
            """,
            FIRST_ACCOUNT,
            control.now - 8 * DAY,
            control.now - 6 * DAY,
        )
    await keep(control, jobs=7)
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {Kept.JOBS: 1}
    async with control.database.connection() as connection:
        assert {row["kind"] for row in await connection.fetch("SELECT kind FROM jobs")} == {"young", "waiting"}


async def test_a_pass_takes_batches_and_says_when_it_leaves_some(control: Control, recordings: Recordings) -> None:
    for day in range(5):
        await call_of(control, 40 + day)
    await keep(control, calls=30)
    first = await retention(control, recordings, 2).run(FIRST_ACCOUNT, batches=2)
    assert (first.counts, first.more) == ({Kept.CALLS: 4}, True)
    second = await retention(control, recordings, 2).run(FIRST_ACCOUNT, batches=2)
    assert (second.counts, second.more) == ({Kept.CALLS: 1}, False)


async def test_a_call_stays_while_its_recording_cannot_be_removed(control: Control, recordings: Recordings) -> None:
    old = await call_of(control, 31)
    await keep(control, calls=30)
    recordings.failing = True
    with pytest.raises(ConnectionError):
        await retention(control, recordings).run(FIRST_ACCOUNT)
    assert await ids(control) == {old}
    recordings.failing = False
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {Kept.CALLS: 1}


async def test_what_was_erased_is_in_the_audit_log_in_figures(control: Control) -> None:
    await call_of(control, 31)
    await keep(control, calls=30)
    run = await control.client.post("/api/v1/retention/runs", headers=ADMIN)
    assert (run.status_code, run.json()) == (200, {"erased": {"calls": 1}, "more": False})
    told = [(one["action"], one["subject"]) for one in await entries(control)]
    became = {kind.value: "30" if kind is Kept.CALLS else "null" for kind in Kept}
    assert told == [("set_retention", became), ("retention", {"calls": "1"}), ("run_retention", {})]


async def test_the_audit_log_loses_its_beginning_and_stays_a_chain(control: Control, recordings: Recordings) -> None:
    for _ in range(3):
        await keep(control, audit=30)
    old = await verification(control)
    control.now += 31 * DAY
    await keep(control, audit=30)
    assert (await retention(control, recordings).run(FIRST_ACCOUNT)).counts == {Kept.AUDIT: 3}
    assert [one["seq"] for one in await entries(control)] == [4, 5]
    now = await verification(control, old["head"])
    assert (now["entries"], now["intact"], now["known"]) == (5, True, True)
    assert (await verification(control, f"2:{'0' * 64}"))["known"] is None
    assert (await verification(control, f"3:{'0' * 64}"))["known"] is False


async def test_nobody_cuts_the_audit_log_elsewhere(control: Control, recordings: Recordings) -> None:
    for _ in range(3):
        await keep(control, audit=30)
    control.now += 31 * DAY
    await keep(control, audit=30)
    await retention(control, recordings).run(FIRST_ACCOUNT)
    async with control.database.connection() as connection:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute("DELETE FROM audit_log WHERE seq = 4")
    await rewritten(control, "DELETE FROM audit_log WHERE seq = 4")
    assert (await verification(control))["broken_at"] == 4


@pytest.mark.parametrize("days", [{"calls": 0}, {"calls": 36_501}, {"films": 30}])
async def test_what_is_no_time_to_keep_is_refused(control: Control, days: dict[str, object]) -> None:
    answer = await control.client.put("/api/v1/retention", json={**FOR_EVER, **days}, headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("erase", ["erase_transcripts", "erase_events", "erase_calls"])
async def test_erasing_waits_for_who_writes_of_the_account_before_it_locks_anything(
    control: Control, erase: str
) -> None:
    """Writers take the account's turn first, then rows: in another order two would wait for each other for ever."""
    call, another = await call_of(control, 3.0), await call_of(control, 0.0)
    repository = RetentionRepository(control.database)
    now = datetime.fromtimestamp(control.now, UTC)
    async with control.database.connection() as watching, control.database.transaction() as writing:
        await writing.execute("UPDATE calls SET callee = callee WHERE id = $1", another)
        wanted = [call] if erase == "erase_calls" else now
        erasing = asyncio.create_task(getattr(repository, erase)(FIRST_ACCOUNT, wanted))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not await watching.fetchval(waiting):
            assert not erasing.done()
            await asyncio.sleep(0.01)
        await writing.execute("SELECT FROM calls WHERE id = $1 FOR UPDATE NOWAIT", call)
    assert await erasing == 1
