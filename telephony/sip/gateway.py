"""The SIP gateway process: `python -m telephony.sip.gateway`, told by the environment variable OFFHOOK_SIP_GATEWAY.

Prints one line of JSON when it listens. SIGTERM, or the end of standard input when that is a pipe, ends it: a BYE to
every call, then exit code 0. SIGINT is ignored: the parent decides.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections import Counter
from pathlib import Path
from typing import TextIO
from uuid import UUID

import structlog
import uvloop

from orchestrator.core.errors import ConfigError
from telephony.recording import Recordings, open_objects
from telephony.sip.account import Registration, as_carrier_sees
from telephony.sip.announcement import REFUSED, Ready, RefusedToStart
from telephony.sip.control import Carry, ControlServer, DialRequest, GatewayStatus, Refused
from telephony.sip.line import UNAVAILABLE, Ended, Line
from telephony.sip.session import Session
from telephony.sip.settings import VARIABLE, GatewaySettings, gateway_settings
from telephony.sip.switchboard import Switchboard

GOODBYE_SECONDS = 3.0  # for every BYE to be answered, or for its retransmissions to be pointless
SWITCH_SECONDS = 0.001  # a thread waits this long for another's turn; a media tick is 20 ms

log = structlog.get_logger()


class Gateway:
    """The calls of this process. Lives on the event loop; its calls are tasks of *group*."""

    def __init__(self, settings: GatewaySettings, recordings: Recordings, group: asyncio.TaskGroup) -> None:
        self._settings = settings
        self._recordings = recordings
        self._group = group
        self._switchboard = Switchboard(settings, asyncio.get_running_loop(), self._carry, self._registered)
        self._calls: dict[UUID, asyncio.Task[None]] = {}
        self._lines: dict[UUID, Line] = {}
        self._trunks = settings.sources
        self._registrations: dict[str, str] = {trunk.name: "" for trunk in settings.trunks if trunk.registrar}
        self._answered = 0
        self._refused: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()

    async def start(self) -> None:
        """Listen. Raises ConfigError."""
        await self._switchboard.start()

    async def stop(self) -> None:
        """Say goodbye to every call and stop listening."""
        self.drain()
        for line in self._lines.values():
            self._switchboard.end(line, "gateway", "shutdown", UNAVAILABLE)
        if self._calls:
            await asyncio.wait(self._calls.values(), timeout=GOODBYE_SECONDS)
        await self._switchboard.stop()
        for task in self._calls.values():
            task.cancel()

    @property
    def most_users(self) -> int:
        """Trunks with a user that it holds, once it listens."""
        return self._switchboard.most_users

    async def carry(self, wanted: Carry) -> dict[str, str]:
        """Carry those trunks beside the settings'; why not, by the names of those that it cannot carry."""
        # A trunk that is as it was keeps what its registrar last said. The others' may answer before we go on here.
        before = {trunk.name: as_carrier_sees(trunk) for trunk in self._trunks}
        for trunk in wanted.trunks:
            if trunk.registrar and before.get(trunk.name) != as_carrier_sees(trunk):
                self._registrations[trunk.name] = ""
        faults = await self._switchboard.carry(wanted.trunks)
        self._trunks = (*self._settings.sources, *(trunk for trunk in wanted.trunks if trunk.name not in faults))
        self._registrations = {trunk.name: self._registrations[trunk.name] for trunk in self._trunks if trunk.registrar}
        return faults

    def dial(self, request: DialRequest) -> None:
        """Begin an outbound call. Raises Refused."""
        if self._switchboard.draining or len(self._calls) >= self._switchboard.capacity:
            raise Refused(503, "draining" if self._switchboard.draining else "every line is taken")
        trunk = next((trunk for trunk in self._trunks if trunk.name == request.trunk), None)
        if trunk is None:
            raise Refused(404, f"no trunk {request.trunk!r}")
        if request.call_id in self._calls:
            raise Refused(409, f"call {request.call_id} is there already")
        try:
            self._carry(self._switchboard.outbound(request.call_id, request.caller, request.to, trunk))
        except ValueError as error:
            raise Refused(422, str(error)) from error

    def drain(self) -> None:
        """Take no more calls."""
        self._switchboard.draining = True

    def status(self) -> GatewayStatus:
        """How this process is."""
        return GatewayStatus(
            name=self._settings.name,
            port=self._settings.port,
            capacity=self._switchboard.capacity,
            calls=len(self._calls),
            draining=self._switchboard.draining,
            registrations=self._registrations,
            answered=self._answered,
            refused=dict(self._refused),
            ended=dict(self._ended),
        )

    def _registered(self, registration: Registration) -> None:
        if registration.trunk not in self._registrations:
            return
        told = f"{registration.status} {registration.reason}".strip()
        self._registrations[registration.trunk] = told
        log.info("registration", trunk=registration.trunk, answer=told, registered=registration.registered)

    def _carry(self, line: Line) -> None:
        call_id = line.party.call_id
        self._lines[call_id] = line
        self._calls[call_id] = self._group.create_task(self._call(line), name=f"call {call_id}")

    async def _call(self, line: Line) -> None:
        call_id = line.party.call_id
        try:
            self._note(line, await Session(line, self._switchboard, self._settings, self._recordings).run())
        except Exception:
            log.exception("call_failed", call=str(call_id))
            self._switchboard.end(line, "gateway", "error", UNAVAILABLE)
        finally:
            del self._lines[call_id], self._calls[call_id]

    def _note(self, line: Line, ended: Ended) -> None:
        if ended.answered:
            self._answered += 1
            self._ended[ended.reason] += 1
        else:
            self._refused[str(ended.status)] += 1
        log.info(
            "call_over",
            call=str(line.party.call_id),
            direction=line.party.direction,
            trunk=line.party.trunk,
            by=ended.by,
            reason=ended.reason,
            status=ended.status,
            **ended.stats.model_dump(),
        )


async def serve(settings: GatewaySettings, announcements: TextIO) -> None:
    """Run a gateway until SIGTERM or the end of standard input. Raises ConfigError when it cannot listen."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    with Recordings(settings.journals, open_objects(settings.objects)) as recordings:
        async with asyncio.TaskGroup() as group:
            gateway = Gateway(settings, recordings, group)
            await gateway.start()
            control = ControlServer(gateway, settings.token.get_secret_value(), settings.control_port)
            serving = group.create_task(control.run_until_exit())
            watching = group.create_task(_wait_for_end_of_input(stopping))
            announcements.write(_ready(settings, control, gateway).model_dump_json() + "\n")
            await stopping.wait()
            watching.cancel()
            await gateway.stop()
            control.should_exit = True
            await serving


def _ready(settings: GatewaySettings, control: ControlServer, gateway: Gateway) -> Ready:
    return Ready(port=settings.port, control_port=control.port, most_users=gateway.most_users)


async def _wait_for_end_of_input(stopping: asyncio.Event) -> None:
    """A parent that holds the other end of our standard input is alive as long as that is open."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):  # uvloop's pipes are sockets
        return
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass
    stopping.set()


def _own_stdout() -> TextIO:
    """Standard output for us alone: what PJSIP prints there before it can be told not to is dropped."""
    ours = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return ours


def main() -> int:
    """Exit code 0 after a clean end, 2 for settings that do not work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_SECONDS)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    announcements = _own_stdout()
    code = 0
    try:
        uvloop.run(serve(gateway_settings(os.environ.get(VARIABLE)), announcements))
    except* ConfigError as refusals:
        error = "; ".join(str(refusal) for refusal in refusals.exceptions)
        log.warning("refused_to_start", error=error)
        announcements.write(RefusedToStart(error=error).model_dump_json() + "\n")
        code = REFUSED
    return code


if __name__ == "__main__":
    ended_with = main()
    sys.stderr.flush()
    # Everything is closed. What Python still takes down by itself is PJSIP's objects, in any order: one gateway whose
    # parent had been killed was found there, counting references for ever.
    os._exit(ended_with)
