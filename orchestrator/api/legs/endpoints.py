"""`WS /legs/sip`: a SIP gateway brings a call."""

from __future__ import annotations

import hmac
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from orchestrator.agents import route
from orchestrator.api.legs.transport import WebSocketTransport
from orchestrator.calls.prepared import OnDuty
from orchestrator.calls.supervisor import CallSupervisor, Refusal
from orchestrator.calls.trunks import Trunks
from orchestrator.core.errors import LegError
from orchestrator.core.events import CallStarted
from telephony.leg.answering import accept, receive_invite, reject
from telephony.leg.messages import Answered, Invite, Way
from telephony.leg.socket import SocketLeg

log = structlog.get_logger(__name__)

_UNAUTHORIZED = 1008  # RFC 6455 section 7.4.1: policy violation
_NOT_FOUND = Refusal(404, "Not Found")
_NOT_AWAITED = Refusal(487, "Request Terminated")


@dataclass(frozen=True, slots=True)
class LegDoor:
    """Where legs come in. token: what a gateway must show.

    expected: who has the outbound calls that were asked for, by their id; trunks: whose they are, and how they fare.
    """

    supervisor: CallSupervisor
    token: str
    expected: dict[UUID, OnDuty] = field(default_factory=dict)
    trunks: Trunks = field(default_factory=Trunks)

    def router(self) -> APIRouter:
        """The route, for the application."""
        router = APIRouter()
        router.add_api_websocket_route("/legs/sip", self.sip)
        return router

    async def sip(self, socket: WebSocket) -> None:
        """One call, from the gateway's invite to the end."""
        shown = socket.headers.get("authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {self.token}".encode()):
            await socket.close(_UNAUTHORIZED)
            return
        await socket.accept()
        try:
            await self._serve(WebSocketTransport(socket))
        except LegError as error:
            log.info("leg_refused", error=str(error))
        finally:
            with suppress(WebSocketDisconnect, RuntimeError):  # the gateway closes first as a rule
                await socket.close()

    async def _serve(self, transport: WebSocketTransport) -> None:
        invite = await receive_invite(transport)
        if invite.direction == "inbound":
            invite = self._as_it_came(invite)
            with self.supervisor.admitted(route(invite.callee)) as agent:
                theirs = isinstance(agent, Refusal) or self.trunks.may_be_called(agent.account, _trunk(invite))
                await self._talk(transport, invite, agent if theirs else _NOT_FOUND)
            return
        awaited = self.expected.pop(invite.call_id, None)
        if awaited is None:
            # It was given up, or another gateway was asked as well and brought it first: nothing has been dialled yet.
            await _refuse(transport, invite, _NOT_AWAITED)
            return
        wait = self.trunks.wait(_trunk(invite))
        place = self.supervisor.assigned(awaited)
        failing = Refusal(503, "Trunk Failing", ceil(wait))
        with nullcontext(failing) if wait else place as agent:
            if isinstance(agent, Refusal):
                self.supervisor.unanswered(_started(invite, awaited), agent)
            await self._talk(transport, invite, agent)

    def _as_it_came(self, invite: Invite) -> Invite:
        """*invite* by that of the trunks it may have come by whose account has the number that was called."""
        for way in (Way(trunk=_trunk(invite), callee=invite.callee), *invite.others):
            account = self.supervisor.account_of(route(way.callee))
            if account is not None and self.trunks.may_be_called(account, way.trunk):
                return invite.model_copy(update={"trunk": way.trunk, "callee": way.callee})
        return invite

    async def _talk(self, transport: WebSocketTransport, invite: Invite, agent: OnDuty | Refusal) -> None:
        """The call that *agent* has, to its end, if it is not refused."""
        if isinstance(agent, Refusal):
            await _refuse(transport, invite, agent)
        else:
            try:
                answered = await self._answered(transport, invite)
            except LegError as error:
                if invite.direction == "outbound":
                    self.supervisor.unanswered(_started(invite, agent), error)
                raise
            async with SocketLeg(transport, answered, records=True) as leg:
                await self.supervisor.run(_started(invite, agent), agent.prepared, leg)

    async def _answered(self, transport: WebSocketTransport, invite: Invite) -> Answered:
        if invite.direction == "inbound":
            return await accept(transport, trunk=invite.trunk if invite.others else None)
        with self.trunks.dialled(_trunk(invite)):
            return await accept(transport)


def _started(invite: Invite, agent: OnDuty) -> CallStarted:
    return agent.started(invite.call_id, invite.direction, invite.caller, invite.callee, "sip")


def _trunk(invite: Invite) -> str:
    return invite.trunk or ""


async def _refuse(transport: WebSocketTransport, invite: Invite, why: Refusal) -> None:
    log.info("call_refused", status=why.status, reason=why.reason, pii_callee=invite.callee)
    await reject(transport, why.status, why.reason, why.retry_after)
