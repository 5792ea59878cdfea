"""Signing in at an identity provider: a real one over its own HTTP, and one that lies."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from oidc_provider_mock import User, run_server_in_thread
from starlette.responses import JSONResponse, RedirectResponse, Response

from orchestrator.access.oidc.addresses import Targets
from orchestrator.control_plane import ControlSettings
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from tests.integration.api.conftest import CHEAP, OPERATOR, TRIES, Control, controlled
from tests.integration.api.lying_provider import CLIENT, LyingProvider
from tests.integration.api.serving import served

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
VERIFIER = "v" * 43
DESK = "https://desk.example.org"
SECRET = "client-secret-of-the-tests"
PEOPLE = (
    User(sub="anna", claims={"email": "Anna@Example.org", "email_verified": True, "name": "Anna"}),
    User(sub="eve", claims={"email": "eve@example.org", "email_verified": False}),
    User(sub="mallory", claims={"email": "mallory@evil.example", "email_verified": True}),
)


@pytest_asyncio.fixture
async def control(database: Database) -> AsyncIterator[Control]:
    targets = Targets("http://offhook", (DESK,))
    settings = ControlSettings(TRIES, CHEAP, targets=targets, loopback_providers=True)
    async with controlled(database, settings) as running:
        running.now = time.time()
        yield running


@pytest.fixture
def issuer() -> Iterator[str]:
    with run_server_in_thread(require_nonce=True, user_claims=PEOPLE) as server:
        yield f"http://localhost:{server.server_port}"


@pytest_asyncio.fixture
async def liar() -> AsyncIterator[LyingProvider]:
    provider = LyingProvider()
    async with served(provider.app()) as url:
        provider.url = url
        yield provider


@dataclass
class Desk:
    """What a browser does that signs in by one provider."""

    control: Control
    provider: str

    async def start(self, redirect: str = "/console", verifier: str = VERIFIER) -> httpx.Response:
        params = {"redirect": redirect, "challenge": create_s256_code_challenge(verifier)}
        return await self.control.client.get(f"/api/v1/auth/oidc/{self.provider}/start", params=params)

    async def at_provider(self, person: str) -> str:
        """Where the real provider sends *person* back to."""
        address = (await self.start()).headers["location"]
        async with httpx.AsyncClient() as browser:
            answer = await browser.post(address, data={"sub": person})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def back(self, address: str) -> dict[str, str]:
        """What the page is told that the browser goes on to."""
        answer = await self.control.client.get(address)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith("http://offhook/console?")
        return query(answer.headers["location"])

    async def redeem(self, code: str, verifier: str = VERIFIER) -> httpx.Response:
        asked = {"code": code, "verifier": verifier}
        return await self.control.client.post("/api/v1/auth/oidc/token", json=asked)

    async def sign_in(self, person: str) -> httpx.Response:
        return await self.redeem((await self.back(await self.at_provider(person)))["code"])

    async def lied_to(self, liar: LyingProvider, **params: str) -> dict[str, str]:
        """What the page is told after a visit to *liar*."""
        left = query((await self.start()).headers["location"])
        liar.nonce = left["nonce"]
        answer = await self.control.client.get(
            "/api/v1/auth/oidc/callback", params={"state": left["state"], "code": "x", **params}
        )
        return query(answer.headers["location"])


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["code"])


async def desk(control: Control, issuer: str, headers: dict[str, str] = ADMIN, **terms: Any) -> Desk:
    asked = {
        "name": "work", "issuer": issuer, "client_id": CLIENT, "client_secret": SECRET, "domains": ["Example.ORG"],
        "role": "client", **terms,
    }  # fmt: skip
    made = await control.client.post("/api/v1/identity-providers", json=asked, headers=headers)
    assert made.status_code == 201, made.text
    assert SECRET not in made.text
    return Desk(control, made.json()["id"])


async def users(control: Control) -> list[tuple[str, str]]:
    return [(one["email"], one["role"]) for one in (await control.client.get("/api/v1/users", headers=ADMIN)).json()]


async def test_whoever_signs_in_at_the_provider_becomes_a_user_with_tokens(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    tokens = await browser.sign_in("anna")
    assert tokens.status_code == 200, tokens.text
    me = await control.client.get(
        "/api/v1/auth/me", headers={"Authorization": f"Bearer {tokens.json()['access_token']}"}
    )
    assert (me.json()["account"], me.json()["role"]) == (str(DEFAULT_ACCOUNT), "client")
    assert (await control.refresh(tokens.json()["refresh_token"])).status_code == 200
    assert (await browser.sign_in("anna")).status_code == 200
    assert await users(control) == [("Anna@Example.org", "client")], "the same person is the same user"
    log = (await control.client.get("/api/v1/audit", headers=ADMIN)).json()["items"]
    assert (log[0]["action"], log[0]["actor"]) == ("sign_in_by_code", me.json()["user"])


async def test_the_browser_is_sent_with_state_nonce_and_a_challenge(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    first, second = [query((await browser.start()).headers["location"]) for _ in range(2)]
    assert first["redirect_uri"] == "http://offhook/api/v1/auth/oidc/callback"
    assert (first["response_type"], first["code_challenge_method"]) == ("code", "S256")
    for random in ("state", "nonce", "code_challenge"):
        assert first[random] != second[random]


async def test_a_state_that_comes_again_or_too_late_or_from_nowhere_is_refused(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    address = await browser.at_provider("anna")
    await browser.back(address)
    assert code(await control.client.get(address)) == (400, "bad_state")
    late = await browser.at_provider("anna")
    control.now += 601
    assert code(await control.client.get(late)) == (400, "bad_state")
    assert code(await control.client.get("/api/v1/auth/oidc/callback?state=x&code=y")) == (400, "bad_state")


async def test_a_code_is_good_once_for_a_minute_and_for_whoever_began(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    once = (await browser.back(await browser.at_provider("anna")))["code"]
    assert (await browser.redeem(once)).status_code == 200
    assert code(await browser.redeem(once)) == (401, "bad_code")
    stolen = (await browser.back(await browser.at_provider("anna")))["code"]
    assert code(await browser.redeem(stolen, "w" * 43)) == (401, "bad_code")
    late = (await browser.back(await browser.at_provider("anna")))["code"]
    control.now += 61
    assert code(await browser.redeem(late)) == (401, "bad_code")


async def test_unverified_and_foreign_addresses_are_refused_and_nobody_is_added(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    assert code(await browser.sign_in("eve")) == (403, "email_unverified")
    assert code(await browser.sign_in("mallory")) == (403, "email_not_allowed")
    assert await users(control) == []


async def test_an_address_that_a_user_has_is_taken_until_an_admin_links_them(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    user = await control.user("anna@example.org", DEFAULT_ACCOUNT, "support")
    assert code(await browser.sign_in("anna")) == (409, "email_taken")
    link = f"/api/v1/identity-providers/{browser.provider}/users/{user}"
    assert (await control.client.put(link, headers=ADMIN)).status_code == 204
    token = (await browser.sign_in("anna")).json()["access_token"]
    assert (control.tokens.read(token).user, control.tokens.read(token).role.value) == (user, "support")
    assert (await control.client.delete(link, headers=ADMIN)).status_code == 204
    assert code(await browser.sign_in("anna")) == (409, "email_taken")


async def test_a_user_who_is_disabled_or_no_longer_in_the_account_stays_out(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    await browser.sign_in("anna")
    async with control.database.connection() as connection:
        await connection.execute("UPDATE users SET disabled_at = now()")
    assert code(await browser.sign_in("anna")) == (403, "user_disabled")
    async with control.database.connection() as connection:
        await connection.execute("DELETE FROM memberships")
    assert code(await browser.sign_in("anna")) == (409, "email_taken")


async def test_two_windows_at_once_make_one_user(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    codes = [(await browser.back(await browser.at_provider("anna")))["code"] for _ in range(4)]
    answers = await asyncio.gather(*(browser.redeem(one) for one in codes))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len(await users(control)) == 1


async def test_another_account_s_provider_lets_nobody_into_this_one(control: Control, issuer: str) -> None:
    other = await control.account("other")
    await control.user("chief@other.example", other)
    theirs = await control.bearer("chief@other.example")
    mine = await desk(control, issuer)
    await mine.sign_in("anna")
    foreign = await desk(control, issuer, theirs, role="admin")
    assert code(await foreign.sign_in("anna")) == (409, "email_taken")
    anna = (await control.client.get("/api/v1/users", headers=ADMIN)).json()[0]["id"]
    linked = await control.client.put(f"/api/v1/identity-providers/{foreign.provider}/users/{anna}", headers=theirs)
    assert linked.status_code == 404
    changed = await control.client.put(
        f"/api/v1/identity-providers/{mine.provider}", json={"name": "x", "client_id": "x"}, headers=theirs
    )
    assert changed.status_code == 404


async def test_a_provider_that_was_switched_off_or_removed_ends_what_is_under_way(
    control: Control, issuer: str
) -> None:
    browser = await desk(control, issuer)
    address, brought = await browser.at_provider("anna"), await browser.back(await browser.at_provider("anna"))
    where, off = f"/api/v1/identity-providers/{browser.provider}", {"name": "x", "client_id": CLIENT, "enabled": False}
    assert (await control.client.put(where, json=off, headers=ADMIN)).json()["enabled"] is False
    assert code(await browser.start()) == (404, "provider_not_found")
    assert await browser.back(address) == {"error": "provider_not_found"}
    assert code(await browser.redeem(brought["code"])) == (404, "provider_not_found")
    assert (await control.client.delete(where, headers=ADMIN)).status_code == 204
    assert (await control.client.get("/api/v1/identity-providers", headers=ADMIN)).json()["items"] == []


ELSEWHERE: tuple[Any, ...] = (
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "http://offhook.evil.example/",
    "http://offhook@evil.example/", "https://desk.example.org.evil.example/", "http://desk.example.org/",
    "javascript:alert(1)", "@evil.example", "/a\tb", "/%0d%0a#x", "", "https://desk.example.org@evil.example",
)  # fmt: skip


async def test_a_browser_is_sent_on_to_nobody_else(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    for target in ELSEWHERE:
        assert code(await browser.start(target)) == (422, "bad_redirect"), target
    assert (await browser.start(f"{DESK}/signed-in?x=1")).status_code == 303


async def test_whoever_is_not_let_in_there_comes_back_with_an_error(control: Control, issuer: str) -> None:
    browser = await desk(control, issuer)
    address = (await browser.start()).headers["location"]
    async with httpx.AsyncClient() as client:
        answer = await client.post(address, data={"action": "deny"})
    state = query(address)["state"]
    refused = query(answer.headers["location"]) | {"state": state}
    told = await control.client.get("/api/v1/auth/oidc/callback", params=refused)
    assert query(told.headers["location"]) == {"error": "provider_refused"}


async def test_the_liar_is_believed_when_it_tells_the_truth(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url)
    assert (await browser.redeem((await browser.lied_to(liar))["code"])).status_code == 200
    form = liar.forms[0]
    assert form["grant_type"] == "authorization_code"
    assert len(form["code_verifier"]) >= 43


WRONG: tuple[Any, ...] = (
    {"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"aud": None}, {"aud": [CLIENT, "another"]},
    {"aud": [CLIENT, "another"], "azp": "another"}, {"azp": "another"}, {"iss": "https://evil.example"},
    {"iss": None}, {"exp": 1}, {"exp": None}, {"exp": "soon"}, {"iat": 9_999_999_999}, {"nbf": 9_999_999_999},
    {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256}, {"sub": "a\0b"}, {"sub": "\ud800"},
    {"at_hash": "another"},
)  # fmt: skip


async def test_a_token_that_says_something_wrong_is_not_believed(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url)
    for claims in WRONG:
        liar.claims = claims
        assert await browser.lied_to(liar) == {"error": "bad_id_token"}, claims
    assert await users(control) == []


def _base64(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


async def test_a_token_that_the_provider_did_not_sign_is_not_believed(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url)
    public = liar.key.as_pem(private=False)
    other = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    unknown = RSAKey.generate_key(2048, {"kid": "two"}, private=True)

    def tampered(claims: dict[str, Any]) -> str:
        header, _, signature = jwt.encode({"alg": "RS256", "kid": "one"}, claims, liar.key).split(".")
        return f"{header}.{_base64(claims | {'sub': 'somebody-else'})}.{signature}"

    def by_public_key(claims: dict[str, Any]) -> str:
        signed = f"{_base64({'alg': 'HS256', 'kid': 'one'})}.{_base64(claims)}"
        signature = hmac.digest(public, signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    forgeries = {
        "tampered": tampered,
        "none": lambda claims: f"{_base64({'alg': 'none'})}.{_base64(claims)}.",
        "None": lambda claims: f"{_base64({'alg': 'None', 'kid': 'one'})}.{_base64(claims)}.",
        "other": lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, other),
        "unknown": lambda claims: jwt.encode({"alg": "RS256", "kid": "two"}, claims, unknown),
        "secret": lambda claims: jwt.encode(
            {"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(SECRET.ljust(32, "x"))
        ),
        "public key": by_public_key,
        "garbage": lambda claims: "a.b.c",
        "empty": lambda claims: "",
        "long": lambda claims: "x" * 20_000,
        "list": lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, liar.key).replace(".", "..", 1),
    }
    for name, forged in forgeries.items():
        liar.signed = forged
        assert await browser.lied_to(liar) == {"error": "bad_id_token"}, name
    liar.signed = None
    assert "code" in await browser.lied_to(liar)


async def test_a_symmetric_key_among_the_provider_s_is_never_used(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url)
    shared = OctKey.generate_key(256, {"kid": "shared"})
    liar.keys = [shared.as_dict(private=True)]
    liar.signed = lambda claims: jwt.encode({"alg": "HS256", "kid": "shared"}, claims, shared)
    assert await browser.lied_to(liar) == {"error": "bad_id_token"}


async def test_a_provider_may_change_its_keys(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url)
    assert "code" in await browser.lied_to(liar)
    liar.key = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
    assert await browser.lied_to(liar) == {"error": "bad_id_token"}, "keys are asked for once a minute at most"
    control.now += 61
    assert "code" in await browser.lied_to(liar)


BARE = {"email": None, "email_verified": None, "name": None}
AT_USERINFO = {"sub": "anna-at-work", "email": "anna@example.org", "email_verified": True, "name": "Anna of userinfo"}


async def test_a_provider_is_asked_for_what_its_token_does_not_say(control: Control, liar: LyingProvider) -> None:
    liar.claims, liar.people = BARE, AT_USERINFO
    browser = await desk(control, liar.url)
    assert (await browser.redeem((await browser.lied_to(liar))["code"])).status_code == 200
    assert liar.shown == ["Bearer x"]
    listed = (await control.client.get("/api/v1/users", headers=ADMIN)).json()
    assert [(one["email"], one["name"]) for one in listed] == [("anna@example.org", "Anna of userinfo")]
    liar.claims = {}
    assert "code" in await browser.lied_to(liar)
    assert liar.shown == ["Bearer x"], "a token that says all of it is enough"


async def test_who_is_told_of_must_be_who_the_token_is_for(control: Control, liar: LyingProvider) -> None:
    liar.claims = BARE
    browser = await desk(control, liar.url)
    for subject in ("somebody-else", None, 7, ""):
        liar.people = AT_USERINFO | {"sub": subject}
        assert await browser.lied_to(liar) == {"error": "bad_provider_answer"}, subject
    assert await users(control) == []


async def test_an_address_of_the_token_is_not_verified_by_what_is_said_of_another(
    control: Control, liar: LyingProvider
) -> None:
    liar.claims, liar.people = {"email_verified": None}, {"sub": "anna-at-work", "email_verified": True}
    browser = await desk(control, liar.url)
    assert code(await browser.redeem((await browser.lied_to(liar))["code"])) == (403, "email_unverified")
    liar.people = AT_USERINFO | {"email": "other@example.org"}
    assert (await browser.redeem((await browser.lied_to(liar))["code"])).status_code == 200
    assert await users(control) == [("other@example.org", "client")]


async def test_an_access_token_is_shown_to_the_provider_alone(control: Control, liar: LyingProvider) -> None:
    liar.claims, liar.people = BARE, AT_USERINFO
    liar.told = {"userinfo_endpoint": liar.url.replace("127.0.0.1", "localhost") + "/userinfo"}
    browser = await desk(control, liar.url)
    assert code(await browser.redeem((await browser.lied_to(liar))["code"])) == (403, "email_unverified")
    assert liar.shown == []


async def test_an_access_token_that_is_no_header_is_shown_to_nobody(control: Control, liar: LyingProvider) -> None:
    liar.claims, liar.people = BARE, AT_USERINFO
    browser = await desk(control, liar.url)
    for token in ("x\r\nX-Other: y", "\u00fc", "two words", "x" * 9000):
        liar.access_token = token
        assert await browser.lied_to(liar) == {"error": "bad_provider_answer"}, token[:20]
    assert liar.shown == []


USELESS: tuple[Any, ...] = (
    Response("x" * 300_000), Response("<html>"), JSONResponse([]), JSONResponse({}, 500), Response("[" * 100_000),
    JSONResponse({"error": "invalid_grant", "error_description": "SECRET"}, 400), RedirectResponse("/elsewhere"),
)  # fmt: skip


async def test_an_answer_of_no_use_is_told_as_such(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url)
    for answer in USELESS:
        liar.answers = partial(lambda one: one, answer)
        assert await browser.lied_to(liar) == {"error": "bad_provider_answer"}, answer.body[:80]


MISLEADING: tuple[Any, ...] = (
    {"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": "https://evil.example/token"},
    {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": "http://169.254.169.254/latest"},
    {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": 7}, {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "https://evil.example/"}, {"token_endpoint": "http://127.0.0.1:1/token"},
)  # fmt: skip


async def test_a_provider_leads_to_nobody_but_itself(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url)
    for told in MISLEADING:
        liar.told = told
        assert code(await browser.start()) == (502, "bad_provider_answer"), told


async def test_an_admin_may_name_further_hosts_of_a_provider(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url, hosts=["accounts.example.org"])
    liar.told = {"authorization_endpoint": "https://accounts.example.org/authorize?tenant=1"}
    assert (await browser.start()).headers["location"].startswith("https://accounts.example.org/authorize?tenant=1&")


async def test_a_provider_that_is_away_is_told_as_such(control: Control, liar: LyingProvider) -> None:
    gone = await desk(control, "http://127.0.0.1:9")
    assert code(await gone.start()) == (502, "provider_unreachable")


async def test_an_answer_of_another_provider_is_refused(control: Control, liar: LyingProvider) -> None:
    browser = await desk(control, liar.url)
    assert await browser.lied_to(liar, iss="https://evil.example") == {"error": "bad_id_token"}
    assert "code" in await browser.lied_to(liar, iss=liar.url)


NO_ISSUERS = [
    "http://login.example.org",
    "https://a:b@login.example.org",
    "https://login.example.org/?x",
    "https://x/#y",
    "https://:1",
]


async def test_an_issuer_is_an_https_address(control: Control) -> None:
    for issuer in NO_ISSUERS:
        asked = {"name": "x", "client_id": "x", "issuer": issuer}
        refused = await control.client.post("/api/v1/identity-providers", json=asked, headers=ADMIN)
        assert code(refused) == (422, "bad_issuer"), issuer


async def test_a_copy_of_the_database_tells_no_secret(
    control: Control, liar: LyingProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = await desk(control, liar.url)
    await browser.start()
    brought = await browser.lied_to(liar)
    async with control.database.connection() as connection:
        rows = [
            str(row[0])
            for table in ("identity_providers", "oidc_flows", "sign_in_codes")
            for row in await connection.fetch(f"SELECT {table}::text FROM {table}")
        ]
    assert len(rows) == 3
    everything = "".join(rows)
    for secret in (SECRET, brought["code"], liar.nonce, "anna@example.org"):
        assert secret not in everything
        assert secret.encode().hex() not in everything
    listed = await control.client.get("/api/v1/identity-providers", headers=ADMIN)
    assert SECRET not in listed.text
    assert SECRET not in "".join(capsys.readouterr())


async def test_a_secret_stays_unless_another_is_given(control: Control, liar: LyingProvider) -> None:
    liar.told = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    browser = await desk(control, liar.url)
    where, terms = f"/api/v1/identity-providers/{browser.provider}", {"name": "x", "client_id": CLIENT}
    await control.client.put(where, json=terms, headers=ADMIN)
    await browser.lied_to(liar)
    await control.client.put(where, json={**terms, "client_secret": "another"}, headers=ADMIN)
    await browser.lied_to(liar)
    assert [form["client_secret"] for form in liar.forms] == [SECRET, "another"]


async def test_nobody_begins_at_a_provider_that_is_not_there(control: Control) -> None:
    assert code(await Desk(control, str(uuid4())).start()) == (404, "provider_not_found")
