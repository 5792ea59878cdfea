"""A POST that is sent again under its Idempotency-Key has no second effect, and what is kept for that tells nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter, Depends

from orchestrator.access.api_keys import ApiKeys
from orchestrator.access.failed_tries import FailedTries
from orchestrator.access.quotas import Quotas, Rates
from orchestrator.access.seal import Seal
from orchestrator.access.tickets import Tickets
from orchestrator.api.application import application
from orchestrator.api.door import Bearers, Door
from orchestrator.api.idempotency import Idempotency
from orchestrator.core.errors import ApiError, StoreUnavailable
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.idempotency_repository import IdempotencyRepository
from orchestrator.store.keys_repository import KeysRepository
from orchestrator.store.tickets_repository import TicketsRepository
from tests.integration.api.conftest import OPERATOR, TOKEN_KEY, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
AGENTS = "/api/v1/agents"
REPORT = {"name": "report", "template": "survey.en"}


@dataclass
class Orders:
    """A route that takes orders. going: set when one has come; may_end: until then it waits; fails: how it ends."""

    taken: int = 0
    going: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    fails: Exception | None = None

    def router(self, door: Door) -> APIRouter:
        router = APIRouter()
        anybody = Depends(door.needs())

        @router.post("/api/v1/orders", status_code=201, dependencies=[anybody])
        async def take_order() -> dict[str, int]:
            self.taken += 1
            self.going.set()
            await self.may_end.wait()
            if self.fails is not None:
                raise self.fails
            return {"order": self.taken}

        return router


@asynccontextmanager
async def shop(control: Control) -> AsyncIterator[tuple[Orders, httpx.AsyncClient]]:
    def now() -> float:
        return control.now

    keys = ApiKeys(KeysRepository(control.database), now)
    tickets = Tickets(TicketsRepository(control.database), now)
    door = Door(Bearers(control.tokens, keys, OPERATOR, FailedTries(9, now)), tickets, Quotas(Rates(), now))
    kept = IdempotencyRepository(control.database)
    idempotency = Idempotency(door, kept, Seal(TOKEN_KEY.encode(), "idempotency"), now)
    orders = Orders()
    app = application((orders.router(door),), (), idempotency)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://offhook", headers=ADMIN) as client:
        yield orders, client


async def ordered(client: httpx.AsyncClient, key: str = "one") -> tuple[int, str]:
    """Status of an order, and its number or the code of the problem."""
    answer = await client.post("/api/v1/orders", headers={"Idempotency-Key": key})
    said = answer.json()
    return answer.status_code, str(said.get("order", said.get("code")))


async def made(
    control: Control, key: str, body: object = REPORT, headers: dict[str, str] | None = None
) -> httpx.Response:
    return await control.client.post(AGENTS, json=body, headers={**(headers or ADMIN), "Idempotency-Key": key})


async def count(control: Control, table: str = "agents") -> int:
    async with control.database.connection() as connection:
        number: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    return number


async def test_the_same_request_again_gets_the_same_answer_and_has_no_effect(control: Control) -> None:
    first, again = await made(control, "one"), await made(control, "one")
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert first.headers["X-Request-ID"] != again.headers["X-Request-ID"]
    assert await count(control) == 1


async def test_an_answer_without_a_body_is_given_again_too(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT)
    headers = {**ADMIN, "Idempotency-Key": "one"}
    for replayed in (None, "true"):
        answer = await control.client.post(
            f"/api/v1/users/{user}/password", json={"password": "another long password"}, headers=headers
        )
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers.get("Idempotency-Replayed") == replayed


async def test_a_key_that_comes_with_another_request_is_refused(control: Control) -> None:
    await made(control, "one")
    other = await made(control, "one", {**REPORT, "name": "other"})
    elsewhere = await control.client.post("/api/v1/users", json=REPORT, headers={**ADMIN, "Idempotency-Key": "one"})
    for answer in (other, elsewhere):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert await count(control) == 1


async def test_the_same_key_of_somebody_else_is_another_one(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    await control.user("bob@example.org", DEFAULT_ACCOUNT)
    await control.user("eve@example.org", await control.account("other"))
    people = [await control.bearer(f"{name}@example.org") for name in ("anna", "bob", "eve")]
    answers = [
        await made(control, "one", {**REPORT, "name": name}, headers=who)
        for name, who in zip(("operator", "anna", "bob", "eve"), (ADMIN, *people), strict=True)
    ]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 4


async def test_what_was_refused_may_be_sent_again_under_its_key(control: Control) -> None:
    assert (await made(control, "one", {"name": ""})).status_code == 422
    assert (await made(control, "one")).status_code == 201


async def test_a_key_is_good_for_a_day(control: Control) -> None:
    first = await made(control, "one")
    control.now += 24 * 3600 - 1
    assert (await made(control, "one")).content == first.content
    control.now += 1
    assert (await made(control, "one", {**REPORT, "name": "other"})).status_code == 201
    await made(control, "two", {**REPORT, "name": "two"})
    control.now += 24 * 3600
    await made(control, "three", {**REPORT, "name": "three"})
    assert await count(control, "idempotency_keys") == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "\u00e9"])
async def test_a_key_has_1_to_255_visible_characters(control: Control, key: str) -> None:
    headers = {**ADMIN, "Idempotency-Key": key.encode("latin-1")}
    answer = await control.client.post(AGENTS, json=REPORT, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_idempotency_key")
    assert await count(control) == 0


async def test_nobody_gets_the_answer_of_a_key_without_signing_in(control: Control) -> None:
    await made(control, "one")
    for headers in ({"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        assert (await made(control, "one", headers=headers)).status_code == 401


async def test_the_database_alone_tells_neither_key_nor_request_nor_answer(control: Control) -> None:
    asked = {"email": "anna@example.org", "name": "Anna", "password": "correct horse battery", "role": "admin"}
    key = f"key-{uuid4()}"
    answer = await control.client.post("/api/v1/users", json=asked, headers={**ADMIN, "Idempotency-Key": key})
    async with control.database.connection() as connection:
        (row,) = await connection.fetch("SELECT key, request, answer FROM idempotency_keys")
    kept = b"".join(row)
    for secret in (key.encode(), b"anna", b"correct horse", answer.content, answer.json()["id"].encode()):
        assert secret not in kept


async def test_no_token_and_no_ticket_is_kept(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    headers = {**await control.bearer("anna@example.org"), "Idempotency-Key": "one"}
    tickets = {(await control.client.post("/api/v1/auth/tickets", headers=headers)).text for _ in range(2)}
    assert (len(tickets), await count(control, "idempotency_keys")) == (2, 0)


async def test_a_body_that_is_too_long_is_refused_here_too(control: Control) -> None:
    headers = {**ADMIN, "Idempotency-Key": "one"}
    answer = await control.client.post(AGENTS, content=b" " * (2**20 + 1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_request_that_comes_while_the_first_goes_on_is_told_to_wait(control: Control) -> None:
    async with shop(control) as (orders, client), asyncio.TaskGroup() as group:
        first = group.create_task(ordered(client))
        await orders.going.wait()
        assert await ordered(client) == (409, "request_in_progress")
        orders.may_end.set()
        assert await first == (201, "1")
        assert await ordered(client) == (201, "1")
    assert orders.taken == 1


async def test_many_at_the_same_moment_have_one_effect(control: Control) -> None:
    answers = await asyncio.gather(*(made(control, "one") for _ in range(20)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await count(control) == 1


async def test_a_request_whose_process_died_is_not_done_again(control: Control) -> None:
    async with shop(control) as (orders, client):
        first = asyncio.ensure_future(ordered(client))
        await orders.going.wait()
        first.cancel()
        await asyncio.wait([first])
        assert await ordered(client) == (409, "request_in_progress")
        control.now += 60
        orders.may_end.set()
        assert await ordered(client) == (409, "outcome_unknown")
        assert orders.taken == 1
        assert await ordered(client, "two") == (201, "2")


@pytest.mark.parametrize(
    ("error", "first", "then"),
    [
        (RuntimeError("a fault of ours"), (500, "internal_error"), (409, "outcome_unknown")),
        (StoreUnavailable("gone in a commit"), (503, "store_unavailable"), (409, "outcome_unknown")),
        (ApiError(503, "busy", "refused before anything was done"), (503, "busy"), (201, "2")),
        (ApiError(409, "taken", "refused before anything was done"), (409, "taken"), (201, "2")),
    ],
)
async def test_what_failed_is_done_again_if_it_surely_had_no_effect(
    control: Control, error: Exception, first: tuple[int, str], then: tuple[int, str]
) -> None:
    async with shop(control) as (orders, client):
        orders.may_end.set()
        orders.fails = error
        assert await ordered(client) == first
        orders.fails = None
        assert await ordered(client) == then


async def test_an_answer_that_no_longer_opens_is_an_outcome_that_nobody_knows(control: Control) -> None:
    await made(control, "one")
    async with control.database.connection() as connection:
        await connection.execute("UPDATE idempotency_keys SET answer = set_byte(answer, 20, get_byte(answer, 20) # 1)")
    control.now += 60
    answer = await made(control, "one")
    assert (answer.status_code, answer.json()["code"]) == (409, "outcome_unknown")


async def test_whoever_lost_a_permission_is_not_given_what_they_were_once_told(control: Control) -> None:
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT)
    first = await made(control, "one", headers=await control.bearer("anna@example.org"))
    assert first.status_code == 201
    async with control.database.connection() as connection:
        await connection.execute("UPDATE memberships SET role = 'support' WHERE user_id = $1", user)
    again = await made(control, "one", headers=await control.bearer("anna@example.org"))
    assert (again.status_code, again.json()["code"]) == (403, "forbidden")


async def test_the_machine_s_operator_alone_is_told_again_what_is_for_them_alone(control: Control) -> None:
    admin = {"email": "anna@example.org", "name": "Anna", "password": "correct horse battery"}
    headers = {**ADMIN, "Idempotency-Key": "one"}
    answers = [
        await control.client.post("/api/v1/accounts", json={"name": "Other", "admin": admin}, headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


async def test_an_answer_that_shows_a_secret_once_is_not_kept(control: Control) -> None:
    asked = {"name": "report", "permissions": ["calls:read"]}
    headers = {**ADMIN, "Idempotency-Key": "one"}
    first, again = [await control.client.post("/api/v1/keys", json=asked, headers=headers) for _ in range(2)]
    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "answer_not_kept")
    assert await count(control, "api_keys") == 1
    async with control.database.connection() as connection:
        kept = await connection.fetchval("SELECT length(answer) FROM idempotency_keys")
    assert kept < len(first.content)
