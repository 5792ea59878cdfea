"""All the SIP calls of a gateway. Lives in PJSIP's thread, except where a method says otherwise."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pjsua2 as pj
import structlog

from orchestrator.core.errors import ConfigError
from telephony.sip.account import Registration, Sources, TrunkAccount, account_config, as_carrier_sees
from telephony.sip.call import OK, RINGING, SipCall
from telephony.sip.endpoint import GatewayEndpoint, capacity, most_trunks, open_endpoint
from telephony.sip.intake import Intake
from telephony.sip.line import FORBIDDEN, FULL, UNAVAILABLE, By, Ended, Line, Party, Refusal, Way
from telephony.sip.media import CallPort
from telephony.sip.pjthread import PjThread, guarded, told
from telephony.sip.playout import CallAudio
from telephony.sip.settings import GatewaySettings, Trunk
from telephony.sip.source_filter import MOST_NETWORKS
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
        self.capacity = self.most_users = 0
        self.draining = False
        self._settings = settings
        self._loop = loop
        self._incoming = incoming
        self._registered = registered
        self._thread = PjThread(self)
        self._sources = Sources.of(settings.sources)
        self._endpoint: GatewayEndpoint
        self._intake: Intake | None = None
        self._trunks = {trunk.name: trunk for trunk in settings.sources}
        self._accounts: dict[str | None, TrunkAccount] = {}
        self._leaving_accounts: list[TrunkAccount] = []
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
        return self._line(Party(call_id, "outbound", caller, target, trunk.name), trunk.echo_guard)

    async def carry(self, trunks: Sequence[Trunk]) -> dict[str, str]:
        """From asyncio: carry *trunks* beside the settings', and no others. Their networks must be named.

        One that is gone is unregistered and lets no new call in; its calls go on, and until the last has ended it keeps
        its place. The names of those that cannot be carried, and why: "no_room", or what PJSIP says.
        """
        return await self._thread.ask(lambda: self._carry(trunks))

    def open(self) -> None:
        """Listen and register."""
        self._endpoint = open_endpoint(self._settings)
        self._intake = Intake(self._refusal, capacity())
        self.capacity = min(capacity(), self._settings.max_calls or capacity())
        self.most_users = most_trunks()
        try:
            if "tcp" in self._settings.transports:
                self._endpoint.befriend(self._settings.port, self._sources.networks)
            self._open_accounts()
        except (pj.Error, OSError, ConfigError) as error:
            self.close()
            raise ConfigError(told(error)) from error

    def _open_accounts(self) -> None:
        known = [trunk for trunk in self._settings.trunks if trunk.user]
        if len(known) > self.most_users:
            raise ConfigError(f"this PJSIP holds {self.most_users} trunks with a user, and there are {len(known)}")
        for trunk in (None, *known):
            self._open_account(trunk)

    def _open_account(self, trunk: Trunk | None) -> None:
        account = TrunkAccount(trunk, self._invited, self._told)
        account.create(account_config(self._settings, trunk), trunk is None)
        self._accounts[trunk.name if trunk else None] = account

    def _carry(self, trunks: Sequence[Trunk]) -> dict[str, str]:
        users = {trunk.name for trunk in trunks if trunk.user}
        for name, account in list(self._accounts.items()):
            if self._is_added(account) and name not in users:
                del self._accounts[name]
                self._leaving_accounts.append(account)
                guarded(partial(account.leave, time.monotonic()))
        faults: dict[str, str] = {}
        networks = set(replace(self._sources, added=()).networks)
        carried: list[Trunk] = []
        for trunk in trunks:
            fault = "no_room" if len(networks.union(trunk.networks)) > MOST_NETWORKS else self._register(trunk)
            if fault is None:
                networks.update(trunk.networks)
                carried.append(trunk)
            else:
                faults[trunk.name] = fault
        for name in faults.keys() & self._accounts.keys():
            self._leaving_accounts.append(self._accounts.pop(name))
            guarded(partial(self._leaving_accounts[-1].leave, time.monotonic()))
        self._sources = replace(self._sources, added=tuple(carried))
        self._trunks = {trunk.name: trunk for trunk in (*self._settings.sources, *carried)}
        if "tcp" in self._settings.transports:
            self._endpoint.befriend(self._settings.port, networks)
        return faults

    def _register(self, trunk: Trunk) -> str | None:
        """Let PJSIP know the user of *trunk*, if it has one, as it is now; why not, if so."""
        if not trunk.user:
            return None
        account = self._accounts.get(trunk.name)
        try:
            if account is not None:
                before, account.trunk = account.trunk, trunk
                if before is None or as_carrier_sees(before) != as_carrier_sees(trunk):
                    account.modify(account_config(self._settings, trunk))
            elif len(self._accounts) + len(self._leaving_accounts) > self.most_users:
                return "no_room"
            else:
                self._open_account(trunk)
        except pj.Error as error:
            return told(error)
        return None

    def _is_added(self, account: TrunkAccount) -> bool:
        """Whether *account* is of a trunk that is not the settings'."""
        return account.trunk is not None and account.trunk not in self._settings.trunks

    def _is_another_s(self, account: TrunkAccount, trunks: Sequence[Trunk]) -> bool:
        """Whether *account* is of a trunk of somebody whose none of *trunks* is."""
        mine = account.trunk
        if mine is None or not self._is_added(account):
            return False
        return not any(one.name == mine.name or (one.account and one.account == mine.account) for one in trunks)

    def _let_go(self, now: float) -> None:
        """Forget the trunks that are gone, once their registrars have said so and no call of theirs is left."""
        busy = [call.account for call in (*self._calls.values(), *self._ended)]
        for account in list(self._leaving_accounts):
            if (account.leaves_at or 0.0) > now:
                continue
            if not any(one is account for one in busy):
                self._leaving_accounts.remove(account)
                guarded(account.shutdown)
            elif account.trunk is not None:
                guarded(account.blank)

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
        if self._leaving_accounts:
            self._let_go(now)
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
        self._endpoint.close(registered=any(trunk.registrar for trunk in self._trunks.values()))
        self._accounts.clear()
        self._leaving_accounts.clear()

    def _refusal(self) -> Refusal | None:
        """Why no new call can be taken now, if so."""
        if self.draining:
            return UNAVAILABLE
        return FULL if len(self._calls) >= self.capacity else None

    def _line(self, party: Party, echo_guard: bool = False) -> Line:
        line = Line(party, CallAudio(self._settings.clock_rate), self._loop)
        line.ways = (Way(party.trunk, party.callee, echo_guard),)
        return line

    def _told(self, registration: Registration) -> None:
        self._loop.call_soon_threadsafe(self._registered, registration)

    def _invited(self, account: TrunkAccount, prm: Any) -> None:
        trunks = self._sources.trunks_of(prm.rdata.srcAddress)
        party = Party(uuid4(), "inbound", "", "", trunks[0].name if trunks else "")
        call = SipCall(account, prm.callId, self._line(party), self._port, self._over)
        # A call without a reference to it is dropped by the library, unanswered.
        self._calls[party.call_id] = call
        if not trunks:
            log.warning("call_refused", status=403, source=prm.rdata.srcAddress)
            call.end("gateway", "forbidden", FORBIDDEN)
        elif self._is_another_s(account, trunks):
            # PJSIP takes an account by the To header, and would answer a challenge in the call with its password.
            log.warning("call_refused", status=403, source=prm.rdata.srcAddress, reason="to another's domain or user")
            call.end("gateway", "forbidden", FORBIDDEN)
        else:
            info = call.getInfo()
            called = ((one, called_user(prm.rdata.wholeMsg, info.localUri, one)) for one in trunks)
            ways = tuple(Way(one.name, callee, one.echo_guard) for one, callee in called)
            call.line.ways = ways
            call.line.party = Party(party.call_id, "inbound", user_of(info.remoteUri), ways[0].callee, ways[0].trunk)
            call.respond(RINGING)
            self._loop.call_soon_threadsafe(self._incoming, call.line)

    def _dial(self, line: Line) -> None:
        party = line.party
        trunk = self._trunks.get(party.trunk)
        if trunk is None:
            line.tell(_never_dialled("gateway", "no_trunk", UNAVAILABLE))
            return
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
