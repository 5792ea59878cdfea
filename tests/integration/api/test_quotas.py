"""Who asks too often is told so, with what is left and when to come back; others are not made to wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from orchestrator.access.quotas import Rates
from orchestrator.control_plane import ControlSettings
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from tests.integration.api.conftest import CHEAP, OPERATOR, TRIES, Control, controlled

FEW = Rates(asker=3, account=5)
CALLS = "/api/v1/calls"


@pytest_asyncio.fixture
async def few(database: Database) -> AsyncIterator[Control]:
    """An API of which one may ask little."""
    async with controlled(database, ControlSettings(TRIES, CHEAP, FEW)) as running:
        yield running


async def asked(control: Control, headers: dict[str, str], times: int) -> list[httpx.Response]:
    return [await control.client.get(CALLS, headers=headers) for _ in range(times)]


async def test_a_user_is_told_what_is_left_and_when_to_come_back(few: Control) -> None:
    await few.user("anna@example.org", DEFAULT_ACCOUNT)
    anna = await few.bearer("anna@example.org")
    answers = await asked(few, anna, 4)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    told = [(answer.headers["RateLimit-Policy"], answer.headers["RateLimit"]) for answer in answers]
    assert told == [
        ('"asker";q=3;w=60', f'"asker";r={left};t={full}') for left, full in ((2, 20), (1, 40), (0, 60), (0, 60))
    ]
    assert (answers[-1].json()["code"], answers[-1].headers["Retry-After"]) == ("too_many_requests", "20")
    few.now += 20
    assert [answer.status_code for answer in await asked(few, anna, 2)] == [200, 429]


async def test_a_key_counts_for_itself_and_the_account_for_all(few: Control) -> None:
    await few.user("anna@example.org", DEFAULT_ACCOUNT)
    anna = await few.bearer("anna@example.org")
    operator = {"Authorization": f"Bearer {OPERATOR}"}
    made = await few.client.post(
        "/api/v1/keys", json={"name": "report", "permissions": ["calls:read"]}, headers=operator
    )
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    assert [answer.status_code for answer in await asked(few, anna, 3)] == [200] * 3
    first, second, third = await asked(few, key, 3)
    assert (first.status_code, first.headers["RateLimit"]) == (200, '"account";r=1;t=48')
    assert (second.status_code, third.status_code) == (200, 429)
    assert third.headers["RateLimit-Policy"] == '"account";q=5;w=60'
    assert [answer.status_code for answer in await asked(few, operator, 5)] == [200] * 5


async def test_another_account_does_not_wait(few: Control) -> None:
    await few.user("anna@example.org", DEFAULT_ACCOUNT)
    await few.user("bob@example.org", await few.account("other"))
    await asked(few, await few.bearer("anna@example.org"), 5)
    assert [answer.status_code for answer in await asked(few, await few.bearer("bob@example.org"), 3)] == [200] * 3


async def test_a_refused_request_does_nothing(few: Control) -> None:
    await few.user("anna@example.org", DEFAULT_ACCOUNT)
    anna = await few.bearer("anna@example.org")
    await asked(few, anna, 3)
    refused = await few.client.post("/api/v1/keys", json={"name": "one", "permissions": []}, headers=anna)
    assert refused.status_code == 429
    async with few.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM api_keys") == 0


@pytest_asyncio.fixture
async def wary(database: Database) -> AsyncIterator[Control]:
    """An API that looks up three bad keys, tickets or refresh tokens of an address a minute."""
    async with controlled(database, ControlSettings(TRIES, CHEAP, failures=3)) as running:
        yield running


def key(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def made(control: Control) -> dict[str, str]:
    body = {"name": "report", "permissions": ["calls:read"]}
    answer = await control.client.post("/api/v1/keys", json=body, headers=key(OPERATOR))
    return key(answer.json()["key"])


async def test_whoever_guesses_keys_waits_and_keeps_nobody_out_whose_key_is_good(wary: Control) -> None:
    good, unseen = await made(wary), await made(wary)
    assert (await asked(wary, good, 1))[0].status_code == 200
    guesses = [await wary.client.get(CALLS, headers=key(f"ofk_{number}")) for number in range(4)]
    assert [answer.status_code for answer in guesses] == [401, 401, 401, 429]
    assert (guesses[-1].json()["code"], guesses[-1].headers["Retry-After"]) == ("too_many_tries", "20")
    wary.now += 2  # longer than a key is believed
    assert [answer.status_code for answer in await asked(wary, good, 2)] == [200, 200]
    assert (await asked(wary, unseen, 1))[0].status_code == 429
    wary.now += 18
    assert (await asked(wary, unseen, 1))[0].status_code == 200


async def test_one_bad_key_that_comes_again_and_again_is_one_failure(wary: Control) -> None:
    answers = [await wary.client.get(CALLS, headers=key("ofk_old")) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {401}
    assert (await asked(wary, await made(wary), 1))[0].status_code == 200


async def test_whoever_guesses_refresh_tokens_waits(wary: Control) -> None:
    await wary.user("anna@example.org", DEFAULT_ACCOUNT)
    mine = (await wary.sign_in("anna@example.org")).json()["refresh_token"]
    assert [(await wary.refresh(str(number))).status_code for number in range(4)] == [401, 401, 401, 429]
    assert (await wary.refresh(mine)).status_code == 429
    wary.now += 20
    mine = (await wary.refresh(mine)).json()["refresh_token"]
    assert [(await wary.refresh(str(number))).status_code for number in range(2)] == [401, 429]


async def test_whoever_guesses_while_signing_out_waits_as_well(wary: Control) -> None:
    async def out(token: str) -> int:
        return (await wary.client.post("/api/v1/auth/logout", json={"refresh_token": token})).status_code

    await wary.user("anna@example.org", DEFAULT_ACCOUNT)
    mine = [(await wary.sign_in("anna@example.org")).json()["refresh_token"] for _ in range(4)]
    assert [await out(token) for token in mine] == [204] * 4
    assert [await out(str(number)) for number in range(4)] == [204, 204, 204, 429]
