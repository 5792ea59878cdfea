"""All the SIP calls of a gateway. Lives in PJSIP's thread, except where a method says otherwise."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pjsua2 as pj
import structlog

from orchestrator.core.errors import ConfigError
from telephony.sip.account import Registration, Sources, TrunkAccount, account_config
from telephony.sip.call import OK, RINGING, SipCall
from telephony.sip.endpoint import GatewayEndpoint, capacity, most_trunks, open_endpoint
from telephony.sip.intake import Intake
from telephony.sip.line import FORBIDDEN, FULL, UNAVAILABLE, By, Ended, Line, Party, Refusal
from telephony.sip.media import CallPort
from telephony.sip.pjthread import PjThread, guarded, told
from telephony.sip.playout import CallAudio
from telephony.sip.settings import GatewaySettings, Trunk
from telephony.sip.uri import called_user, dial_uri, identity_uri, user_of

WATCH_SECONDS = 0.5
LOOK_SECONDS = 0.027  # out of step with the 20 ms of a frame, so that every phase is seen
PORT_LINGERS = 0.2  # seconds; the bridge lets go of a port in its own thread, at its next tick

log = structlog.get_logger()


class Switchboard:
    """Takes calls in from the trunks and places calls; every call is handed on as a Line.

    incoming: called on *loop* with each new call, which has been told 180 and waits for answer() or end().
    """

    def __init__(
        self,
        settings: GatewaySettings,
        loop: asyncio.AbstractEventLoop,
        incoming: Callable[[Line], None],
        registered: Callable[[Registration], None],
    ) -> None:
        self.capacity = 0
        self.draining = False
        self._settings = settings
        self._loop = loop
        self._incoming = incoming
        self._registered = registered
        self._thread = PjThread(self)
        self._sources = Sources.of(settings.sources)
        self._endpoint: GatewayEndpoint
        self._intake: Intake | None = None
        self._accounts: dict[str | None, TrunkAccount] = {}
        self._calls: dict[UUID, SipCall] = {}
        self._ended: list[SipCall] = []
        self._leaving: deque[tuple[float, CallPort]] = deque()
        self._watched = self._looked = 0.0

    async def start(self) -> None:
        """From asyncio: listen. Raises ConfigError."""
        await self._thread.start()

    async def stop(self) -> None:
        """From asyncio: unregister and stop listening; calls that still run are cut off with a BYE."""
        await self._thread.close()

    def answer(self, line: Line) -> None:
        """From asyncio: take the call of *line*; nothing happens when it is over."""

        def run() -> None:
            if call := self._calls.get(line.party.call_id):
                call.respond(OK)

        self._thread.post(run)

    def end(self, line: Line, by: By, reason: str, refusal: Refusal | None = None) -> None:
        """From asyncio: hang up, or refuse while it rings; a line that was never dialled just ends."""

        def run() -> None:
            if call := self._calls.get(line.party.call_id):
                call.end(by, reason, refusal)
            else:
                line.tell(_never_dialled(by, reason, refusal or UNAVAILABLE))

        self._thread.post(run)

    def dial(self, line: Line) -> None:
        """From asyncio: place the call of *line*; failing that, it ends with the reason."""
        self._thread.post(lambda: self._dial(line))

    def outbound(self, call_id: UUID, caller: str, target: str, trunk: Trunk) -> Line:
        """From asyncio: a line to dial. caller: a number or ""; target: a number or SIP URI. Raises ValueError."""
        dial_uri(target, trunk)
        identity_uri(caller, self._settings, trunk)
        return self._line(Party(call_id, "outbound", caller, target, trunk.name))

    def open(self) -> None:
        """Listen and register."""
        self._endpoint = open_endpoint(self._settings)
        self._intake = Intake(self._refusal, capacity())
        self.capacity = min(capacity(), self._settings.max_calls or capacity())
        try:
            if "tcp" in self._settings.transports:
                self._endpoint.befriend(self._settings.port, self._sources.networks)
            self._open_accounts()
        except (pj.Error, OSError, ConfigError) as error:
            self.close()
            raise ConfigError(told(error)) from error

    def _open_accounts(self) -> None:
        known = [trunk for trunk in self._settings.trunks if trunk.user]
        if len(known) > most_trunks():
            raise ConfigError(f"this PJSIP holds {most_trunks()} trunks with a user, and there are {len(known)}")
        for trunk in (None, *known):
            account = TrunkAccount(trunk, self._invited, self._told)
            account.create(account_config(self._settings, trunk), trunk is None)
            self._accounts[trunk.name if trunk else None] = account

    def poll(self) -> None:
        """Events, then what is due."""
        self._endpoint.poll()
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            for call in self._calls.values():
                guarded(call.look)
        if now - self._watched >= WATCH_SECONDS:
            self._watched = now
            for call in self._calls.values():
                guarded(partial(call.watch, now, self._settings.no_media))
        while self._leaving and self._leaving[0][0] <= now:
            self._leaving.popleft()
        if self._ended:
            self._release_ended()

    def close(self) -> None:
        """Hang up what is left, drop the ports, stop the library, then drop the accounts."""
        self._endpoint.hangupAllCalls()
        self._calls.clear()
        self._ended.clear()
        self._leaving.clear()
        self._endpoint.close(registered=any(trunk.registrar for trunk in self._settings.trunks))
        self._accounts.clear()

    def _refusal(self) -> Refusal | None:
        """Why no new call can be taken now, if so."""
        if self.draining:
            return UNAVAILABLE
        return FULL if len(self._calls) >= self.capacity else None

    def _line(self, party: Party) -> Line:
        return Line(party, CallAudio(self._settings.clock_rate), self._loop)

    def _told(self, registration: Registration) -> None:
        self._loop.call_soon_threadsafe(self._registered, registration)

    def _invited(self, account: TrunkAccount, prm: Any) -> None:
        trunk = self._sources.trunk_of(prm.rdata.srcAddress)
        party = Party(uuid4(), "inbound", "", "", trunk.name if trunk else "")
        call = SipCall(account, prm.callId, self._line(party), self._port, self._over)
        # A call without a reference to it is dropped by the library, unanswered.
        self._calls[party.call_id] = call
        if trunk is None:
            log.warning("call_refused", status=403, source=prm.rdata.srcAddress)
            call.end("gateway", "forbidden", FORBIDDEN)
        else:
            info = call.getInfo()
            call.line.party = Party(
                party.call_id,
                "inbound",
                caller=user_of(info.remoteUri),
                callee=called_user(prm.rdata.wholeMsg, info.localUri, trunk),
                trunk=trunk.name,
            )
            call.respond(RINGING)
            self._loop.call_soon_threadsafe(self._incoming, call.line)

    def _dial(self, line: Line) -> None:
        party = line.party
        trunk = next(trunk for trunk in self._settings.sources if trunk.name == party.trunk)
        account = self._accounts.get(trunk.name, self._accounts[None])
        call = SipCall(account, pj.PJSUA_INVALID_ID, line, self._port, self._over)
        self._calls[party.call_id] = call
        prm = pj.CallOpParam(True)
        prm.txOption.localUri = identity_uri(party.caller, self._settings, trunk)
        try:
            call.makeCall(dial_uri(party.callee, trunk), prm)
        except pj.Error as error:
            del self._calls[party.call_id]
            line.tell(_never_dialled("gateway", told(error), UNAVAILABLE))

    def _port(self, line: Line) -> CallPort:
        port = CallPort(line.audio, self._settings.clock_rate, line.ticked)
        # The bridge asks only ports that somebody listens to; the null device keeps the clock running through a hold.
        port.startTransmit(self._endpoint.audDevManager().getPlaybackDevMedia())
        return port

    def _over(self, call: SipCall) -> None:
        """Called in a callback of *call*, which must outlive it."""
        self._thread.post(lambda: self._drop(call.line.party.call_id))

    def _drop(self, call_id: UUID) -> None:
        call = self._calls.pop(call_id, None)
        if call is None:
            return
        if call.port is not None:
            call.port.stopTransmit(self._endpoint.audDevManager().getPlaybackDevMedia())
            self._leaving.append((time.monotonic() + PORT_LINGERS, call.port))
            call.port = None
        self._ended.append(call)
        self._release_ended()

    def _release_ended(self) -> None:
        """Drop the calls that are over and whose number in the library nobody has taken over.

        The library numbers calls by their place, and an object that goes hangs up whichever call has its number.
        """
        taken = {call.getId() for call in self._calls.values() if not call.over}
        self._ended = [call for call in self._ended if call.getId() in taken]


def _never_dialled(by: By, reason: str, refusal: Refusal) -> Ended:
    """The end of an outbound call that no SIP message was sent for."""
    return Ended(by, reason, status=refusal.status, phrase=refusal.phrase)
