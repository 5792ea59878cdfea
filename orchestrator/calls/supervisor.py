"""Every call of this process: who may come in, what is recorded of each, and how all of them end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import Protocol
from uuid import UUID

import structlog

from orchestrator.calls.load_guard import LoadGuard
from orchestrator.calls.places import Places
from orchestrator.calls.prepared import OnDuty, PreparedAgent
from orchestrator.calls.session import CallSession
from orchestrator.calls.setup import CallEngines, CallSetup, SessionSettings
from orchestrator.core.acquaintance import Acquaintance, Memory
from orchestrator.core.clock import Clock
from orchestrator.core.errors import CarrierRejected, LegError
from orchestrator.core.events import CallEnded, CallStarted, EndReason, Happened, Recorder
from orchestrator.core.ports import (
    CallLeg,
    CallRecording,
    Interjections,
    LanguageModel,
    Recognizer,
    Sentiment,
    TextToSpeech,
    TurnDetector,
    VoiceActivity,
)

log = structlog.get_logger(__name__)

# Seconds that a call has left for its last words when its time is up.
_FAREWELL = 15.0

# The recording that may be made of a call: its account, its id, its leg.
Recordable = Callable[[UUID, UUID, CallLeg], CallRecording]
# What is known of whom a call is with, as far as its agent's memory goes.
Recallable = Callable[[CallStarted, Memory], Awaitable[Acquaintance | None]]


class VoiceActivityFactory(Protocol):
    """Opens a detector for each call."""

    def open(self) -> VoiceActivity:
        """A fresh detector."""
        ...


@dataclass(frozen=True, slots=True)
class SharedEngines:
    """The engines that every call uses. failing: seconds until those are asked again that no call works without."""

    vad: VoiceActivityFactory
    recognizer: Recognizer
    turns: TurnDetector
    llm: LanguageModel
    tts: TextToSpeech
    interjections: Interjections
    failing: Callable[[], float] = lambda: 0.0
    sentiment: Sentiment | None = None

    def for_call(self) -> CallEngines:
        """The same, with a detector of the call's own."""
        return CallEngines(
            self.vad.open(), self.recognizer, self.turns, self.llm, self.tts, self.interjections, self.sentiment
        )


@dataclass(frozen=True, slots=True)
class CallLimits:
    """calls: how many at once the machine bears, None when nobody has said; session: what each call goes by."""

    calls: int | None = None
    session: SessionSettings = field(default_factory=SessionSettings)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not taken, as a SIP status. retry_after: seconds after which another try makes sense, if known."""

    status: int
    reason: str
    retry_after: int | None = None


@dataclass(slots=True)
class LiveCall:
    """A call that has been taken. ended_by: set by whoever ends it from outside."""

    started: CallStarted
    leg: CallLeg
    ended_by: EndReason | None = None


class Duty(Protocol):
    """Who answers which number."""

    def get(self, number: str, /) -> OnDuty | None:
        """Who answers *number*, in the form that routing compares."""
        ...


class CallSupervisor:
    """Owns the live calls. agents: who answers; recordable: None where nothing is recorded; recallable: None where
    nobody is known; guard: how the engines keep up.
    """

    def __init__(  # noqa: PLR0913 - what all calls share
        self,
        engines: SharedEngines,
        agents: Duty,
        recorder: Recorder,
        limits: CallLimits,
        *,
        recordable: Recordable | None = None,
        recallable: Recallable | None = None,
        wall_clock: Clock = time.time,
    ) -> None:
        self.live: dict[UUID, LiveCall] = {}
        self.guard = LoadGuard()
        self._engines = engines
        self._agents = agents
        self._recorder = recorder
        self._limits = limits
        self._recordable = recordable
        self._recallable = recallable
        self._wall_clock = wall_clock
        self._stopping = False
        self._places = Places(limits.calls)
        self._idle = asyncio.Event()
        self._idle.set()

    def account_of(self, number: str) -> UUID | None:
        """Whose agent answers *number* (in routing form); None when nobody does."""
        agent = self._agents.get(number)
        return None if agent is None else agent.account

    @contextmanager
    def admitted(self, number: str) -> Iterator[OnDuty | Refusal]:
        """Who answers *number* (in routing form), or why nobody does; the call's place is taken for the block."""
        with self.assigned(self._agents.get(number)) as answer:
            yield answer

    @contextmanager
    def assigned(self, agent: OnDuty | None, *, simulated: bool = False) -> Iterator[OnDuty | Refusal]:
        """The same for a call that *agent* is to have, if there is one, whatever the number.

        simulated: whether it comes over no line, and so takes no caller's place.
        """
        refusal = self._refusal(agent, simulated=simulated)
        if refusal is not None or agent is None:
            yield refusal or Refusal(404, "Not Found")
            return
        self._places.take(simulated=simulated)
        self._idle.clear()
        try:
            yield agent
        finally:
            self._places.leave(simulated=simulated)
            if not self._places.taken:
                self.guard.forget()
                self._idle.set()

    def _refusal(self, agent: OnDuty | None, *, simulated: bool) -> Refusal | None:
        if self._stopping:
            return Refusal(503, "Shutting Down")
        if agent is None:
            return Refusal(404, "Not Found")
        if wait := self._engines.failing():
            return Refusal(503, "Engines Failing", ceil(wait))
        if not self._places.has_room(simulated=simulated):
            return Refusal(486, "Busy Here")
        # Where nobody has said what the machine bears, a lone caller may already wait longer than the guard allows;
        # calls are then refused by the gateway that has no line left.
        if self._limits.calls is None:
            return None
        # Engines that are behind are so for every caller; whoever is alone cannot be in anybody's way.
        others = self._places.taken if simulated else self._places.lines
        return Refusal(486, "Engines Behind") if others and self.guard.closed else None

    async def run(
        self,
        started: CallStarted,
        agent: PreparedAgent,
        leg: CallLeg,
        fitted: Callable[[CallSetup], CallSetup] = lambda setup: setup,
    ) -> None:
        """Talk to the caller on *leg* until the call ends. Whatever happens, the leg is closed and the end recorded.

        fitted: what the call is made of when its leg is no line, of what other calls are made of.
        """
        if self._stopping:  # it was answered while the others were being ended
            await leg.hangup()
            return
        call = LiveCall(started, leg)
        self.live[started.call_id] = call
        self._recorder.record(started)
        log.info("call_started", call=str(started.call_id), agent=started.agent, pii_caller=started.caller)
        reason = EndReason.ERROR
        try:
            reason = await self._talk(call, agent, fitted)
        except asyncio.CancelledError:
            reason = EndReason.SHUTDOWN
            raise
        except Exception:
            log.exception("call_failed", call=str(started.call_id))
        finally:
            await self._close(call)
            duration = leg.now()
            self._recorder.record(CallEnded(started.call_id, reason, self._wall_clock(), duration))
            log.info("call_ended", call=str(started.call_id), reason=reason.value, duration=round(duration, 2))
            del self.live[started.call_id]

    async def hangup(self, call_id: UUID, reason: EndReason = EndReason.AGENT_HANGUP) -> bool:
        """End one call; False when it is not live."""
        if (call := self.live.get(call_id)) is None:
            return False
        call.ended_by = reason
        await call.leg.hangup()
        return True

    async def stop(self, deadline: float = 5.0) -> None:
        """Refuse new calls, hang up every live one and wait for them, *deadline* seconds at most."""
        self._stopping = True
        try:
            async with asyncio.timeout(deadline):
                await asyncio.gather(*(self.hangup(call_id, EndReason.SHUTDOWN) for call_id in list(self.live)))
                await self._idle.wait()
        except TimeoutError:
            log.warning("calls_left_behind", calls=self._places.taken)

    def unanswered(self, started: CallStarted, why: LegError | Refusal) -> None:
        """Record a call that was placed and came to nothing, at the carrier or for want of a place here."""
        status = why.status if isinstance(why, CarrierRejected | Refusal) else None
        reason = f"no call is taken now: {why.reason}" if isinstance(why, Refusal) else str(why)
        self._recorder.record(started)
        self._recorder.record(Happened(started.call_id, 0, "refused", 0.0, {"status": status, "reason": reason}))
        self._recorder.record(CallEnded(started.call_id, EndReason.NOT_ANSWERED, self._wall_clock(), 0.0))

    async def _talk(self, call: LiveCall, agent: PreparedAgent, fitted: Callable[[CallSetup], CallSetup]) -> EndReason:
        started, record = call.started, self._recordable
        recording = None if record is None else record(started.account, started.call_id, call.leg)
        memory, recall = agent.agent.memory, self._recallable
        known = None if recall is None or memory is Memory.OFF else partial(recall, started, memory)
        own = self._engines.for_call()
        setup = fitted(CallSetup(agent, own, self._recorder, self.guard, self._limits.session, recording, known))
        session = CallSession(call.started.call_id, call.leg, setup)
        try:
            async with asyncio.timeout(self._limits.session.longest + _FAREWELL):
                reason = await session.run()
        except TimeoutError:
            return EndReason.TIME_UP
        if call.ended_by is not None:
            return call.ended_by
        return EndReason.LEG_LOST if call.leg.lost else reason

    @staticmethod
    async def _close(call: LiveCall) -> None:
        try:
            await call.leg.hangup()
        except LegError as error:
            log.info("leg_already_closed", call=str(call.started.call_id), error=str(error))
