"""Calls without a line: somebody tries an agent out, in writing or from a browser."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

import structlog
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from orchestrator.api.legs.transport import WebSocketTransport
from orchestrator.calls.prepared import OnDuty
from orchestrator.calls.supervisor import CallSupervisor, Refusal
from orchestrator.calls.typed import RATE, typed
from orchestrator.core.audio import AudioFrame
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError, LegError
from orchestrator.core.events import CallStarted
from orchestrator.core.typed_lines import TypedLines
from telephony.browser.transport import BrowserTransport
from telephony.leg.socket import SocketLeg
from telephony.virtual.gateway import virtual_leg
from telephony.virtual.playback import Playback

# Seconds in which a page opens the socket of the call that it asked for, and lets its microphone run.
RESERVED = 30.0
# Of one account.
MOST_AT_ONCE = 10
_RINGING = '{"type":"ringing"}'

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Reserved:
    agent: OnDuty
    until: float


class Simulations:
    """The simulated calls of this process. Make calls within `running`."""

    def __init__(self, supervisor: CallSupervisor, clock: Clock = time.monotonic) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._typing: dict[UUID, tuple[UUID, TypedLines]] = {}
        self._playing: Counter[UUID] = Counter()
        self._reserved: dict[UUID, _Reserved] = {}
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold typed calls during the block; those that are on end with it."""
        async with asyncio.TaskGroup() as self._group:
            try:
                yield
            finally:
                for _, lines in self._typing.values():
                    lines.leave()

    def type_to(self, agent: OnDuty) -> UUID:
        """Begin a call in writing with *agent*; its id. Raises ApiError 503 when no more calls are taken."""
        assert self._group is not None, "no call is simulated before the simulations run"
        if sum(account == agent.account for account, _ in self._typing.values()) >= MOST_AT_ONCE:
            raise ApiError(429, "too_many_simulations", f"{MOST_AT_ONCE} calls in writing are on; hang one up")
        place = self._place(agent)
        call, lines = uuid4(), TypedLines(RATE)
        self._typing[call] = agent.account, lines
        self._group.create_task(self._type(call, agent, lines, place), name="typed call")
        return call

    def play_to(self, agent: OnDuty, speech: AudioFrame) -> UUID:
        """Begin a call whose caller says *speech* to *agent* and hears it out; its id. Raises ApiError 429, 503."""
        assert self._group is not None, "no call is simulated before the simulations run"
        if self._playing[agent.account] >= MOST_AT_ONCE:
            raise ApiError(429, "too_many_simulations", f"{MOST_AT_ONCE} recordings are being played; hang one up")
        place, call = self._place(agent), uuid4()
        self._playing[agent.account] += 1
        self._group.create_task(self._play(call, agent, speech, place), name="played call")
        return call

    def lines(self, account: UUID, call: UUID) -> TypedLines:
        """Where the caller of *call* types. Raises ApiError 404 when there is no such call in writing."""
        whose, lines = self._typing.get(call, (None, None))
        if lines is None or whose != account:
            raise ApiError(404, "call_not_live", f"no call {call} in writing is going on")
        return lines

    def reserve(self, agent: OnDuty) -> UUID:
        """Let a page of the account bring the call with the returned id, within RESERVED seconds."""
        now = self._clock()
        self._reserved = {call: one for call, one in self._reserved.items() if one.until > now}
        if sum(one.agent.account == agent.account for one in self._reserved.values()) >= MOST_AT_ONCE:
            why = "too many calls were asked for and not begun"
            raise ApiError(429, "too_many_simulations", why, {"Retry-After": str(round(RESERVED))})
        call = uuid4()
        self._reserved[call] = _Reserved(agent, now + RESERVED)
        return call

    def take(self, account: UUID, call: UUID) -> OnDuty:
        """Who has the call that was reserved, once. Raises ApiError 404."""
        reserved = self._reserved.get(call)
        if reserved is None or reserved.agent.account != account or reserved.until <= self._clock():
            raise ApiError(
                404, "call_not_reserved", f"ask for the call first: POST /api/v1/calls/simulate, within {RESERVED:g} s"
            )
        del self._reserved[call]
        return reserved.agent

    async def talk(self, socket: WebSocket, call: UUID, agent: OnDuty, caller: str) -> None:
        """The call that the page behind the accepted *socket* brings, to its end."""
        with self._supervisor.assigned(agent, simulated=True) as answer:
            if isinstance(answer, Refusal):
                await socket.close(1013, f"no call is taken now: {answer.reason}")
                return
            page = BrowserTransport(WebSocketTransport(socket), self._clock)
            try:
                await page.send_text(_RINGING)
                async with asyncio.timeout(RESERVED):
                    answered = await page.answered()
                async with SocketLeg(page, answered) as leg:
                    await self._supervisor.run(_begun(call, agent, "browser", caller), agent.prepared, leg)
            except (LegError, TimeoutError) as error:
                log.info("page_refused", call=str(call), error=str(error))
            finally:
                with suppress(WebSocketDisconnect, RuntimeError):  # the page closes first as a rule
                    await socket.close()

    def _place(self, agent: OnDuty) -> ExitStack:
        """A place for a call with *agent*. Raises ApiError 503 when there is none."""
        place = ExitStack()
        answer = place.enter_context(self._supervisor.assigned(agent, simulated=True))
        if isinstance(answer, Refusal):
            place.close()
            raise ApiError(
                503, "no_line", f"no call is taken now: {answer.reason}", {"Retry-After": str(answer.retry_after or 5)}
            )
        return place

    async def _play(self, call: UUID, agent: OnDuty, speech: AudioFrame, place: ExitStack) -> None:
        try:
            with place:
                async with virtual_leg(Playback(speech), speech.rate) as leg:
                    await self._supervisor.run(_begun(call, agent, "playback", "recording"), agent.prepared, leg)
        except Exception:
            log.exception("played_call_failed", call=str(call))
        finally:
            self._playing[agent.account] -= 1

    async def _type(self, call: UUID, agent: OnDuty, lines: TypedLines, place: ExitStack) -> None:
        started = _begun(call, agent, "text", "text")
        try:
            with place:
                async with virtual_leg(lines, RATE, instant=True) as leg:
                    await self._supervisor.run(started, agent.prepared, leg, lambda setup: typed(setup, lines))
        except Exception:
            log.exception("typed_call_failed", call=str(call))
        finally:
            del self._typing[call]


def _begun(call: UUID, agent: OnDuty, driver: Literal["browser", "text", "playback"], caller: str) -> CallStarted:
    return agent.started(call, "inbound", caller, agent.prepared.agent.name, driver)
