"""Nothing of a caller who was forgotten is left anywhere, everything of the others is, and a receipt says so."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import obstore
import pytest

from orchestrator.access.keys import kept_key
from orchestrator.access.seal import Seal
from orchestrator.compliance.callers import caller_of
from orchestrator.compliance.erasure import CannotErase, Erasure, Means, NotYet, Requests
from orchestrator.compliance.receipts import ReceiptKey, is_of, verify
from orchestrator.core.audit import Deed
from orchestrator.core.events import (
    FIRST_ACCOUNT,
    CallEnded,
    CallStarted,
    EndReason,
    Happened,
    Record,
    Spoken,
    TurnFinished,
)
from orchestrator.core.turn import Turn
from orchestrator.jobs.erasure import erasure, erasure_means
from orchestrator.jobs.worker import Worker
from orchestrator.recordings.archive import Archive
from orchestrator.settings import Settings
from orchestrator.store.audit_repository import AuditRepository
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.contacts_repository import ContactsRepository, NewContact
from orchestrator.store.db import Database
from orchestrator.store.erasures_repository import ErasuresRepository, StoredErasure
from orchestrator.store.idempotency_repository import IdempotencyRepository, Kept, Place
from orchestrator.store.job_runs import JobRuns
from orchestrator.store.jobs import Work, put
from orchestrator.store.webhooks_repository import NewWebhook, WebhooksRepository
from orchestrator.telemetry.record_lines import to_line
from telephony.recording import open_objects
from telephony.recording.objects import recording_prefix
from tests.integration.dump import dump, files

NUMBER = "+33612345678"
WORDS = "zanzibar"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Office:
    """An installation in which callers are forgotten."""

    dsn: str
    database: Database
    settings: Settings
    requests: Requests
    means: Means
    erasure: Erasure
    repository: ErasuresRepository

    @property
    def data(self) -> Path:
        return self.settings.data

    async def call(self, other: str, words: str, *, outbound: bool = False, live: bool = False) -> UUID:
        """A call with *other*, who says *words*, and everything that can be kept of one."""
        call = uuid4()
        records = said_in(call, other, words)
        if outbound:
            begun = records[0]
            assert isinstance(begun, CallStarted)
            records[0] = replace(begun, direction="outbound", caller=begun.callee, callee=other)
        await CallsRepository(self.database).write(records[:-1] if live else records)
        await obstore.put_async(
            open_objects(self.settings.object_store), f"{recording_prefix(FIRST_ACCOUNT, call)}0", b"x"
        )
        async with self.database.connection() as connection:
            await put(connection, Work(FIRST_ACCOUNT, "webhook", payload={"text": f"about {call}"}))
        return call

    async def end(self, call: UUID) -> None:
        await CallsRepository(self.database).write([CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_007.0, 7.0)])

    async def ask(self, caller: str = NUMBER) -> StoredErasure:
        return await self.requests.ask(FIRST_ACCOUNT, caller)

    async def forget(self, caller: str = NUMBER) -> StoredErasure:
        """The erasure, carried out."""
        done = await self.erasure.carry_out(FIRST_ACCOUNT, (await self.ask(caller)).id)
        assert done is not None
        return done

    async def left(self) -> set[UUID]:
        async with self.database.connection() as connection:
            return {row["id"] for row in await connection.fetch("SELECT id FROM calls")}


def said_in(call: UUID, caller: str, words: str) -> list[Record]:
    return [
        CallStarted(call, "demo", "inbound", caller, "100", "sip", 1_800_000_000.0),
        Happened(call, 0, "partial", 1.0, {"stable": words, "unstable": ""}),
        Spoken(call, 1, "caller", words, 1.0, 2.0),
        TurnFinished(call, Turn(1, words, f"Did you say {words}?", f"Did you say {words}?")),
        CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_007.0, 7.0),
    ]


@pytest.fixture
async def office(database: Database, dsn: str, tmp_path: Path) -> AsyncIterator[Office]:
    settings = Settings(data=tmp_path)
    means = erasure_means(settings, database, Archive(settings, database).erasure)
    requests = Requests(means.repository, means.seal, NOW.timestamp)
    erasing = Erasure(replace(means, now=NOW.timestamp))
    yield Office(dsn, database, settings, requests, means, erasing, means.repository)


async def test_nothing_of_the_caller_is_left_and_everything_of_the_others_is(office: Office) -> None:
    theirs = [
        await office.call(NUMBER, WORDS),
        await office.call("0033 6 12 34 56 78", WORDS),
        await office.call(NUMBER, WORDS, outbound=True),
    ]
    others = {
        await office.call("+33612345679", "timbuktu"),
        await office.call("+336123456780", "timbuktu"),
        await office.call("612345678", "timbuktu"),
        await office.call("anna", "timbuktu"),
    }
    before = await dump(office.database)
    assert NUMBER in before
    assert before.count(WORDS) >= 12
    done = await office.forget()
    kept = await dump(office.database) + files(office.data)
    assert [needle for needle in (f"{NUMBER}\t", "612 34 56 78", WORDS) if needle in kept] == []
    assert await office.left() == others
    assert kept.count("timbuktu") >= 4 * 4
    named = (str(call) for call in theirs)
    assert done.receipt is not None
    assert done.receipt["receipt"]["calls"] == sorted(named, key=[str(call) for call in done.calls].index)
    objects = files(office.data / "objects")
    assert [call for call in theirs if str(call) in objects] == []
    assert [call for call in others if str(call) in objects] == list(others)


async def test_the_receipt_counts_what_was_erased_and_verifies(office: Office) -> None:
    await office.call(NUMBER, WORDS)
    done = await office.forget()
    assert done.caller is None
    public = ReceiptKey(kept_key(office.data / "keys" / "receipts.key")).public
    receipt = verify(json.loads(json.dumps(done.receipt)), public)
    counted = {"calls": 1, "turns": 1, "transcripts": 1, "events": 1, "jobs": 3, "objects": 1}
    assert receipt["erased"] == counted
    assert is_of(receipt, NUMBER)
    assert not is_of(receipt, "+33612345679")
    assert NUMBER not in json.dumps(done.receipt)


async def test_carried_out_again_it_erases_and_counts_nothing_twice(office: Office) -> None:
    await office.call(NUMBER, WORDS)
    done = await office.forget()
    assert await office.erasure.carry_out(FIRST_ACCOUNT, done.id) == done
    later = await office.forget()
    assert later.receipt is not None
    assert (later.receipt["receipt"]["calls"], later.receipt["receipt"]["erased"]) == ([], {})


async def test_a_call_that_goes_on_is_erased_at_its_end(office: Office) -> None:
    over, live = await office.call(NUMBER, WORDS), await office.call(NUMBER, WORDS, live=True)
    asked = await office.ask()
    with pytest.raises(NotYet):
        await office.erasure.carry_out(FIRST_ACCOUNT, asked.id)
    assert await office.left() == {live}
    waiting = await office.repository.get(FIRST_ACCOUNT, asked.id)
    assert waiting is not None
    assert (waiting.waits_for, waiting.receipt) == ("call", None)
    await office.end(live)
    done = await office.erasure.carry_out(FIRST_ACCOUNT, asked.id)
    assert done is not None
    assert (done.waits_for, set(done.calls)) == (None, {over, live})
    assert WORDS not in await dump(office.database)


async def test_a_call_whose_end_was_never_written_is_not_waited_for(office: Office) -> None:
    await office.call(NUMBER, WORDS, live=True)
    async with office.database.connection() as connection:
        await connection.execute("UPDATE calls SET started_at = $1", NOW - timedelta(hours=2))
    done = await office.forget()
    assert len(done.calls) == 1


async def test_a_worker_carries_it_out_and_tries_again_while_a_call_goes_on(office: Office) -> None:
    live = await office.call(NUMBER, WORDS, live=True)
    asked = await office.ask()
    async with office.database.connection() as connection:
        job = await connection.fetchval("SELECT id FROM jobs WHERE kind = 'erasure'")
    worker = Worker(office.dsn, JobRuns(office.database), [erasure(office.means)])
    again = await worker.deliver("erasure", job)
    assert again is not None
    assert timedelta(0) < again <= timedelta(seconds=10)
    await office.end(live)
    async with office.database.connection() as connection:
        await connection.execute("UPDATE jobs SET due_at = now() WHERE id = $1", job)
    assert await worker.deliver("erasure", job) is None
    done = await office.repository.get(FIRST_ACCOUNT, asked.id)
    assert done is not None
    assert done.calls == (live,)
    async with office.database.connection() as connection:
        assert await connection.fetchval("SELECT state FROM jobs WHERE id = $1", job) == "succeeded"


async def test_records_that_wait_on_the_disk_are_waited_for(office: Office) -> None:
    call = await office.call(NUMBER, WORDS)
    spool = office.data / "spool"
    spool.mkdir()
    waiting = spool / "records.jsonl"
    waiting.write_text("".join(f"{to_line(record)}\n" for record in said_in(call, NUMBER, WORDS)))
    asked = await office.ask()
    with pytest.raises(NotYet):
        await office.erasure.carry_out(FIRST_ACCOUNT, asked.id)
    waiting.write_text("")
    assert (done := await office.erasure.carry_out(FIRST_ACCOUNT, asked.id)) is not None
    assert done.finished_at is not None


async def test_refused_records_are_blanked_also_of_calls_that_were_never_stored(office: Office) -> None:
    spool = office.data / "spool"
    spool.mkdir()
    refused = spool / "rejected.jsonl"
    theirs = [to_line(record) for record in said_in(uuid4(), NUMBER, WORDS)]
    others = [to_line(record) for record in said_in(uuid4(), "anna", "timbuktu")]
    refused.write_text("".join(f"{line}\n" for line in [*theirs, *others]))
    size = refused.stat().st_size
    done = await office.forget()
    assert done.erased["spooled_records"] == len(theirs)
    assert [line for line in refused.read_text().splitlines() if line.strip()] == others
    assert refused.stat().st_size == size


async def test_log_lines_of_their_calls_are_blanked_in_place(office: Office, tmp_path: Path) -> None:
    call, other = await office.call(NUMBER, WORDS), await office.call("anna", "timbuktu")
    log = tmp_path / "postgres.log"
    with log.open("a", buffering=1) as writer:
        writer.write(f'{{"event": "call_started", "call": "{call}"}}\n{{"event": "call_started", "call": "{other}"}}\n')
        done = await office.forget()
        writer.write('{"event": "later"}\n')
    assert done.erased["log_lines"] == 1
    lines = log.read_text().splitlines()
    assert [line.strip() for line in lines] == [
        "",
        f'{{"event": "call_started", "call": "{other}"}}',
        '{"event": "later"}',
    ]


async def test_an_answer_that_is_kept_is_forgotten_and_its_request_stays_done(office: Office) -> None:
    call = await office.call(NUMBER, WORDS)
    seal = Seal(kept_key(office.data / "keys" / "tokens.key").encode(), "idempotency")
    repository = IdempotencyRepository(office.database)
    later = NOW + timedelta(days=1)
    for key, named in ((b"a" * 32, call), (b"b" * 32, uuid4())):
        place = Place(FIRST_ACCOUNT, key)
        await repository.claim(place, Kept(b"r" * 32, NOW, None), later, NOW)
        body = json.dumps({"body": b64encode(json.dumps({"id": str(named)}).encode()).decode()})
        await repository.answer(place, seal.close(body.encode(), key))
    done = await office.forget()
    assert done.erased["kept_answers"] == 1
    assert [key for key, _ in await repository.answers(FIRST_ACCOUNT)] == [b"b" * 32]
    known = await repository.claim(Place(FIRST_ACCOUNT, b"a" * 32), Kept(b"r" * 32, NOW, None), later, NOW)
    assert known is not None
    assert known.answer is None


async def test_what_webhooks_are_told_of_the_calls_is_erased_sent_or_not(office: Office) -> None:
    webhook = NewWebhook(uuid4(), "https://example.test/hook", ["call.started", "call.ended"], "", b"sealed")
    await WebhooksRepository(office.database).add(FIRST_ACCOUNT, webhook)
    _, other = await office.call(NUMBER, WORDS), await office.call("anna", "timbuktu")
    async with office.database.connection() as connection:
        sent = await connection.execute("UPDATE webhook_deliveries SET state = 'delivered' WHERE type = 'call.started'")
        assert sent == "UPDATE 2"
    done = await office.forget()
    assert done.erased["webhook_deliveries"] == 2
    async with office.database.connection() as connection:
        told = await connection.fetch("SELECT data ->> 'call_id' AS call FROM webhook_deliveries")
        waiting = await connection.fetchval("SELECT count(*) FROM jobs WHERE payload ? 'delivery'")
    assert [row["call"] for row in told] == [str(other)] * 2
    assert waiting == 2


async def test_whom_the_account_knew_by_the_number_is_forgotten(office: Office) -> None:
    contacts = ContactsRepository(office.database)
    them, them_as_dialled = caller_of(NUMBER), caller_of("0033699887766")
    other = uuid4()
    async with office.database.connection() as connection:
        await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
    for account in (FIRST_ACCOUNT, other):
        ann = NewContact(them.forms[0], them.name, "Zebedee Quill", "fr", "owes us an umbrella")
        assert await contacts.add(account, ann) is not None
    bo = NewContact(them_as_dialled.forms[0], them_as_dialled.name, "Bo", None, "")
    assert await contacts.add(FIRST_ACCOUNT, bo) is not None
    done = await office.forget()
    assert done.erased["contacts"] == 1
    assert [one.name for one in await contacts.page(FIRST_ACCOUNT, 10)] == ["Bo"]
    assert len(await contacts.page(other, 10)) == 1
    async with office.database.connection() as connection:
        await connection.execute("DELETE FROM accounts WHERE id = $1", other)
    kept = await dump(office.database)
    assert [secret for secret in ("Zebedee", "umbrella", *them.spellings) if secret in kept] == []


async def test_the_number_is_nowhere_in_clear_while_the_erasure_waits(office: Office) -> None:
    asked = await office.ask("+33 6 99 88 77 66")
    kept = await dump(office.database)
    assert [spelling for spelling in ("699887766", "6 99 88") if spelling in kept] == []
    assert str(asked.id) in kept


async def test_another_account_s_calls_with_the_same_caller_stay(office: Office) -> None:
    other = uuid4()
    async with office.database.connection() as connection:
        await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
    call = uuid4()
    begun = said_in(call, NUMBER, WORDS)
    assert isinstance(begun[0], CallStarted)
    await CallsRepository(office.database).write([replace(begun[0], account=other), *begun[1:]])
    await office.forget()
    assert await office.left() == {call}


async def test_the_audit_log_stays_a_chain_and_says_that_somebody_was_forgotten(office: Office) -> None:
    audit = AuditRepository(office.database)
    for number in range(3):
        await audit.append(Deed(FIRST_ACCOUNT, "operator", None, "before", {"n": str(number)}, ""), NOW)
    head = await audit.verify(FIRST_ACCOUNT)
    await office.call(NUMBER, WORDS)
    done = await office.forget()
    after = await audit.verify(FIRST_ACCOUNT, (head.entries, head.head))
    assert (after.broken_at, after.known, after.entries) == (None, True, 4)
    [last, *_] = await audit.page(FIRST_ACCOUNT, 1)
    assert (last.deed.action, last.deed.subject) == ("caller_forgotten", {"erasure": str(done.id), "calls": "1"})


async def test_the_receipt_is_not_kept_without_its_entry_in_the_audit_log(office: Office) -> None:
    asked = await office.ask()
    nobody_s = Deed(uuid4(), "operator", None, "caller_forgotten", {}, "")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await office.repository.finish(asked, {}, nobody_s, NOW)
    kept = await office.repository.get(FIRST_ACCOUNT, asked.id)
    assert kept is not None
    assert (kept.receipt, kept.finished_at, kept.caller) == (None, None, asked.caller)


async def test_a_process_with_another_key_erases_nothing(office: Office, tmp_path: Path) -> None:
    call = await office.call(NUMBER, WORDS)
    asked = await office.ask()
    settings = Settings(data=tmp_path / "elsewhere")
    means = erasure_means(settings, office.database, Archive(settings, office.database).erasure)
    with pytest.raises(CannotErase):
        await Erasure(means).carry_out(FIRST_ACCOUNT, asked.id)
    assert await office.left() == {call}


async def test_a_caller_without_a_number_is_forgotten_by_name(office: Office) -> None:
    await office.call("Anna", WORDS)
    await office.forget("anna")
    assert await office.left() == set()


async def test_a_short_number_takes_no_work_of_others_with_it(office: Office) -> None:
    async with office.database.connection() as connection:
        work = [{"text": "42"}, {"day": "2042-42-04"}, {"id": f"{uuid4()}42"}, {"count": 42}, {"text": "to 4242"}]
        for payload in work:
            await put(connection, Work(FIRST_ACCOUNT, "webhook", payload=payload))
        await office.forget("42")
        left = [row["payload"] for row in await connection.fetch("SELECT payload FROM jobs WHERE kind = 'webhook'")]
    assert sorted(map(str, left)) == sorted(map(str, work[1:]))


async def test_what_is_no_number_is_refused(office: Office) -> None:
    with pytest.raises(ValueError, match="country code"):
        await office.ask("+999")
