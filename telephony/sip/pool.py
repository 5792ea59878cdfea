"""Keeps gateway processes alive: each is started again, with back-off, when it dies.

    async with gateway_pool(settings) as pool:      # one GatewaySettings a process
        pool.ready, await pool.status(), await pool.dial(request)

Leaving it closes the processes' standard input: they say BYE to every call and end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog
from pydantic import ValidationError

from orchestrator.core.back_off import BackOff
from orchestrator.core.errors import CarrierRejected, ConfigError
from telephony.sip.announcement import ANNOUNCEMENT, Ready, RefusedToStart
from telephony.sip.control import Carry, DialRequest, GatewayStatus
from telephony.sip.settings import VARIABLE, GatewaySettings, Trunk

_ROOT = Path(__file__).resolve().parents[2]

# What a gateway may know of its parent's environment: nothing secret, nothing that redirects it.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. start: until it listens; stop: for its goodbyes; restart, longest: first and longest wait before another
    start; steady: after so long, it is well again; answer: for its control port."""

    start: float = 20.0
    stop: float = 8.0
    restart: float = 0.2
    longest: float = 15.0
    steady: float = 60.0
    answer: float = 2.0


class GatewayProcess:
    """One supervised gateway. control: the port of its HTTP while it listens, None while it does not.

    carried: the accounts' trunks that it has, and is given again when it was started again; most_users: trunks with a
    user that it holds.
    """

    def __init__(self, settings: GatewaySettings, patience: Patience, client: httpx.AsyncClient) -> None:
        self.settings = settings
        self.carried: tuple[Trunk, ...] = ()
        self.most_users = 0
        self._client = client
        self._carrying = asyncio.Lock()
        self.control: int | None = None
        self.pid: int | None = None
        self.restarts = 0
        self.listening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._patience = patience

    async def run(self) -> None:
        """Keep it alive until cancelled, which ends it cleanly. Raises ConfigError when its settings cannot work."""
        clock = asyncio.get_running_loop().time
        back_off = BackOff(self._patience.restart, self._patience.longest, self._patience.steady)
        while True:
            started = clock()
            try:
                code = await self._live_once()
            except OSError as error:  # such as no memory for another process
                if not self.listening.done():
                    raise ConfigError(f"SIP gateway {self.settings.name} cannot be started: {error}") from error
                log.warning("gateway_not_started", gateway=self.settings.name, error=str(error))
                code = -1
            wait = back_off.after(clock() - started)
            # It ends with 0 when it was asked to, such as by whoever stops the whole service at once.
            level, event = (logging.INFO, "gateway_ended") if code == 0 else (logging.ERROR, "gateway_died")
            log.log(level, event, gateway=self.settings.name, exit_code=code, restart_after=wait)
            await asyncio.sleep(wait)
            self.restarts += 1

    async def status(self) -> GatewayStatus | None:
        """What it says of itself; None when it does not answer."""
        if self.control is None:
            return None
        try:
            answer = await self._client.get(self.url("/status"), headers=self.headers)
            return GatewayStatus.model_validate_json(answer.raise_for_status().text)
        except (httpx.HTTPError, ValidationError):
            return None

    async def carry(self, trunks: Sequence[Trunk]) -> dict[str, str] | None:
        """Carry *trunks* and no others of the accounts', now and after each start.

        The names of those that it cannot carry, and why; None when it does not answer now.
        """
        self.carried = tuple(trunks)
        try:
            # What is told last must be the last that it hears.
            async with self._carrying:
                if self.control is None:
                    return None
                wanted = Carry(trunks=self.carried).model_dump_json()
                answer = await self._client.put(self.url("/trunks"), headers=self.headers, content=wanted)
            return dict(answer.raise_for_status().json())
        except httpx.HTTPError as error:
            log.warning("gateway_without_trunks", gateway=self.settings.name, error=repr(error))
            return None

    async def drain(self) -> None:
        """It takes no more calls. Raises httpx.HTTPError."""
        (await self._client.post(self.url("/drain"), headers=self.headers)).raise_for_status()

    def url(self, path: str) -> str:
        """The address of *path* at its control port."""
        return f"http://127.0.0.1:{self.control}{path}"

    @property
    def headers(self) -> dict[str, str]:
        """What its control port wants to see."""
        return {"Authorization": f"Bearer {self.settings.token.get_secret_value()}"}

    async def _live_once(self) -> int:
        """Start the process and wait for its end; its exit code."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "telephony.sip.gateway",
            stdin=PIPE,
            stdout=PIPE,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ}
            | {VARIABLE: self.settings.model_dump_json()},
            start_new_session=True,  # a signal to our group is for us: calls are ended before their gateway is
        )
        try:
            if await self._listens(process):
                log.info("gateway_ready", gateway=self.settings.name, pid=process.pid, port=self.settings.port)
                self.pid = process.pid
                if self.carried:
                    await self.carry(self.carried)
                if not self.listening.done():
                    self.listening.set_result(None)
            return await process.wait()
        finally:
            self.control = self.pid = None
            await asyncio.shield(self._end(process))

    async def _listens(self, process: Process) -> bool:
        """Whether the process has said that it listens; False when it died or says nothing. Raises ConfigError."""
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._patience.start):
                line = await process.stdout.readline()
        except TimeoutError:
            process.kill()
            return False
        if not line:
            return False
        match ANNOUNCEMENT.validate_json(line):
            case RefusedToStart(error=error) if self.listening.done():
                # It has worked before: whatever is in its way, such as its port in use, may go.
                log.warning("gateway_refused_to_start", gateway=self.settings.name, error=error)
                return False
            case RefusedToStart(error=error):
                raise ConfigError(f"SIP gateway {self.settings.name}: {error}")
            case Ready(control_port=port, most_users=users):
                self.control, self.most_users = port, users
                return True

    async def _end(self, process: Process) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(self._patience.stop):
                await process.wait()
        except TimeoutError:
            log.warning("gateway_killed", gateway=self.settings.name, pid=process.pid)
            process.kill()
            await process.wait()


class GatewayPool:
    """The gateways of this machine."""

    def __init__(self, gateways: Sequence[GatewayProcess], client: httpx.AsyncClient) -> None:
        self.gateways = tuple(gateways)
        self.client = client
        self._homes: dict[str, GatewayProcess] = {}

    @property
    def ready(self) -> bool:
        """Whether every gateway listens."""
        return all(gateway.control is not None for gateway in self.gateways)

    async def status(self) -> dict[str, GatewayStatus | None]:
        """What each gateway says of itself, by its name; None for one that does not answer."""
        answers = await asyncio.gather(*(gateway.status() for gateway in self.gateways))
        return dict(zip((gateway.settings.name for gateway in self.gateways), answers, strict=True))

    async def dial(self, request: DialRequest) -> None:
        """Place a call by the first gateway with a free line on the trunk; its leg then opens as an invite.

        A gateway whose answer is late may have begun the call; the next one is asked all the same, for of the legs
        that come with one call's id whoever takes them lets the first one dial. Raises CarrierRejected: 404 when no
        gateway has the trunk, 503 when none can take the call now.
        """
        refusal = CarrierRejected(404, f"no gateway has trunk {request.trunk!r}")
        for gateway in self.gateways:
            if all(trunk.name != request.trunk for trunk in (*gateway.settings.sources, *gateway.carried)):
                continue
            if gateway.control is None:
                refusal = CarrierRejected(503, f"gateway {gateway.settings.name} is being started again")
                continue
            try:
                answer = await self.client.post(
                    gateway.url("/calls"), headers=gateway.headers, content=request.model_dump_json()
                )
            except httpx.HTTPError as error:
                refusal = CarrierRejected(503, f"gateway {gateway.settings.name} does not answer: {error}")
                continue
            if answer.is_success:
                return
            refusal = CarrierRejected(answer.status_code, str(answer.json().get("error", answer.reason_phrase)))
        raise refusal

    async def carry(self, trunks: Sequence[Trunk]) -> dict[str, str]:
        """Carry *trunks* beside the settings', and no others.

        One that registers does so at the gateway with most room, and stays there; the others are at every gateway.
        The names of those that are not carried, and why: "no_room", "no_gateway" for one that does not answer now
        and is told when it does, or what a gateway says.
        """
        registering = {trunk.name for trunk in trunks if trunk.registrar}
        self._homes = {name: home for name, home in self._homes.items() if name in registering}
        wanted: dict[str, list[Trunk]] = {gateway.settings.name: [] for gateway in self.gateways}
        faults: dict[str, str] = {}
        # Those that are somewhere already stay; the newest are those that find no room.
        for trunk in sorted(trunks, key=lambda one: one.name not in self._homes):
            homes = self._homes_of(trunk, wanted)
            if not homes:
                faults[trunk.name] = "no_room"
            elif trunk.registrar:
                self._homes[trunk.name] = homes[0]
            for home in homes:
                wanted[home.settings.name].append(trunk)
        for gateway in self.gateways:
            told = await gateway.carry(wanted[gateway.settings.name])
            mine = {trunk.name for trunk in wanted[gateway.settings.name]}
            faults |= dict.fromkeys(mine, "no_gateway") if told is None else told
        return faults

    def has_room(self, trunk: Trunk) -> bool:
        """Whether another *trunk* can be carried."""
        return bool(self._homes_of(trunk, {gateway.settings.name: gateway.carried for gateway in self.gateways}))

    async def registrations(self) -> dict[str, str]:
        """What the registrar of each trunk last answered, such as "200 OK"; "" before it has."""
        found: dict[str, str] = {}
        for status in (await self.status()).values():
            found |= status.registrations if status is not None else {}
        return found

    def _homes_of(self, trunk: Trunk, carried: Mapping[str, Sequence[Trunk]]) -> tuple[GatewayProcess, ...]:
        """Where *trunk* belongs beside those that are *carried*; nowhere without room."""

        def room(gateway: GatewayProcess) -> int:
            users = sum(bool(one.user) for one in (*gateway.settings.trunks, *carried[gateway.settings.name]))
            return gateway.most_users - users

        if trunk.registrar:
            home = self._homes.get(trunk.name) or max(self.gateways, key=room)
            if room(home) < 1:
                return ()
            return (home,)
        if trunk.user and any(room(gateway) < 1 for gateway in self.gateways):
            return ()
        return self.gateways

    async def drain(self) -> None:
        """No gateway takes another call."""
        await asyncio.gather(*(gateway.drain() for gateway in self.gateways), return_exceptions=True)


@asynccontextmanager
async def gateway_pool(
    settings: Sequence[GatewaySettings], patience: Patience | None = None
) -> AsyncIterator[GatewayPool]:
    """A pool with one process per GatewaySettings, once all of them listen. Raises ConfigError when one cannot."""
    patience = patience or Patience()
    async with httpx.AsyncClient(timeout=patience.answer, trust_env=False) as client:
        gateways = [GatewayProcess(one, patience, client) for one in settings]
        lives = [asyncio.create_task(gateway.run(), name=f"gateway {gateway.settings.name}") for gateway in gateways]
        try:
            await _until_listening(gateways, lives, patience.start)
            yield GatewayPool(gateways, client)
        finally:
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)


async def _until_listening(
    gateways: Sequence[GatewayProcess], lives: Sequence[asyncio.Task[None]], within: float
) -> None:
    """Raises ConfigError when a gateway refuses its settings or does not listen *within* seconds."""
    for gateway, life in zip(gateways, lives, strict=True):
        waits = (gateway.listening, life)
        done, _ = await asyncio.wait(waits, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if life in done:
            life.result()
        if not done:
            raise ConfigError(f"SIP gateway {gateway.settings.name} does not start; its log says why")
