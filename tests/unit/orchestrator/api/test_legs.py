from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from orchestrator.api.legs.endpoints import LegDoor
from orchestrator.calls.prepared import OnDuty, prepare
from orchestrator.calls.supervisor import CallLimits, CallSupervisor, SharedEngines
from orchestrator.calls.trunks import Trunks
from orchestrator.core.events import EndReason, Happened
from orchestrator.core.trunk import AddedTrunk
from telephony.leg.messages import Accept, Failed, Invite, Reject, Way, decode_command
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


def silent_engines(failing: float = 0.0) -> SharedEngines:
    """Engines that hear nothing. failing: seconds until they are asked again."""
    return SharedEngines(
        FakeVoiceActivityFactory(),
        FakeRecognizer(lambda window: ""),
        FakeTurnDetector(),
        FakeLanguageModel(),
        FakeTextToSpeech(),
        FakeInterjections(),
        lambda: failing,
    )


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(LegDoor(CallSupervisor(silent_engines(), {}, Kept(), CallLimits()), "right").router())
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


def placing(kept: Kept, limits: CallLimits = CallLimits(), failing: float = 0.0) -> tuple[LegDoor, OnDuty]:
    """A door, whose recorder is *kept*, and an agent for calls that are placed. failing: seconds, of the engines."""
    waiting = OnDuty(asyncio.run(prepare(AGENT, FakeEmbedder(), FakeTextToSpeech())), version=3)
    return LegDoor(CallSupervisor(silent_engines(failing), {"100": waiting}, kept, limits), "right"), waiting


def brought(door: LegDoor, call: UUID) -> AbstractContextManager[WebSocketTestSession]:
    """The leg of the placed *call*, from the number 100."""
    invite = Invite(
        call_id=call, direction="outbound", caller="100", callee="+15550102", gateway="sip", trunk="carrier"
    )
    return invited(door, invite)


@contextmanager
def invited(door: LegDoor, invite: Invite) -> Iterator[WebSocketTestSession]:
    """A leg that begins with *invite*."""
    app = FastAPI()
    app.include_router(door.router())
    with TestClient(app).websocket_connect("/legs/sip", headers=AUTHORIZED) as socket:
        socket.send_text(invite.encode())
        yield socket


def test_a_placed_call_goes_to_the_agent_that_waits_for_it_and_one_that_nobody_answers_is_recorded():
    kept, call = Kept(), uuid4()
    door, door.expected[call] = placing(kept)
    with brought(door, call) as socket:
        assert decode_command(socket.receive_text()) == Accept()
        socket.send_text(Failed(command="dial", status=486, reason="Busy Here").encode())
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    started, refused, ended = kept.records
    assert (started.direction, started.version, started.callee) == ("outbound", 3, "+15550102")
    assert (refused.type, refused.payload["status"]) == ("refused", 486)
    assert (ended.reason, ended.duration) == (EndReason.NOT_ANSWERED, 0.0)
    assert door.expected == {}


def test_of_two_gateways_that_bring_one_call_the_first_one_dials():
    kept, call = Kept(), uuid4()
    door, door.expected[call] = placing(kept)
    with brought(door, call) as first, brought(door, call) as second:
        assert decode_command(first.receive_text()) == Accept()
        assert decode_command(second.receive_text()) == Reject(status=487, reason="Request Terminated")


def test_a_placed_call_that_nobody_waits_for_any_more_is_not_dialled_though_an_agent_answers_its_caller_s_number():
    kept = Kept()
    door, _ = placing(kept)
    with brought(door, uuid4()) as socket:
        assert decode_command(socket.receive_text()) == Reject(status=487, reason="Request Terminated")
    assert kept.records == []


def test_a_placed_call_without_a_place_is_recorded_as_refused():
    kept, call = Kept(), uuid4()
    door, waiting = placing(kept, CallLimits(calls=1))
    door.expected[call] = waiting
    with door.supervisor.assigned(waiting), brought(door, call) as socket:
        assert decode_command(socket.receive_text()) == Reject(status=486, reason="Busy Here")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    started, refused, ended = kept.records
    assert (started.call_id, started.direction, started.callee) == (call, "outbound", "+15550102")
    assert (refused.type, refused.payload) == (
        "refused",
        {"status": 486, "reason": "no call is taken now: Busy Here"},
    )
    assert ended.reason is EndReason.NOT_ANSWERED


def placed(door: LegDoor, waiting: OnDuty, status: int) -> Accept | Reject:
    """Place a call that meets *status* at the carrier; what its gateway was told."""
    call = uuid4()
    door.expected[call] = waiting
    with brought(door, call) as socket:
        told = decode_command(socket.receive_text())
        if isinstance(told, Accept):
            socket.send_text(Failed(command="dial", status=status, reason="x").encode())
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    assert isinstance(told, Accept | Reject)
    return told


def test_a_trunk_whose_carrier_fails_is_left_alone_and_those_calls_are_recorded_as_refused():
    kept = Kept()
    door, waiting = placing(kept)
    assert [placed(door, waiting, 503) for _ in range(4)] == [
        *([Accept()] * 3),
        Reject(status=503, reason="Trunk Failing", retry_after=10),
    ]
    assert door.trunks.failing() == {"carrier": True}
    refused = [record.payload["reason"] for record in kept.records if isinstance(record, Happened)]
    assert refused[-1] == "no call is taken now: Trunk Failing"


def test_people_who_do_not_answer_are_no_fault_of_their_trunk():
    door, waiting = placing(Kept())
    statuses = (503, 503, 486, 503, 503, 404, 503, 503, 603)
    assert [placed(door, waiting, status) for status in statuses] == [Accept()] * len(statuses)


def test_a_caller_is_told_when_to_try_again_while_engines_fail():
    door, _ = placing(Kept(), failing=7.2)
    invite = Invite(call_id=uuid4(), direction="inbound", caller="ann", callee="100", gateway="sip")
    with invited(door, invite) as socket:
        assert decode_command(socket.receive_text()) == Reject(status=503, reason="Engines Failing", retry_after=8)


def test_a_trunk_of_one_account_brings_no_calls_to_another_one_s_agents():
    door, _ = placing(Kept())
    theirs = replace(door, trunks=Trunks({"theirs": uuid4()}))
    for trunk, told in (("theirs", Reject(status=404, reason="Not Found")), ("carrier", Accept())):
        invite = Invite(call_id=uuid4(), direction="inbound", caller="ann", callee="100", gateway="sip", trunk=trunk)
        with invited(theirs, invite) as socket:
            assert decode_command(socket.receive_text()) == told


def test_of_trunks_with_one_address_a_call_came_by_that_of_the_account_whose_number_it_is():
    door, desk = placing(Kept())
    ours, others = uuid4(), uuid4()
    trunks = Trunks()
    trunks.know([AddedTrunk(others, "carrier", "trunk:theirs"), AddedTrunk(ours, "carrier", "trunk:ours")])
    agents = {"100": replace(desk, account=ours)}
    shared = replace(door, supervisor=CallSupervisor(silent_engines(), agents, Kept(), CallLimits()), trunks=trunks)
    invite = Invite(
        call_id=uuid4(),
        direction="inbound",
        caller="ann",
        callee="somebody",
        gateway="sip",
        trunk="trunk:theirs",
        others=(Way(trunk="trunk:theirs", callee="100"), Way(trunk="trunk:ours", callee="100")),
    )
    with invited(shared, invite) as socket:
        assert decode_command(socket.receive_text()) == Accept(trunk="trunk:ours")
    stranger = invite.model_copy(update={"others": invite.others[:1]})
    with invited(shared, stranger) as socket:
        assert decode_command(socket.receive_text()) == Reject(status=404, reason="Not Found")
