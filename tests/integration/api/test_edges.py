"""What holds for every request: how long it may be, how errors look, and what browsers are told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from orchestrator.api.application import application
from orchestrator.openapi import DOCUMENT, document
from tests.integration.api.conftest import OPERATOR, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
LOGIN = "/api/v1/auth/login"


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_a_body_that_is_too_long_is_refused_however_it_comes(control: Control) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    json = {"Content-Type": "application/json"}
    assert code(await control.client.post(LOGIN, content=b" " * (2**20 + 1), headers=json)) == (413, "too_large")
    assert code(await control.client.post(LOGIN, content=pieces(), headers=json)) == (413, "too_large")
    assert code(await control.client.post(LOGIN, content=b" " * 2**20, headers=json)) == (422, "invalid_request")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b'{"email": 1}', b"\xff", b'{"a": ' * 5000])
async def test_a_body_that_makes_no_sense_is_refused(control: Control, content: bytes) -> None:
    answer = await control.client.post(LOGIN, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_does_not_say_what_it_is_is_told_how(control: Control) -> None:
    body = b'{"email": "a@b", "password": "x"}'
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = await control.client.post(LOGIN, content=body, headers=headers)
        assert code(answer) == (422, "invalid_request")
        assert "Content-Type: application/json" in answer.json()["detail"]
    answer = await control.client.post(LOGIN, json=[], headers={"Content-Type": "application/json"})
    assert "Content-Type" not in answer.json()["detail"]


async def test_a_parameter_that_nobody_knows_is_named_with_those_that_there_are(control: Control) -> None:
    for path, known in (
        ("/api/v1/contacts?nmae=ann", "after, limit, name, number"),
        ("/api/v1/templates?nmae=ann", "none"),
        ("/api/v1/privacy?nmae=ann&limit=x", "none"),
    ):
        answer = await control.client.get(path, headers=ADMIN)
        assert code(answer) == (422, "invalid_request"), path
        told = answer.json()["detail"]
        assert "query.nmae: there is no such parameter" in told
        assert told.endswith(f"there are {known}")
    assert code(await control.client.get("/api/v1/contacts?nmae=ann")) == (401, "not_signed_in")
    assert (await control.client.get("/api/v1/contacts?name=ann", headers=ADMIN)).status_code == 200


async def test_what_is_not_there_is_a_problem_too(control: Control) -> None:
    assert code(await control.client.get("/api/v1/nothing")) == (404, "not_found")
    answer = await control.client.put("/api/v1/calls", headers=ADMIN)
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"
    answer = await control.client.delete("/api/v1/keys", headers=ADMIN)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    answer = await control.client.get("/api/v1/keys/one", headers=ADMIN)
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE")


async def test_who_is_turned_away_is_told_how_to_come_in(control: Control) -> None:
    assert (await control.client.get("/api/v1/calls")).headers["www-authenticate"] == "Bearer"
    for _ in range(60):
        answer = await control.client.post(LOGIN, json={"email": "a@b", "password": "x"})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_browsers_are_told_to_keep_and_frame_nothing(control: Control) -> None:
    headers = (await control.client.get("/api/v1/calls", headers=ADMIN)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["permissions-policy"].startswith("microphone=(self)")


async def test_a_request_has_an_id_its_own_if_that_can_be_one(control: Control) -> None:
    async def answered(given: str) -> str:
        return (await control.client.get("/api/v1/calls", headers={"X-Request-ID": given})).headers["x-request-id"]

    assert await answered("order-17") == "order-17"
    for bad in ("a b", "x" * 65, '"', ""):
        assert await answered(bad) not in {bad, ""}


async def test_other_sites_may_nothing_unless_they_are_named() -> None:
    asked = {"Origin": "https://desk.example.org", "Access-Control-Request-Method": "GET"}
    for origins, allowed in (((), None), (("https://desk.example.org",), asked["Origin"]), (("https://x.org",), None)):
        transport = httpx.ASGITransport(application((), origins))
        async with httpx.AsyncClient(transport=transport, base_url="http://offhook") as client:
            answer = await client.options("/api/v1/calls", headers=asked)
        assert answer.headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize("nasty", ["'; DROP TABLE calls; --", "1 OR 1=1", "$1", "%00", "../../etc/passwd", "\\", '"'])
async def test_what_looks_like_sql_is_text(control: Control, nasty: str) -> None:
    for path in ("/api/v1/calls/{}", "/api/v1/calls?agent={}", "/api/v1/calls?q={}", "/api/v1/keys?after={}"):
        answer = await control.client.get(path.format(nasty), headers=ADMIN)
        assert answer.status_code in {200, 404, 422}, (path, answer.text)
    assert (await control.client.post(LOGIN, json={"email": f"{nasty}@x", "password": nasty})).status_code in {401, 422}
    assert (await control.client.get("/api/v1/calls", headers={"Authorization": f"Bearer {nasty}"})).status_code == 401


async def test_the_document_is_checked_in() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == await document(), "`make openapi` renews it"
