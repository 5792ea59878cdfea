from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from orchestrator.api.legs.endpoints import LegDoor
from orchestrator.calls.prepared import OnDuty, prepare
from orchestrator.calls.supervisor import CallLimits, CallSupervisor, SharedEngines
from orchestrator.core.events import EndReason
from telephony.leg.messages import Accept, Failed, Invite, Reject, decode_command
from tests.calls.scene import AGENT, Kept
from tests.fakes.engines import (
    FakeEmbedder,
    FakeInterjections,
    FakeLanguageModel,
    FakeRecognizer,
    FakeTextToSpeech,
    FakeTurnDetector,
    FakeVoiceActivityFactory,
)

AUTHORIZED = {"Authorization": "Bearer right"}


@pytest.fixture
def client() -> TestClient:
    engines = SharedEngines(
        FakeVoiceActivityFactory(),
        FakeRecognizer(lambda window: ""),
        FakeTurnDetector(),
        FakeLanguageModel(),
        FakeTextToSpeech(),
        FakeInterjections(),
    )
    app = FastAPI()
    app.include_router(LegDoor(CallSupervisor(engines, {}, Kept(), CallLimits()), "right", record=False).router())
    return TestClient(app)


@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "right"}])
def test_a_gateway_without_the_token_is_turned_away(client, shown):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/legs/sip", headers=shown):
        pass


def test_an_unknown_number_is_rejected_with_404(client):
    invite = Invite(call_id=uuid4(), direction="inbound", caller="ann", callee="nobody", gateway="sip")
    with client.websocket_connect("/legs/sip", headers=AUTHORIZED) as socket:
        socket.send_text(invite.encode())
        assert decode_command(socket.receive_text()) == Reject(status=404, reason="Not Found")


@pytest.mark.parametrize("first", ["{}", "not json", '{"type":"hangup","by":"caller","reason":"bye"}'])
def test_a_leg_that_does_not_begin_with_an_invite_is_closed(client, first):
    with client.websocket_connect("/legs/sip", headers=AUTHORIZED) as socket:
        socket.send_text(first)
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()


def test_a_placed_call_goes_to_the_agent_that_waits_for_it_and_one_that_nobody_answers_is_recorded():
    engines = SharedEngines(
        FakeVoiceActivityFactory(),
        FakeRecognizer(lambda window: ""),
        FakeTurnDetector(),
        FakeLanguageModel(),
        FakeTextToSpeech(),
        FakeInterjections(),
    )
    kept, call = Kept(), uuid4()
    waiting = OnDuty(asyncio.run(prepare(AGENT, FakeEmbedder(), FakeTextToSpeech())), version=3)
    door = LegDoor(CallSupervisor(engines, {}, kept, CallLimits()), "right", record=False, expected={call: waiting})
    app = FastAPI()
    app.include_router(door.router())
    invite = Invite(call_id=call, direction="outbound", caller="100", callee="+15550102", gateway="sip")
    with TestClient(app).websocket_connect("/legs/sip", headers=AUTHORIZED) as socket:
        socket.send_text(invite.encode())
        assert decode_command(socket.receive_text()) == Accept(record=False)
        socket.send_text(Failed(command="dial", status=486, reason="Busy Here").encode())
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    started, refused, ended = kept.records
    assert (started.direction, started.version, started.callee) == ("outbound", 3, "+15550102")
    assert (refused.type, refused.payload["status"]) == ("refused", 486)
    assert (ended.reason, ended.duration) == (EndReason.NOT_ANSWERED, 0.0)
    assert door.expected == {}
