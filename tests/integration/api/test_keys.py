"""API keys: made by admins, shown once, good for what is written on them, until they are revoked or expire."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from orchestrator.access.api_keys import ApiKeys
from orchestrator.access.tickets import Tickets
from orchestrator.core.errors import ApiError
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from orchestrator.store.keys_repository import ApiKey, KeysRepository
from orchestrator.store.tickets_repository import TicketsRepository
from tests.integration.api.conftest import OPERATOR, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}


async def made(control: Control, *permissions: str, **more: str) -> dict[str, str]:
    """A new key, as it is told."""
    asked = {"name": "report", "permissions": permissions, **more}
    answer = await control.client.post("/api/v1/keys", json=asked, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    told: dict[str, str] = answer.json()
    return told


async def status(control: Control, key: str, method: str = "GET", path: str = "/api/v1/calls") -> int:
    return (await control.client.request(method, path, headers={"Authorization": f"Bearer {key}"})).status_code


async def test_a_key_may_what_is_written_on_it_and_nothing_else(control: Control) -> None:
    key = (await made(control, "calls:read"))["key"]
    assert key.startswith("ofk_")
    assert await status(control, key) == 200
    assert await status(control, key, "GET", "/api/v1/users") == 403
    assert await status(control, key, "GET", "/api/v1/keys") == 403
    me = (await control.client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {key}"})).json()
    assert (me["user"], me["allowed"]) == (None, ["calls:read"])


async def test_a_key_is_shown_once(control: Control) -> None:
    given = await made(control, "calls:read")
    listed = await control.client.get("/api/v1/keys", headers=ADMIN)
    assert given["key"] not in listed.text
    assert listed.json()["items"][0]["shown"] == given["key"][:12]
    async with control.database.connection() as connection:
        (row,) = await connection.fetch("SELECT api_keys::text FROM api_keys")
    assert given["key"] not in row[0]


async def test_a_revoked_key_is_worth_nothing_here_at_once_and_elsewhere_within_a_second(control: Control) -> None:
    given, other = await made(control, "calls:read"), await made(control, "calls:read")
    assert await status(control, given["key"]) == await status(control, other["key"]) == 200
    assert (await control.client.delete(f"/api/v1/keys/{given['id']}", headers=ADMIN)).status_code == 204
    assert await status(control, given["key"]) == 401
    async with control.database.connection() as connection:  # as another process would
        await connection.execute("UPDATE api_keys SET revoked_at = now() WHERE id = $1", other["id"])
    control.now += 1.0
    assert await status(control, other["key"]) == 401


class Held(KeysRepository):
    """Keys whose reading can be held up behind the database's answer. read: set then; going_on: until then it waits."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.read, self.going_on = asyncio.Event(), asyncio.Event()

    async def use(self, key_hash: bytes, now: datetime) -> ApiKey | None:
        found = await super().use(key_hash, now)
        self.read.set()
        await self.going_on.wait()
        return found


async def test_a_key_that_is_read_while_it_is_revoked_is_not_believed_afterwards(control: Control) -> None:
    given = await made(control, "calls:read")
    repository = Held(control.database)
    keys = ApiKeys(repository, lambda: control.now)
    reading = asyncio.create_task(keys.read(given["key"]))
    await repository.read.wait()
    assert await keys.revoke(DEFAULT_ACCOUNT, UUID(given["id"]))
    repository.going_on.set()
    await reading
    with pytest.raises(ApiError, match="revoked"):
        await keys.read(given["key"])


async def test_a_key_expires(control: Control) -> None:
    end = datetime.fromtimestamp(control.now, UTC) + timedelta(hours=1)
    key = (await made(control, "calls:read", expires_at=end.isoformat()))["key"]
    assert await status(control, key) == 200
    control.now += 3601
    assert await status(control, key) == 401


async def test_its_last_use_is_noted_to_the_minute(control: Control) -> None:
    key = (await made(control, "calls:read"))["key"]
    used = []
    for _ in range(3):
        await status(control, key)
        used.append((await control.client.get("/api/v1/keys", headers=ADMIN)).json()["items"][0]["last_used_at"])
        control.now += 45
    assert used[0] is not None
    assert used[0] == used[1] != used[2]


async def test_nobody_gives_more_than_they_have_and_no_key_makes_keys_or_users(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    for permissions, code in ((["keys:manage"], "not_for_keys"), (["users:manage", "calls:read"], "not_for_keys")):
        answer = await control.client.post(
            "/api/v1/keys", json={"name": "x", "permissions": permissions}, headers=ADMIN
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    answer = await control.client.post("/api/v1/keys", json={"name": "x", "permissions": ["fly"]}, headers=ADMIN)
    assert answer.status_code == 422


async def test_keys_come_in_pages(control: Control) -> None:
    ids = {(await made(control, "calls:read"))["id"] for _ in range(3)}
    first = (await control.client.get("/api/v1/keys?limit=2", headers=ADMIN)).json()
    rest = (await control.client.get("/api/v1/keys", params={"after": first["next"]}, headers=ADMIN)).json()
    assert {key["id"] for key in (*first["items"], *rest["items"])} == ids
    assert (len(first["items"]), rest["next"]) == (2, None)


async def test_a_ticket_that_a_key_took_opens_no_more_than_the_key(control: Control) -> None:
    given = await made(control, "jobs:read")
    headers = {"Authorization": f"Bearer {given['key']}"}
    ticket = (await control.client.post("/api/v1/auth/tickets", headers=headers)).json()["ticket"]
    identity = await Tickets(TicketsRepository(control.database), lambda: control.now).take(ticket)
    assert identity == await ApiKeys(KeysRepository(control.database), lambda: control.now).read(given["key"])
    assert [str(one) for one in identity.allowed] == ["jobs:read"]
