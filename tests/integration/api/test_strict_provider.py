"""Signing in at npm's oidc-provider, which does what the standards say and nothing else."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from orchestrator.access.oidc.addresses import Targets
from orchestrator.control_plane import ControlSettings
from orchestrator.store.db import Database
from tests.integration.api.conftest import CHEAP, TRIES, Control, controlled
from tests.integration.api.test_single_sign_on import ADMIN, Desk, code, desk, query, users
from tests.integration.identity_provider.browser import Browser
from tests.integration.identity_provider.process import Terms, client, identity_provider

BASIC, POST = "client_secret_basic", "client_secret_post"
# Each of these means something in a form, in HTTP Basic or in a percent code.
NAME, SECRET = "off:hook%2B", "s3cret:+&=%41 /~"
PEOPLE = {
    "anna": {"email": "anna@example.org", "email_verified": True, "name": "Anna"},
    "eve": {"email": "eve@example.org", "email_verified": False, "name": "Eve"},
    "mute": {"name": "Mute"},
}
TERMS = Terms([client(NAME, SECRET, BASIC)], PEOPLE)


@pytest_asyncio.fixture
async def control(database: Database) -> AsyncIterator[Control]:
    settings = ControlSettings(TRIES, CHEAP, targets=Targets("http://offhook"), loopback_providers=True)
    async with controlled(database, settings) as running:
        running.now = time.time()
        yield running


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[str]:
    async with identity_provider(TERMS) as running:
        yield running


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with Browser() as opened:
        yield opened


async def own_desk(control: Control, issuer: str, **terms: Any) -> Desk:
    return await desk(control, issuer, **{"client_id": NAME, "client_secret": SECRET, **terms})


async def left(at: Desk) -> str:
    return (await at.start()).headers["location"]


async def sign_in(at: Desk, browser: Browser, person: str = "anna") -> httpx.Response:
    return await at.redeem((await at.back(await browser.visit(await left(at), person)))["code"])


@pytest.mark.parametrize("method", [BASIC, POST])
async def test_somebody_signs_in_and_consents_and_is_a_user(control: Control, browser: Browser, method: str) -> None:
    terms = replace(TERMS, clients=[client(NAME, SECRET, method)], methods=[method])
    async with identity_provider(terms) as issuer:
        at = await own_desk(control, issuer)
        tokens = await sign_in(at, browser)
        assert tokens.status_code == 200, tokens.text
        assert browser.filled == ["login", "consent"]
        assert await users(control) == [("anna@example.org", "client")]
        assert (await sign_in(at, browser)).status_code == 200
        assert browser.filled == ["login", "consent"], "who is signed in there is asked nothing again"
    assert len(await users(control)) == 1


async def test_the_provider_insists_on_a_challenge(control: Control, issuer: str, browser: Browser) -> None:
    address = httpx.URL(await left(await own_desk(control, issuer)))
    bare = address.copy_with(
        params={name: value for name, value in address.params.items() if not name.startswith("code_challenge")}
    )
    assert query(await browser.visit(str(bare), "anna"))["error"] == "invalid_request"


async def test_an_address_that_is_not_verified_there_lets_nobody_in(
    control: Control, issuer: str, browser: Browser
) -> None:
    at = await own_desk(control, issuer)
    assert code(await sign_in(at, browser, "eve")) == (403, "email_unverified")
    async with Browser() as other:
        assert code(await sign_in(at, other, "mute")) == (403, "email_unverified")
    assert await users(control) == []


@pytest.mark.parametrize("prompt", ["login", "consent"])
async def test_whoever_says_no_comes_back_with_an_error(
    control: Control, issuer: str, browser: Browser, prompt: str
) -> None:
    at = await own_desk(control, issuer)
    refused = await browser.visit(await left(at), "anna", refuses=prompt)
    assert query(refused)["error"] == "access_denied"
    assert await at.back(refused) == {"error": "provider_refused"}
    assert await users(control) == []


async def test_a_wrong_secret_gets_no_token_until_it_is_put_right(
    control: Control, issuer: str, browser: Browser
) -> None:
    at = await own_desk(control, issuer, client_secret="another")
    assert await at.back(await browser.visit(await left(at), "anna")) == {"error": "bad_provider_answer"}
    where = f"/api/v1/identity-providers/{at.provider}"
    terms = {
        "name": "work", "client_id": NAME, "client_secret": SECRET, "domains": ["example.org"], "role": "client",
    }  # fmt: skip
    assert (await control.client.put(where, json=terms, headers=ADMIN)).status_code == 200
    assert (await sign_in(at, browser)).status_code == 200


async def test_a_code_for_another_client_or_another_sign_in_is_worth_nothing(
    control: Control, browser: Browser
) -> None:
    terms = replace(TERMS, clients=[client(NAME, SECRET, BASIC), client("other", SECRET, BASIC)])
    async with identity_provider(terms) as issuer:
        at, other = await own_desk(control, issuer), await own_desk(control, issuer, client_id="other")
        for foreign in (other, at):
            caught = query(await browser.visit(await left(foreign), "anna"))["code"]
            mine = httpx.URL(await browser.visit(await left(at), "anna"))
            assert await at.back(str(mine.copy_set_param("code", caught))) == {"error": "bad_provider_answer"}
    assert await users(control) == []


async def test_keys_that_are_changed_at_the_provider_are_asked_for_anew(control: Control, browser: Browser) -> None:
    async with identity_provider(TERMS) as issuer:
        at = await own_desk(control, issuer)
        assert (await sign_in(at, browser)).status_code == 200
    terms = replace(TERMS, kid="two", port=urlsplit(issuer).port or 0)
    async with identity_provider(terms), Browser() as later:
        early = await at.back(await later.visit(await left(at), "anna"))
        assert early == {"error": "bad_id_token"}, "keys are asked for once a minute at most"
        control.now += 61
        assert (await sign_in(at, later)).status_code == 200


async def test_a_key_that_takes_the_name_of_another_is_not_believed_before_its_time(
    control: Control, browser: Browser
) -> None:
    async with identity_provider(TERMS) as issuer:
        at = await own_desk(control, issuer)
        assert (await sign_in(at, browser)).status_code == 200
    async with identity_provider(replace(TERMS, port=urlsplit(issuer).port or 0)), Browser() as later:
        assert await at.back(await later.visit(await left(at), "anna")) == {"error": "bad_id_token"}
        control.now += 3601
        assert (await sign_in(at, later)).status_code == 200


async def test_a_token_that_has_expired_is_not_believed(control: Control, browser: Browser) -> None:
    async with identity_provider(replace(TERMS, token_seconds=1)) as issuer:
        at = await own_desk(control, issuer)
        assert (await sign_in(at, browser)).status_code == 200
        address = await browser.visit(await left(at), "anna")
        control.now += 300
        assert await at.back(address) == {"error": "bad_id_token"}


async def test_a_provider_that_is_gone_when_somebody_comes_back_is_told_as_such(
    control: Control, browser: Browser
) -> None:
    async with identity_provider(TERMS) as issuer:
        at = await own_desk(control, issuer)
        address = await browser.visit(await left(at), "anna")
    assert await at.back(address) == {"error": "provider_unreachable"}
