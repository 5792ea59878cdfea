"""`offhook worker`: do what is to be done behind the calls, until Ctrl-C."""

from __future__ import annotations

import asyncio
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
        raise typer.Exit(runner.run(_work(settings, owned=owned)))


async def _work(settings: Settings, *, owned: bool) -> int:
    from orchestrator.jobs.working import until_closed, work  # noqa: PLC0415 - heavy

    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    try:
        async with asyncio.TaskGroup() as group:
            working = group.create_task(work(settings), name="worker")
            if owned:
                await until_closed(sys.stdin.fileno())
                working.cancel()
    except asyncio.CancelledError:  # a signal
        pass
    except BaseExceptionGroup as failures:
        if not isinstance(failure := failures.exceptions[0], VoiceError):
            raise
        log.error("cannot_work", error=str(failure))  # noqa: TRY400 - the message says it all
        return 2
    log.info("worker_stopped")
    return 0
