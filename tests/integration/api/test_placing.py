"""Calls that begin here: in writing, from a browser, and out through a trunk."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from uuid import UUID, uuid4

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from orchestrator.core.errors import CarrierRejected
from telephony.leg.frame import CallerAudio
from telephony.leg.messages import Answered, HungUp, Playing
from tests.integration.api.conftest import OPERATOR, OTHER, Control, Exchange
from tests.integration.api.test_live import refusal, served, ticket

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
DESK = {
    "greeting": "Hello.",
    "persona": "You help.",
    "answers": [{"questions": ["when are you open"], "answer": "At nine."}],
}


async def ask(control: Control, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
    return await control.client.post(f"/api/v1{path}", json=body, headers=headers or ADMIN)


async def desk(control: Control, *, publish: bool = True) -> str:
    """An agent's id."""
    agent = str((await ask(control, "/agents", {"name": "desk", "definition": DESK})).json()["id"])
    if publish:
        assert (await ask(control, f"/agents/{agent}/publish", {"revision": 1})).status_code == 200
    return agent


async def once(control: Control, call: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The call, as soon as *holds* is true of it."""
    async with asyncio.timeout(15):
        while True:
            answer = await control.client.get(f"/api/v1/calls/{call}", headers=ADMIN)
            if answer.status_code == 200 and holds(answer.json()):
                told: dict[str, Any] = answer.json()
                return told
            await asyncio.sleep(0.02)


def said(call: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line["speaker"], line["text"]) for line in call["transcript"]]


async def test_an_agent_is_tried_out_in_writing(control: Control) -> None:
    agent = await desk(control)
    begun = await ask(control, "/calls/simulate", {"agent_id": agent, "leg": "text"})
    assert (begun.status_code, begun.json()["socket"]) == (201, None)
    call = begun.json()["id"]
    await once(control, call, lambda told: said(told) == [("agent", "Hello.")])
    assert (await ask(control, f"/calls/{call}/text", {"text": "when are you open"})).status_code == 204
    await once(control, call, lambda told: said(told)[-1:] == [("agent", "At nine.")])
    assert (await ask(control, f"/calls/{call}/hangup")).status_code == 204
    ended = await once(control, call, lambda told: told["ended_at"] is not None)
    assert said(ended) == [("agent", "Hello."), ("caller", "when are you open"), ("agent", "At nine.")]
    assert (ended["driver"], ended["agent_id"], ended["version"]) == ("text", agent, 1)
    assert (await ask(control, f"/calls/{call}/text", {"text": "hello"})).status_code == 404


async def test_a_draft_is_tried_out_before_anybody_else_hears_it(control: Control) -> None:
    agent = await desk(control, publish=False)
    refused = await ask(control, "/calls/simulate", {"agent_id": agent, "leg": "text"})
    assert (refused.status_code, refused.json()["code"]) == (404, "agent_not_found")
    begun = await ask(control, "/calls/simulate", {"agent_id": agent, "leg": "text", "version": "draft"})
    call = await once(control, begun.json()["id"], lambda told: bool(told["transcript"]))
    assert (said(call), call["version"]) == ([("agent", "Hello.")], None)


async def test_keys_are_pressed_in_writing_too(control: Control) -> None:
    call = (await ask(control, "/calls/simulate", {"agent_id": await desk(control), "leg": "text"})).json()["id"]
    for body in ({}, {"text": "a", "key": "1"}, {"key": "12"}, {"text": " "}, {"text": "a\x00"}):
        assert (await ask(control, f"/calls/{call}/text", body)).status_code == 422
    await ask(control, f"/calls/{call}/text", {"key": "5"})
    await once(control, call, lambda told: any(event["type"] == "dtmf" for event in told["events"]))


async def test_nobody_types_into_another_account_s_call(control: Control) -> None:
    call = (await ask(control, "/calls/simulate", {"agent_id": await desk(control), "leg": "text"})).json()["id"]
    await control.user("theirs@example.org", await control.account("other"))
    theirs = await control.bearer("theirs@example.org")
    assert (await ask(control, f"/calls/{call}/text", {"text": "hi"}, theirs)).status_code == 404


async def page(socket: ClientConnection, seconds: float) -> int:
    """A page whose caller is silent for so long and then hangs up; the samples that it was sent."""
    assert json.loads(await socket.recv()) == {"type": "ringing"}
    await socket.send(Answered(rate=16000, codec="any").encode())
    sent = played = now = 0

    async def hear() -> None:
        nonlocal sent
        async for message in socket:
            sent += len(message) // 2 if isinstance(message, bytes) else 0

    hearing = asyncio.create_task(hear())
    for _ in range(round(seconds * 50)):
        if sent > played == 0:
            await socket.send(Playing(at=now, index=0).encode())
        played = min(sent, played + 320)
        await socket.send(CallerAudio(now, now + 320, played, np.zeros(320, dtype=np.int16)).encode())
        now += 320
        await asyncio.sleep(0.02)
    await socket.send(HungUp(by="caller", reason="bye").encode())
    await asyncio.wait([hearing], timeout=5)
    return sent


async def test_a_browser_brings_a_call(control: Control) -> None:
    begun = (await ask(control, "/calls/simulate", {"agent_id": await desk(control), "leg": "browser"})).json()
    async with served(control) as url:
        async with connect(f"{url}{begun['socket']}?ticket={await ticket(control)}") as socket:
            assert await page(socket, 1.0) > 0
        call = await once(control, begun["id"], lambda told: told["ended_at"] is not None)
        assert (said(call), call["driver"], call["reason"]) == ([("agent", "Hello.")], "browser", "caller_hangup")
        assert (await refusal(f"{url}{begun['socket']}?ticket={await ticket(control)}"))[0] == 4404


async def test_only_who_asked_for_it_brings_a_browser_s_call(control: Control) -> None:
    begun = (await ask(control, "/calls/simulate", {"agent_id": await desk(control), "leg": "browser"})).json()
    await control.user("theirs@example.org", await control.account("other"))
    await control.user("support@example.org", UUID(int=0x00000000000040008000000000000001), "support")
    theirs, support = await control.bearer("theirs@example.org"), await control.bearer("support@example.org")
    async with served(control) as url:
        for shown, code in ((await ticket(control, theirs), 4404), (await ticket(control, support), 4403), ("x", 4401)):
            assert (await refusal(f"{url}{begun['socket']}?ticket={shown}"))[0] == code
        assert (await refusal(f"{url}/legs/browser/{uuid4()}?ticket={await ticket(control)}"))[0] == 4404


@pytest.mark.parametrize(
    "first",
    [
        "nonsense",
        '{"type":"invite"}',
        '{"type":"answered","rate":8000,"codec":"x"}',
        b"\0" * 664,
        "x" * 100_000,
    ],
)
async def test_a_page_that_begins_with_nonsense_is_hung_up_on(control: Control, first: str | bytes) -> None:
    begun = (await ask(control, "/calls/simulate", {"agent_id": await desk(control), "leg": "browser"})).json()
    async with served(control) as url, connect(f"{url}{begun['socket']}?ticket={await ticket(control)}") as socket:
        await socket.recv()
        await socket.send(first)
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                await socket.recv()


@pytest.mark.parametrize(
    "message", ['{"type":"dtmf","digit":"5","at":0}', CallerAudio(0, 0, 0, np.zeros(0, np.int16)).encode()]
)
async def test_a_page_that_sends_messages_without_end_is_hung_up_on(control: Control, message: str | bytes) -> None:
    begun = (await ask(control, "/calls/simulate", {"agent_id": await desk(control), "leg": "browser"})).json()
    async with served(control) as url, connect(f"{url}{begun['socket']}?ticket={await ticket(control)}") as socket:
        await socket.recv()
        await socket.send(Answered(rate=16000, codec="any").encode())
        with pytest.raises(ConnectionClosed):
            for _ in range(2000):
                await socket.send(message)
            async with asyncio.timeout(5):
                while True:
                    await socket.recv()


async def test_a_page_that_floods_is_hung_up_on(control: Control) -> None:
    begun = (await ask(control, "/calls/simulate", {"agent_id": await desk(control), "leg": "browser"})).json()
    async with served(control) as url:
        async with connect(f"{url}{begun['socket']}?ticket={await ticket(control)}") as socket:
            await socket.recv()
            await socket.send(Answered(rate=16000, codec="any").encode())
            with pytest.raises(ConnectionClosed):
                for index in range(1000):
                    await socket.send(CallerAudio(index * 320, index * 320, 0, np.zeros(320, dtype=np.int16)).encode())
                async with asyncio.timeout(5):
                    while True:
                        await socket.recv()
        call = await once(control, begun["id"], lambda told: told["ended_at"] is not None)
        assert call["reason"] == "leg_lost"


async def test_a_call_is_placed_through_a_trunk_with_an_agent_that_waits_for_it(control: Control) -> None:
    agent = await desk(control)
    body = {"agent_id": agent, "to": "+15550102", "trunk": "carrier", "caller": "+15550100"}
    placed = await ask(control, "/calls", body)
    assert placed.status_code == 202
    (request,) = cast("Exchange", control.lines.exchange).dialled
    assert (str(request.call_id), request.to, request.caller) == (placed.json()["id"], "+15550102", "+15550100")
    waiting = control.lines.expected[request.call_id]
    assert (str(waiting.agent_id), waiting.version) == (agent, 1)


async def test_a_call_that_cannot_be_placed_is_told_why(control: Control) -> None:
    agent = await desk(control)
    for trunk, status, code in (("nowhere", 422, "no_trunk"), ("busy", 503, "no_line")):
        refused = await ask(control, "/calls", {"agent_id": agent, "to": "100", "trunk": trunk})
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert control.lines.expected == {}
    for to in ("sip:anybody@example.org", "a@b", "", "1 2", "../x", "1\r\nVia: x"):
        assert (await ask(control, "/calls", {"agent_id": agent, "to": to, "trunk": "carrier"})).status_code == 422
    unknown = await ask(control, "/calls", {"agent_id": str(uuid4()), "to": "100", "trunk": "carrier"})
    assert unknown.status_code == 404


async def test_a_call_whose_leg_came_is_placed_however_late_its_gateway_s_answer_is(control: Control) -> None:
    agent = await desk(control)
    exchange = cast("Exchange", control.lines.exchange)
    asked = {"agent_id": agent, "to": "100", "trunk": "late"}
    assert (await ask(control, "/calls", asked)).status_code == 503
    exchange.brings = lambda request: control.lines.expected.pop(request.call_id)
    assert (await ask(control, "/calls", asked)).status_code == 202


async def test_a_placed_call_whose_gateway_dies_is_recorded_as_not_answered(control: Control) -> None:
    asked = {"agent_id": await desk(control), "to": "+15550102", "trunk": "carrier"}
    placed = (await ask(control, "/calls", asked)).json()
    call = await once(control, placed["id"], lambda told: told["ended_at"] is not None)
    assert (call["direction"], call["callee"], call["reason"]) == ("outbound", "+15550102", "not_answered")
    (refused,) = [event["payload"] for event in call["events"] if event["type"] == "refused"]
    assert refused == {"status": None, "reason": "the gateway brought no leg"}
    assert control.lines.expected == {}


async def test_no_call_is_placed_through_a_trunk_that_fails(control: Control) -> None:
    for _ in range(3):
        with suppress(CarrierRejected), control.lines.trunks.dialled("carrier"):
            raise CarrierRejected(503, "Service Unavailable")
    asked = {"agent_id": await desk(control), "to": "100", "trunk": "carrier"}
    refused = await ask(control, "/calls", asked)
    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (503, "trunk_failing", "10")
    assert cast("Exchange", control.lines.exchange).dialled == []
    assert (await ask(control, "/calls", {**asked, "trunk": "another"})).status_code == 202


async def test_an_account_without_trunks_calls_nobody(control: Control) -> None:
    await control.user("theirs@example.org", await control.account("other"))
    theirs = await control.bearer("theirs@example.org")
    refused = await ask(control, "/calls", {"agent_id": str(uuid4()), "to": "100", "trunk": "carrier"}, theirs)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_trunks")


async def test_an_account_calls_out_through_its_own_trunk_and_no_other(control: Control) -> None:
    await control.user("theirs@example.org", await control.account("other", OTHER))
    theirs = await control.bearer("theirs@example.org")
    body = {"name": "desk", "definition": DESK}
    agent = (await ask(control, "/agents", body, theirs)).json()["id"]
    await ask(control, f"/agents/{agent}/publish", {"revision": 1}, theirs)
    asked = {"agent_id": agent, "to": "100", "trunk": "theirs"}
    assert (await ask(control, "/calls", asked, theirs)).status_code == 202
    for trunk in ("carrier", "unheard-of"):
        refused = await ask(control, "/calls", {**asked, "trunk": trunk}, theirs)
        assert (refused.status_code, refused.json()["code"]) == (422, "no_trunk")
    mine = await ask(control, "/calls", {**asked, "agent_id": await desk(control)})
    assert (mine.status_code, mine.json()["code"]) == (422, "no_trunk")


async def test_simulations_leave_lines_to_the_telephone(control: Control) -> None:
    agent = await desk(control)
    for leg in ("text", "browser"):
        answers = [await ask(control, "/calls/simulate", {"agent_id": agent, "leg": leg}) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [201] * 10 + [429]
        assert answers[-1].json()["code"] == "too_many_simulations"


async def test_who_types_faster_than_anybody_listens_waits(control: Control) -> None:
    call = (await ask(control, "/calls/simulate", {"agent_id": await desk(control), "leg": "text"})).json()["id"]
    answers = [await ask(control, f"/calls/{call}/text", {"text": "hello"}) for _ in range(40)]
    assert answers[0].status_code == 204
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_lines")


def recording(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(round(16000 * seconds)))
    return file.getvalue()


async def test_an_agent_talks_to_an_uploaded_recording(control: Control) -> None:
    agent = await desk(control)
    path, sound = f"/api/v1/calls/simulate/upload?agent_id={agent}", {**ADMIN, "Content-Type": "audio/wav"}
    begun = await control.client.post(path, content=recording(30.0), headers=sound)
    assert begun.status_code == 201
    greeted = await once(control, begun.json()["id"], lambda call: bool(call["transcript"]))
    assert (greeted["driver"], said(greeted)) == ("playback", [("agent", "Hello.")])
    await ask(control, f"/calls/{greeted['id']}/hangup")
    await once(control, greeted["id"], lambda call: call["reason"] == "agent_hangup")


async def test_an_upload_that_is_no_sound_or_too_long_is_refused(control: Control) -> None:
    agent = await desk(control)
    path = f"/api/v1/calls/simulate/upload?agent_id={agent}"
    nonsense = await control.client.post(path, content=b"nonsense", headers=ADMIN)
    assert (nonsense.status_code, nonsense.json()["code"]) == (422, "unreadable_audio")
    heavy = await control.client.post(path, content=bytes(2**25 + 1), headers=ADMIN)
    assert heavy.status_code == 413
    unknown = path.replace(agent, str(uuid4()))
    stranger = await control.client.post(unknown, content=recording(1.0), headers=ADMIN)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "agent_not_found")
