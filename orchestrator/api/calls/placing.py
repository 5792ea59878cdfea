"""`POST /api/v1/calls` and `/simulate`: calls that begin here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Literal, Protocol
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path, Query, WebSocket
from pydantic import Field

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.account_trunks import Gateways
from orchestrator.api.calls.simulations import Simulations
from orchestrator.api.door import Door
from orchestrator.api.schemas import Asked, Told
from orchestrator.api.sockets import refuse
from orchestrator.calls.prepared import OnDuty
from orchestrator.calls.trunks import Trunks
from orchestrator.core.errors import ApiError, CarrierRejected, ConfigError, EngineError, LegError
from orchestrator.core.events import CallStarted
from orchestrator.roster import AgentRoster
from telephony.sip.control import DialRequest

VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
# A number or a user part. No address: the trunk says where calls go, or anybody with a key could call anywhere.
Callee = Annotated[str, Field(pattern=r"^\+?[0-9A-Za-z][0-9A-Za-z._-]{0,62}$")]


class Exchange(Gateways, Protocol):
    """Places calls, and carries trunks: telephony.sip.pool.GatewayPool."""

    async def dial(self, request: DialRequest) -> None:
        """Place a call, whose leg then comes as an invite. Raises CarrierRejected."""
        ...


@dataclass(frozen=True, slots=True)
class Lines:
    """How calls leave and come back. expected: who has those that were asked for, by their id; the legs take them.

    trunks: whose they are, and how they fare, as the legs tell; unanswered: told of a call that no leg came for, within
    *patience* seconds: it takes milliseconds, or the gateway has died.
    """

    exchange: Exchange
    expected: MutableMapping[UUID, OnDuty]
    trunks: Trunks
    unanswered: Callable[[CallStarted, LegError], None]
    patience: float = 30.0

    def expect(self, call: CallStarted, agent: OnDuty) -> None:
        """Let *agent* have the leg of *call*, if it comes in time."""
        self.expected[call.call_id] = agent
        asyncio.get_running_loop().call_later(self.patience, self._give_up, call)

    def _give_up(self, call: CallStarted) -> None:
        if self.expected.pop(call.call_id, None) is not None:
            self.unanswered(call, LegError("the gateway brought no leg"))


class CallPlace(Asked):
    """version: of the agent, the published one when absent; caller: who the callee sees, the trunk's own when empty."""

    agent_id: UUID
    to: Callee
    trunk: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    caller: Annotated[str, Field(pattern=r"^(\+?[0-9A-Za-z][0-9A-Za-z._-]{0,62})?$")] = ""
    version: VersionNumber | None = None


class CallPlaced(Told):
    """The call has been asked for. It is in the list of calls once it is answered or refused."""

    id: UUID


class Simulate(Asked):
    """leg: in writing, or from a browser; version: `draft`, a number, or the published one when absent."""

    agent_id: UUID
    leg: Literal["text", "browser"]
    version: VersionNumber | Literal["draft"] | None = None


class Simulated(Told):
    """socket: of a call from a browser, to be opened with a ticket; null for one in writing."""

    id: UUID
    socket: str | None


class Typed(Asked):
    """What the caller writes, or the key that they press."""

    text: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")] | None = None
    key: Annotated[str, Field(pattern=r"^[0-9*#A-D]$")] | None = None


def placing_router(roster: AgentRoster, lines: Lines, simulations: Simulations, door: Door) -> APIRouter:
    """The routes. They come before those of one call, whose id `simulate` is not."""
    router = APIRouter(tags=["calls"])
    placer = Depends(door.needs(Permission.PLACE_CALLS))

    @router.post("/api/v1/calls", status_code=202)
    async def place_call(asked: CallPlace, who: Identity = placer) -> CallPlaced:
        """Call somebody through a trunk, with an agent that talks to whoever answers."""
        if not lines.trunks.of(who.account):
            raise ApiError(403, "no_trunks", "this account has no trunks to call out through")
        trunk = lines.trunks.called(who.account, asked.trunk)
        if trunk is None:
            raise ApiError(422, "no_trunk", f"no gateway has trunk {asked.trunk!r}")
        agent = await on_duty(roster, who.account, asked.agent_id, asked.version)
        if wait := lines.trunks.wait(trunk):
            why = f"the last calls through {asked.trunk} failed at the carrier; one more is tried in {wait:.0f} s"
            raise ApiError(503, "trunk_failing", why, {"Retry-After": str(ceil(wait))})
        call = uuid4()
        lines.expect(agent.started(call, "outbound", asked.caller, asked.to, "sip"), agent)
        try:
            await lines.exchange.dial(DialRequest(call_id=call, to=asked.to, trunk=trunk, caller=asked.caller))
        except CarrierRejected as error:
            if lines.expected.pop(call, None) is None:
                return CallPlaced(id=call)  # the answer was late, but the leg has come: it is being dialled
            code, status = ("no_trunk", 422) if error.status == 404 else ("no_line", 503)
            why = f"no gateway has trunk {asked.trunk!r}" if status == 422 else error.reason
            raise ApiError(status, code, why) from error
        return CallPlaced(id=call)

    @router.post("/api/v1/calls/simulate", status_code=201)
    async def simulate_call(asked: Simulate, who: Identity = placer) -> Simulated:
        """Try an agent out, published or not. What is said is in the live view and in the list, as of any call."""
        agent = await on_duty(roster, who.account, asked.agent_id, asked.version)
        if asked.leg == "text":
            return Simulated(id=simulations.type_to(agent), socket=None)
        call = simulations.reserve(agent)
        return Simulated(id=call, socket=f"/legs/browser/{call}")

    @router.post("/api/v1/calls/{call_id}/text", status_code=204)
    async def type_to_call(call_id: Annotated[UUID, Path()], asked: Typed, who: Identity = placer) -> None:
        """Say something in a call in writing."""
        typing = simulations.lines(who.account, call_id)
        if (asked.text is None) == (asked.key is None):
            raise ApiError(422, "invalid_request", "say either text or key")
        try:
            if asked.key is not None:
                typing.press(asked.key)
            elif asked.text is not None:
                typing.type(asked.text)
        except ValueError as error:
            raise ApiError(429, "too_many_lines", str(error), {"Retry-After": "1"}) from error

    @router.websocket("/legs/browser/{call_id}")
    async def browser_leg(socket: WebSocket, call_id: UUID, ticket: Annotated[str, Query(max_length=128)]) -> None:
        """A call from a browser, as telephony.browser says."""
        who = await door.admitted(socket, ticket, Permission.PLACE_CALLS)
        if who is None:
            return
        try:
            agent = simulations.take(who.account, call_id)
        except ApiError as error:
            await refuse(socket, error)
            return
        await socket.accept()
        await simulations.talk(socket, call_id, agent, str(who.user or "browser"))

    return router


async def on_duty(roster: AgentRoster, account: UUID, agent: UUID, version: int | Literal["draft"] | None) -> OnDuty:
    """Who answers in *version* of *agent*. Raises ApiError 404, 422, 503."""
    try:
        if version == "draft":
            found = await roster.draft(account, agent)
        else:
            found = await roster.on_duty(account, agent, version)
    except ConfigError as error:
        raise ApiError(422, "cannot_answer", str(error)) from error
    except EngineError as error:
        raise ApiError(503, "engine_failed", f"the agent cannot be prepared now: {error.engine}; try again") from error
    if found is None:
        raise ApiError(
            404, "agent_not_found", f"there is no agent {agent} in this version, or nothing of it is published"
        )
    return found
