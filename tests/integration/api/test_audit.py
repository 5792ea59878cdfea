"""The audit log holds what was done, by whom, and tells when somebody has changed it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from websockets.asyncio.client import connect

from orchestrator.core.audit import Deed
from orchestrator.store.audit_repository import AuditRepository
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from tests.integration.api.conftest import OPERATOR, Control
from tests.integration.api.test_live import served, ticket

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}


async def entries(control: Control) -> list[dict[str, Any]]:
    """The log, the oldest entry first."""
    answer = await control.client.get("/api/v1/audit?limit=200", headers=ADMIN)
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["items"]
    return told[::-1]


async def verification(control: Control, head: str | None = None) -> dict[str, Any]:
    params = {"head": head} if head is not None else {}
    answer = await control.client.get("/api/v1/audit/verification", params=params, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def done(control: Control, times: int) -> None:
    """So many entries."""
    for _ in range(times):
        await control.client.post("/api/v1/keys", json={"name": "x", "permissions": []}, headers=ADMIN)


async def rewritten(control: Control, statement: str) -> None:
    """What somebody does who owns the database."""
    async with control.database.transaction() as connection:
        await connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        await connection.execute(statement)
        await connection.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")


async def test_what_changes_something_is_told_with_who_did_it_and_to_what(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT)
    headers = await control.bearer("anna@example.org")
    key = (await control.client.post("/api/v1/keys", json={"name": "x", "permissions": []}, headers=headers)).json()
    await control.client.get("/api/v1/keys", headers=headers)
    await control.client.delete(f"/api/v1/keys/{uuid4()}", headers=headers)
    await control.client.delete(f"/api/v1/keys/{key['id']}", headers={**ADMIN, "X-Request-ID": "ticket-7"})
    told = [(one["action"], one["actor_kind"], one["actor"], one["subject"]) for one in await entries(control)]
    assert told == [
        ("sign_in", "user", str(user), {}),
        ("make_key", "user", str(user), {}),
        ("revoke_key", "operator", None, {"key_id": key["id"]}),
    ]
    assert (await entries(control))[-1]["request"] == "ticket-7"


async def test_a_policy_is_told_with_what_it_became(control: Control) -> None:
    days = {"calls": 30, "transcripts": None, "recordings": 7, "events": None, "jobs": None, "audit": None}
    await control.client.put("/api/v1/privacy", json={"masking": "all"}, headers=ADMIN)
    await control.client.put("/api/v1/retention", json=days, headers=ADMIN)
    await control.client.put("/api/v1/retention", json=days | {"calls": 0}, headers=ADMIN)
    assert [(one["action"], one["subject"]) for one in await entries(control)] == [
        ("set_privacy", {"masking": "all", "mask_recordings": "false"}),
        ("set_retention", {name: "null" if number is None else str(number) for name, number in days.items()}),
    ]
    assert (await verification(control))["intact"]


async def test_an_untouched_log_is_intact_and_its_head_stays_known(control: Control) -> None:
    assert await verification(control) == {
        "entries": 0, "intact": True, "broken_at": None, "head": None, "known": None,
    }  # fmt: skip
    await done(control, 2)
    first = await verification(control)
    assert (first["entries"], first["intact"]) == (2, True)
    await done(control, 1)
    later = await verification(control, first["head"])
    assert (later["entries"], later["intact"], later["known"]) == (3, True, True)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_log SET action = 'nothing' WHERE seq = 2",
        "UPDATE audit_log SET actor = gen_random_uuid() WHERE seq = 2",
        "UPDATE audit_log SET at = at + interval '1 second' WHERE seq = 2",
        'UPDATE audit_log SET subject = \'{"key_id": "x"}\' WHERE seq = 2',
        "UPDATE audit_log SET hash = sha256(hash) WHERE seq = 2",
        "DELETE FROM audit_log WHERE seq = 2",
    ],
)
async def test_a_log_that_was_changed_says_where(control: Control, change: str) -> None:
    await done(control, 4)
    await rewritten(control, change)
    found = await verification(control)
    assert (found["intact"], found["broken_at"]) == (False, 2)


async def test_a_log_whose_end_was_cut_off_does_not_know_its_head(control: Control) -> None:
    await done(control, 3)
    head = (await verification(control))["head"]
    await rewritten(control, "DELETE FROM audit_log WHERE seq = 3")
    assert (await verification(control))["intact"]
    found = await verification(control, head)
    assert (found["intact"], found["known"], found["broken_at"]) == (False, False, None)


async def test_the_log_is_only_added_to(control: Control) -> None:
    await done(control, 1)
    for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            async with control.database.connection() as connection:
                await connection.execute(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with control.database.tenant(DEFAULT_ACCOUNT) as connection:
            await connection.execute("INSERT INTO audit_log SELECT * FROM audit_log")


async def test_deeds_at_the_same_time_form_one_chain_an_account(control: Control) -> None:
    audit, other = AuditRepository(control.database), await control.account("other")

    def deed(account: UUID) -> Deed:
        return Deed(account, "operator", None, "something", {}, "")

    now = datetime.now(UTC)
    await asyncio.gather(*(audit.append(deed(account), now) for _ in range(15) for account in (DEFAULT_ACCOUNT, other)))
    for account in (DEFAULT_ACCOUNT, other):
        found = await audit.verify(account)
        assert (found.entries, found.broken_at) == (15, None)


async def test_a_log_longer_than_one_read_is_verified_to_its_end(control: Control) -> None:
    audit = AuditRepository(control.database)
    now = datetime.now(UTC)
    for _ in range(1001):
        await audit.append(Deed(DEFAULT_ACCOUNT, "operator", None, "something", {}, ""), now)
    assert (await audit.verify(DEFAULT_ACCOUNT)).entries == 1001
    await rewritten(control, "UPDATE audit_log SET action = 'x' WHERE seq = 1001")
    assert (await audit.verify(DEFAULT_ACCOUNT)).broken_at == 1001


async def test_looking_for_what_was_said_is_told_and_listing_calls_is_not(control: Control) -> None:
    await control.client.get("/api/v1/calls?agent=desk", headers=ADMIN)
    await control.client.get("/api/v1/calls?q=refund", headers=ADMIN)
    await control.client.get("/api/v1/calls?%71=refund", headers=ADMIN)
    async with served(control) as url, connect(f"{url}/ws/calls?ticket={await ticket(control)}") as socket:
        await socket.recv()
    assert [entry["action"] for entry in await entries(control)] == ["list_calls", "list_calls", "watch_calls"]


async def test_a_subject_that_the_database_cannot_hold_breaks_no_chain(control: Control) -> None:
    audit = AuditRepository(control.database)
    deed = Deed(DEFAULT_ACCOUNT, "operator", None, "something", {"number": "1\x00"}, "")
    await audit.append(deed, datetime.now(UTC))
    assert (await audit.verify(DEFAULT_ACCOUNT)).broken_at is None
