"""Live calls over real WebSockets, opened with tickets."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from orchestrator.core.events import CallStarted, Spoken
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from tests.integration.api.conftest import OPERATOR, Control

HEADERS = {"Authorization": f"Bearer {OPERATOR}"}


@asynccontextmanager
async def served(control: Control) -> AsyncIterator[str]:
    """The base URL of the API for WebSockets, on loopback."""
    listener = sockets.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(control.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
        await asyncio.sleep(0.01)
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def ticket(control: Control, headers: dict[str, str] | None = None) -> str:
    answer = await control.client.post("/api/v1/auth/tickets", headers=headers or HEADERS)
    assert answer.status_code == 201
    assert answer.json()["expires_in"] == 30
    return str(answer.json()["ticket"])


async def refusal(address: str) -> tuple[int, str]:
    """The code and the words with which a socket is closed that was not let in."""
    async with connect(address) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def begun(control: Control, account: UUID = DEFAULT_ACCOUNT) -> UUID:
    call = uuid4()
    started = CallStarted(call, "demo", "inbound", "anna", "100", "sip", 1_800_000_000.0, account)
    await CallsRepository(control.database).write([started])
    return call


async def said(control: Control, call: UUID, text: str, start: float = 0.0) -> None:
    await CallsRepository(control.database).write([Spoken(call, 1, "caller", text, start, start + 1)])


async def told(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def until_ready(socket: ClientConnection) -> list[dict[str, Any]]:
    messages = [await told(socket)]
    while messages[-1]["type"] != "ready":
        messages.append(await told(socket))
    return messages[:-1]


async def test_a_viewer_sees_a_call_happen_and_resumes_where_it_left(control: Control) -> None:
    call = await begun(control)
    async with served(control) as url:
        async with connect(f"{url}/ws/calls?ticket={await ticket(control)}") as socket:
            (going_on,) = await until_ready(socket)
            assert (going_on["type"], going_on["call"]["id"], going_on["call"]["ended_at"]) == ("call", str(call), None)
            await said(control, call, "hello")
            line = await told(socket)
            assert (line["type"], line["call_id"], line["line"]["text"]) == ("line", str(call), "hello")
        await said(control, call, "are you there", 5.0)
        async with connect(f"{url}/ws/calls?ticket={await ticket(control)}&after={line['id']}") as socket:
            assert [one["line"]["text"] for one in await until_ready(socket)] == ["are you there"]


async def test_one_call_is_shown_from_its_beginning_and_to_its_account_alone(control: Control) -> None:
    other = await control.account("other")
    await control.user("theirs@example.org", other)
    theirs = await control.bearer("theirs@example.org")
    call = await begun(control)
    await said(control, call, "hello")
    async with served(control) as url:
        async with connect(f"{url}/ws/calls/{call}?ticket={await ticket(control)}") as socket:
            assert [message["type"] for message in await until_ready(socket)] == ["call", "line"]
        for path in (f"/ws/calls/{call}", "/ws/calls"):
            async with connect(f"{url}{path}?ticket={await ticket(control, theirs)}&after=0") as socket:
                assert await until_ready(socket) == []


async def test_a_ticket_opens_one_socket_for_half_a_minute(control: Control) -> None:
    async with served(control) as url:
        used = await ticket(control)
        async with connect(f"{url}/ws/calls?ticket={used}") as socket:
            await until_ready(socket)
        expired = await ticket(control)
        control.now += 31
        for refused in (used, expired, "", "x", "' OR 1=1", OPERATOR):
            assert await refusal(f"{url}/ws/calls?ticket={quote(refused)}") == (
                4401,
                "the ticket is unknown, was used, or has expired; take another",
            )


async def test_a_ticket_of_a_session_that_ended_opens_nothing(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    grant = (await control.sign_in("anna@example.org")).json()
    given = await ticket(control, {"Authorization": f"Bearer {grant['access_token']}"})
    await control.client.post("/api/v1/auth/logout", json={"refresh_token": grant["refresh_token"]})
    async with served(control) as url:
        assert (await refusal(f"{url}/ws/calls?ticket={given}"))[0] == 4401


async def test_who_may_not_read_calls_is_told_so(control: Control) -> None:
    asked = {"name": "report", "permissions": ["jobs:read"]}
    key = (await control.client.post("/api/v1/keys", json=asked, headers=HEADERS)).json()["key"]
    given = await ticket(control, {"Authorization": f"Bearer {key}"})
    async with served(control) as url:
        assert await refusal(f"{url}/ws/calls?ticket={given}") == (
            4403,
            "this key may not do this; it needs calls:read",
        )


async def test_whoever_guesses_tickets_waits(control: Control) -> None:
    async with served(control) as url:
        codes = [(await refusal(f"{url}/ws/calls?ticket={number}"))[0] for number in range(21)]
        assert codes == [4401] * 20 + [4429]
        assert (await refusal(f"{url}/ws/calls?ticket={await ticket(control)}"))[0] == 4429


async def test_a_socket_without_a_ticket_or_with_a_bad_place_is_refused(control: Control) -> None:
    async with served(control) as url:
        good = await ticket(control)
        for path in (
            "/ws/calls",
            f"/ws/calls?ticket={good}&after=-1",
            f"/ws/calls?ticket={good}&after=x",
            "/ws/calls/1",
        ):
            code, reason = await refusal(f"{url}{path}")
            assert (code, len(reason) > 0) == (4422, True)
