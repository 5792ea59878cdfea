"""Keeps a process with engines alive: starts it, watches it, and starts it again when it dies or hangs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Never, Self

import structlog

from inference.environment import engine_environment
from inference.failures import rebuilt
from inference.local.connections import Connections
from inference.local.patience import Patience
from inference.local.plan import HostPlan
from inference.local.remote import PING, SocketChannel
from inference.remote import Gauge
from orchestrator.core.back_off import BackOff
from orchestrator.core.errors import EngineError, EngineUnavailable, VoiceError

log = structlog.get_logger(__name__)

# What an engine's process may know of its owner's environment: nothing secret, and nothing that says where to call.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CUDA_VISIBLE_DEVICES")


class _Lost(Exception):
    """The process can no longer be used, and why."""


class EngineProcess:
    """One supervised process. Entering it starts it and returns when its engines are ready, or raises why they are not.

    alive: whether requests have somewhere to go now; restarts: how often it was started again; socket: where it
    listens, in each of its lives; on_restart is told the process's name and the reason each time.
    Raises ConfigError or EngineError on entering.
    """

    def __init__(
        self, plan: HostPlan, patience: Patience, on_restart: Callable[[str, str], None] = lambda process, reason: None
    ) -> None:
        self.plan = plan
        self.alive = False
        self.restarts = 0
        self._patience = patience
        self._on_restart = on_restart
        self._folder = tempfile.TemporaryDirectory(prefix="offhook-engines-")  # mode 0700
        self.socket = Path(self._folder.name) / "engines.sock"
        self._connections = Connections(self.socket)
        self._stuck = asyncio.Event()
        self._child: Process | None = None
        self._life: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process that serves now."""
        return self._child.pid if self._child else None

    def channel(self, engine: str) -> SocketChannel:
        """The way to the engine whose manifest has that name."""
        return SocketChannel(engine, self._connections)

    def gauge(self) -> Gauge:
        """A gauge for one of the engines; deadlines that it misses count against the process."""
        return Gauge(on_miss=self._missed)

    async def __aenter__(self) -> Self:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(ready), name=f"engine process {self.plan.name}")
        try:
            await asyncio.wait((ready, self._life), return_when=asyncio.FIRST_COMPLETED)
            await (ready if ready.done() else self._life)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        assert self._life is not None
        self._life.cancel()
        with suppress(asyncio.CancelledError):
            await self._life
        self._folder.cleanup()

    def _missed(self, misses: int) -> None:
        if misses >= self._patience.misses:
            self._stuck.set()

    async def _live(self, ready: asyncio.Future[None]) -> None:
        clock = asyncio.get_running_loop().time
        back_off = BackOff(self._patience.restart, self._patience.longest, self._patience.steady)
        while True:
            started = clock()
            reason = await self._one_life(ready)
            if ready.exception() is not None:
                return  # it never served: whoever entered is told, and decides
            wait = back_off.after(clock() - started)
            log.error("engine_process_lost", process=self.plan.name, reason=reason, restart_after=wait)
            await asyncio.sleep(wait)
            self.restarts += 1
            self._on_restart(self.plan.name, reason)

    async def _one_life(self, ready: asyncio.Future[None]) -> str:
        """Start the process and watch it until it is lost; the reason. Sets *ready*, one way or the other."""
        try:
            async with self._started() as child:
                await self._until_loaded(child)
                log.info("engine_process_ready", process=self.plan.name, pid=child.pid)
                self.alive = True
                if not ready.done():
                    ready.set_result(None)
                await self._until_lost(child)
        except (_Lost, VoiceError, OSError) as error:
            if not ready.done():
                ready.set_exception(
                    error if isinstance(error, VoiceError) else EngineUnavailable(self.plan.name, str(error))
                )
            return str(error)
        finally:
            self.alive = False

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[Process]:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "inference.local.host", str(self.socket)),
            stdin=PIPE,
            stdout=PIPE,
            env=_environment(self.plan.threads),
            start_new_session=True,  # Ctrl-C at the terminal is for the owner, who ends its children in order
        )
        assert child.stdin is not None
        self._child = child
        self._stuck.clear()
        try:
            child.stdin.write(self.plan.model_dump_json(by_alias=True).encode() + b"\n")
            yield child
        except asyncio.CancelledError:
            self._connections.close()
            child.stdin.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience.stop):
                    await child.wait()
            raise
        finally:
            self._child = None
            self._connections.close()
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()

    async def _until_loaded(self, child: Process) -> None:
        assert child.stdout is not None
        try:
            async with asyncio.timeout(self._patience.start):
                line = await child.stdout.readline()
                if not line:
                    raise _Lost(f"ended while it loaded, with status {await child.wait()}")
        except TimeoutError:
            raise _Lost(f"did not load within {self._patience.start:g} s") from None
        report = json.loads(line)
        if "failed" in report:
            raise rebuilt(report["failed"])

    async def _until_lost(self, child: Process) -> Never:
        try:
            async with asyncio.TaskGroup() as watches:
                watches.create_task(_until_ended(child))
                watches.create_task(self._until_silent())
                watches.create_task(self._until_stuck())
        except* _Lost as lost:
            reason = lost.exceptions[0]
        raise reason

    async def _until_silent(self) -> Never:
        pulse = self.channel(PING)
        while True:
            await asyncio.sleep(self._patience.pulse)
            try:
                async with asyncio.timeout(self._patience.answer):
                    await pulse.ask(PING, {})
            except TimeoutError:
                raise _Lost(f"hangs: no answer to a ping for {self._patience.answer:g} s") from None
            except EngineError as error:
                raise _Lost(f"no longer serves: {error}") from None

    async def _until_stuck(self) -> Never:
        await self._stuck.wait()
        raise _Lost(f"is stuck: {self._patience.misses} requests in a row had no answer in time")


async def _until_ended(child: Process) -> Never:
    raise _Lost(f"ended with status {await child.wait()}")


def _environment(threads: int) -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | engine_environment(threads)
