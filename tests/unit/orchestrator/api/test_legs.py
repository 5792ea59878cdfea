from __future__ import annotations

from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from orchestrator.api.legs.endpoints import LegDoor
from orchestrator.calls.supervisor import CallLimits, CallSupervisor, SharedEngines
from telephony.leg.messages import Invite, Reject, decode_command
from tests.calls.scene import Kept
from tests.fakes.engines import (
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
