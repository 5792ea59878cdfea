"""Requests of somebody who means harm: forged tokens, bodies without end, SQL in every text, paths that climb."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import jwt

from orchestrator.access.roles import Role
from orchestrator.access.tokens import ACCESS_SECONDS, AccessTokens, Identity
from orchestrator.api.edge import Edge
from orchestrator.openapi import DOCUMENT
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from tests.integration.api.conftest import OPERATOR, TOKEN_KEY
from tests.integration.api.serving import served
from tests.integration.api.test_every_route import EXAMPLES, World, world  # noqa: F401 - fixture

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
SPECIFICATION: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
BODIES = [
    (method.upper(), path, *operation["requestBody"]["content"])
    for path, operations in SPECIFICATION["paths"].items()
    for method, operation in operations.items()
    if "requestBody" in operation
]
"""What takes a body: method, path and the kind of it."""

INJECTIONS = (
    "' OR '1'='1",
    "'; DROP TABLE calls; --",
    "x') UNION SELECT password_hash FROM users --",
    "$1::int || $$; SELECT pg_sleep(9); $$",
    '"; DELETE FROM agents; \\',
    "%_%",
    "a & b | !(c <-> d):* 'e",
    "\u2019; --\u00a0\u02bc OR 1=1",
)
CLIMBS = (
    "..%2F..%2F..%2Fetc%2Fpasswd",
    "%2e%2e%2fkeys%2fmaster.key",
    "..%5C..%5Cetc%5Cpasswd",
    "%2Fetc%2Fpasswd",
    "....%2F%2Fkeys",
    "%252e%252e%252fkeys",
    "%00",
    "%c0%ae%c0%ae%c0%af",
    "file%3A%2F%2F%2Fetc%2Fpasswd",
)


REFUSALS = {
    (401, "bad_link"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (422, "invalid_request"),
}


def problem(answer: httpx.Response) -> str:
    """The code of a problem that says something, and nothing of what is inside."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["detail"]
    assert not any(word in answer.text.lower() for word in ("traceback", "asyncpg", "syntax error", "relation "))
    code: str = told["code"]
    return code


def parameters(place: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Route and name of each parameter in *place*: path, query or header."""
    for path, operations in SPECIFICATION["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == place:
                    yield (method.upper(), path), parameter["name"]


def forged(tokens: AccessTokens, who: Identity) -> Mapping[str, str]:
    """Tokens that nobody was given, with the code that each is refused with."""
    good = tokens.issue(who)
    header, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    other = base64.urlsafe_b64encode(json.dumps({**claims, "role": "admin"}).encode()).decode().rstrip("=")
    late = AccessTokens(TOKEN_KEY.encode(), lambda: float(claims["iat"] - ACCESS_SECONDS)).issue(who)
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    return {
        f"{header}.{other}.{signature}": "bad_token",
        f"{header}.{body}.{flipped}": "bad_token",
        f"{header}.{body}.": "bad_token",
        jwt.encode({**claims, "role": "admin"}, None, algorithm="none"): "bad_token",
        jwt.encode({**claims, "role": "admin"}, "x" * 32, algorithm="HS256"): "bad_token",
        jwt.encode(claims, TOKEN_KEY + TOKEN_KEY, algorithm="HS512"): "bad_token",
        late: "token_expired",
    }


async def test_forged_and_expired_tokens_open_no_route(world: World) -> None:  # noqa: F811
    control = world.control
    member = await control.user("mallory@example.org", DEFAULT_ACCOUNT, "support")
    session = uuid4()
    tokens = forged(control.tokens, Identity(member, DEFAULT_ACCOUNT, Role.SUPPORT, session))
    before = await world.rows()
    for route, example in EXAMPLES.items():
        method, path = route
        url = path.format(**{name: world.places[place] for name, place in example.places.items()})
        for token, code in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            answer = await control.client.request(method, url, json=example.body, headers=headers)
            assert (answer.status_code, problem(answer)) == (401, code), (route, token)
    assert await world.rows() == before


async def test_no_route_takes_a_body_without_end(world: World) -> None:  # noqa: F811
    control = world.control
    edge = Edge(control.app)
    for method, path, kind in BODIES:
        longest = edge.longer.get(path, edge.longest_body)
        headers = {**ADMIN, "Content-Type": kind, "Content-Length": str(longest + 1)}
        url = f"{bare(path)}?agent_id={world.places['agent']}"
        answer = await control.client.request(method, url, content=b"{}", headers=headers)
        assert (answer.status_code, problem(answer)) == (413, "too_large"), (method, path)
        assert str(longest) in answer.json()["detail"]


async def test_no_route_waits_for_a_body_without_end(world: World) -> None:  # noqa: F811
    async with served(Edge(world.control.app, patience=0.02)) as url:
        for method, path, kind in BODIES:
            for further in ("", f"Idempotency-Key: {uuid4()}\r\n"):
                head = (
                    f"{method} {bare(path)}?agent_id={world.places['agent']} HTTP/1.1\r\nHost: here\r\n"
                    f"Authorization: {ADMIN['Authorization']}\r\nContent-Type: {kind}\r\n{further}"
                )
                answer = await answered(url, f"{head}Content-Length: 44\r\n\r\n{{".encode())
                status, body = answer.split(b"\r\n", 1)[0], answer.partition(b"\r\n\r\n")[2]
                assert (status.split()[1], json.loads(body)["code"]) == (b"408", "too_slow"), (method, path, further)
    assert not await kept_under_keys(world)


async def answered(url: str, request: bytes) -> bytes:
    """All that comes for *request* until the server hangs up, by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        writer.write(request)
        # uvicorn would close an idle connection after five seconds.
        async with asyncio.timeout(4.0):
            return await reader.read()
    finally:
        writer.close()


async def kept_under_keys(world: World) -> int:  # noqa: F811
    """Requests that are known by an `Idempotency-Key`."""
    async with world.control.database.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM idempotency_keys"))


def bare(path: str) -> str:
    """*path* with the names of its parameters in their places."""
    return path.replace("{", "").replace("}", "")


def hostile_bodies(body: Mapping[str, object], injection: str) -> Iterator[dict[str, object]]:
    """*body* with *injection* in the place of each of its texts, one at a time, and in all lists."""
    for name, value in body.items():
        if isinstance(value, str):
            yield {**body, name: injection}
        elif isinstance(value, list):
            yield {**body, name: [injection]}
        elif isinstance(value, dict):
            yield {**body, name: {**value, injection: injection}}
            yield from ({**body, name: inner} for inner in hostile_bodies(value, injection))


async def test_sql_in_any_text_is_text(world: World) -> None:  # noqa: F811
    """As admins of another account, so that what gets through shows itself in what is told or changed."""
    control = world.control
    before = await world.rows()
    headers: dict[str, str] = {}
    asked = 0

    async def ask(route: tuple[str, str], path: str, **request: Any) -> None:
        nonlocal asked
        asked += 1
        # As much time as a request costs of its quota.
        control.now += 0.2
        request["headers"] = {**headers, **request.get("headers", {})}
        answer = await control.client.request(route[0], path, **request)
        assert answer.status_code < 500, (route, request)
        assert "secret-" not in answer.text, (route, request)
        if answer.status_code >= 400:
            problem(answer)

    def place(route: tuple[str, str]) -> str:
        places = EXAMPLES[route].places if route in EXAMPLES else {}
        named = {name: world.places[one] for name, one in places.items()}
        return route[1].format(**named) if named else bare(route[1])

    for number, injection in enumerate(INJECTIONS):
        # Tokens last for less than all of it takes, and whoever is asked for a password too often is locked out.
        await control.user(email := f"mallory-{number}@example.org", world.theirs)
        headers = await control.bearer(email)
        hidden = base64.urlsafe_b64encode(json.dumps([injection, injection]).encode()).decode()
        for route, name in parameters("query"):
            for value in (injection, hidden):
                await ask(route, place(route), params={name: value}, json=getattr(EXAMPLES.get(route), "body", None))
        for route, name in parameters("path"):
            path = bare(route[1].replace(f"{{{name}}}", quote(injection, safe="")))
            await ask(route, path, json=getattr(EXAMPLES.get(route), "body", None))
        for route, name in parameters("header"):
            body = EXAMPLES[route].body if route in EXAMPLES else None
            await ask(route, place(route), headers={name: injection.encode("ascii", "replace").decode()}, json=body)
        for route, example in EXAMPLES.items():
            for body in hostile_bodies(example.body or {}, injection):
                await ask(route, place(route), json=body)
    assert asked > 500
    assert await world.rows() == before


async def test_no_filter_of_calls_can_be_made_to_match_all(world: World) -> None:  # noqa: F811
    for name in ("agent", "driver", "caller", "callee", "q"):
        for injection in INJECTIONS:
            answer = await world.control.client.get("/api/v1/calls", params={name: injection}, headers=ADMIN)
            assert (answer.status_code, answer.json()["items"]) == (200, []), (name, injection)


async def test_no_path_climbs_out(world: World) -> None:  # noqa: F811
    before = await world.rows()
    for route, name in parameters("path"):
        example = EXAMPLES.get(route)
        places = {one: world.places[place] for one, place in example.places.items()} if example else {}
        for climb in CLIMBS:
            climbing = route[1].replace(f"{{{name}}}", climb)
            path = climbing.format(**places) if places else bare(climbing)
            world.control.now += 0.2
            body = example.body if example else None
            answer = await world.control.client.request(route[0], path, json=body, headers=ADMIN)
            found = (answer.status_code, problem(answer))
            assert found in REFUSALS, (route, climb, found)
    assert await world.rows() == before
