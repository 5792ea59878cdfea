"""`offhook worker`: do what is to be done behind the calls, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from orchestrator.core.errors import VoiceError
from orchestrator.settings import Settings, read_settings
from orchestrator.telemetry.logs import configure_logging

# Less than its owner waits before it kills it (orchestrator.jobs.process).
_STOP_SECONDS = 6.0

log = structlog.get_logger(__name__)


def worker(
    data: Annotated[Path | None, typer.Option(help="Folder of the Offhook whose work is done.")] = None,
    owned: Annotated[bool, typer.Option("--owned", hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Do the work behind the calls: summaries, figures, deliveries, erasure.

    `offhook up` runs one of these by itself. Others may run beside it, on this machine or on others with the same
    database and engines.
    """
    configure_logging()
    settings = read_settings(data=data)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_work(settings, owned=owned))
        sys.stderr.flush()
        # Everything is closed. What is left are threads, and one that waits for engines that are gone waits for ever.
        os._exit(code)


async def _work(settings: Settings, *, owned: bool) -> int:
    from orchestrator.jobs.working import until_closed, work  # noqa: PLC0415 - heavy

    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    ends: list[asyncio.Task[object]] = [asyncio.create_task(asked.wait())]
    if owned:
        ends.append(asyncio.create_task(until_closed(sys.stdin.fileno())))
    working = asyncio.create_task(work(settings), name="worker")
    await asyncio.wait((working, *ends), return_when=asyncio.FIRST_COMPLETED)
    working.cancel()
    await asyncio.wait((working,), timeout=_STOP_SECONDS)
    if not working.done():
        log.error("worker_cut_off", after=_STOP_SECONDS)
        return 1
    if not working.cancelled() and (failure := working.exception()) is not None:
        if isinstance(failure, VoiceError):
            log.error("cannot_work", error=str(failure))
            return 2
        log.error("worker_failed", exc_info=failure)
        return 1
    log.info("worker_stopped")
    return 0
