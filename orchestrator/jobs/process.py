"""Keeps a worker process alive beside the calls: it is started again, with back-off, when it dies.

Leaving the block closes the process's standard input, at which it gives back what it is at and ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from orchestrator.core.back_off import BackOff

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. stop: for a clean end; restart, longest: first and longest wait before another start; steady: after so
    long, it is well again."""

    stop: float = 8.0
    restart: float = 0.5
    longest: float = 60.0
    steady: float = 60.0


class WorkerProcess:
    """One supervised worker. environment: what it has besides ours; pid: None while it is down."""

    def __init__(self, environment: Mapping[str, str], patience: Patience | None = None) -> None:
        self.pid: int | None = None
        self.restarts = 0
        self._environment = environment
        self._patience = patience or Patience()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It runs during the block."""
        life = asyncio.create_task(self._live(), name="worker process")
        try:
            yield
        finally:
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life

    async def _live(self) -> None:
        clock = asyncio.get_running_loop().time
        back_off = BackOff(self._patience.restart, self._patience.longest, self._patience.steady)
        while True:
            started = clock()
            try:
                code = await self._live_once()
            except OSError as error:  # such as no memory for another process
                log.warning("worker_not_started", error=str(error))
                code = -1
            wait = back_off.after(clock() - started)
            level, event = (logging.INFO, "worker_ended") if code == 0 else (logging.ERROR, "worker_died")
            log.log(level, event, exit_code=code, restart_after=wait)
            await asyncio.sleep(wait)
            self.restarts += 1

    async def _live_once(self) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "orchestrator", "worker", "--owned"),
            stdin=PIPE,
            env={**os.environ, **self._environment},
            start_new_session=True,  # Ctrl-C at the terminal is for the owner, who ends its children in order
        )
        self.pid = process.pid
        try:
            return await process.wait()
        finally:
            self.pid = None
            await asyncio.shield(self._end(process))

    async def _end(self, process: Process) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(self._patience.stop):
                await process.wait()
        except TimeoutError:
            log.warning("worker_killed", pid=process.pid)
            process.kill()
            await process.wait()
