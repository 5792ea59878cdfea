"""A process that runs engines for another one: `python -m inference.local.host SOCKET`.

Its standard input is one line of JSON, a HostPlan, and then nothing until its owner dies or lets go of it, which ends
the process. Its standard output is one line of JSON, {"ready": true} or {"failed": …}. Requests come over the UNIX
socket, one at a time on a connection: (engine, operation, arguments). Answers are ("result", value), ("error",
description), or any number of ("item", value) and then ("end", None).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, TextIO, TypeAlias

import structlog

from inference.failures import described
from inference.loading import HostedEngine, check, unload
from inference.local.plan import HostPlan
from inference.local.remote import PING
from inference.local.wire import receive, send
from inference.operations import OPERATIONS
from orchestrator.core.errors import BadOutput, ConfigError, EngineError
from orchestrator.core.time_slice import ask_for_slices

log = structlog.get_logger(__name__)

Answer: TypeAlias = tuple[str, object]

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_CLOSING = 3.0  # seconds in which engines may free what they hold


class Host:
    """Answers requests for the engines that it holds: by name, with the manifest that each was built from."""

    def __init__(self, engines: Mapping[str, tuple[HostedEngine, Any]]) -> None:
        self._engines = engines

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer the requests of a connection. When the other side closes it, the one under way is cancelled."""
        begun = b""
        try:
            while True:
                begun = await self._serve_one(await receive(reader, begun), reader, writer)
        except* (OSError, IncompleteReadError):
            log.debug("caller_gone")
        finally:
            writer.close()

    async def _serve_one(
        self, request: tuple[str, str, dict[str, object]], reader: StreamReader, writer: StreamWriter
    ) -> bytes:
        """Answer *request*; what was read of the next one meanwhile."""
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._answer(request, writer))
            watch = tasks.create_task(_cancel_at_end(reader, work))
            work.add_done_callback(lambda _: watch.cancel())
        return b"" if watch.cancelled() else watch.result()

    async def _answer(self, request: tuple[str, str, dict[str, object]], writer: StreamWriter) -> None:
        async with aclosing(self._answers(*request)) as answers:
            async for answer in answers:
                try:
                    await send(writer, answer)
                except TypeError as error:
                    await send(writer, ("error", described(BadOutput(request[0], str(error)), request[0])))
                    return

    async def _answers(self, name: str, operation: str, arguments: dict[str, object]) -> AsyncGenerator[Answer, None]:
        if operation == PING:
            yield await self._pulse()
            return
        try:
            hosted, engine = self._engines[name]
            terms = OPERATIONS[hosted.manifest.kind][operation]
        except KeyError:
            yield "error", described(EngineError(name, f"cannot {operation!r}: no such engine or operation"), name)
            return
        try:
            if terms.streams:
                async with aclosing(getattr(engine, operation)(**arguments)) as items:
                    async for item in items:
                        yield "item", item
                yield "end", None
            else:
                yield "result", await getattr(engine, operation)(**arguments)
        except Exception as error:
            # The border of the process: whatever an engine raises belongs to whoever asked.
            yield "error", described(error, name)

    async def _pulse(self) -> Answer:
        for _, engine in self._engines.values():
            try:
                await check(engine)
            except EngineError as error:
                return "error", described(error, error.engine)
        return "result", True

    async def close(self) -> None:
        """Let the engines free what they hold."""
        for _, engine in self._engines.values():
            await unload(engine)


async def _cancel_at_end(reader: StreamReader, work: asyncio.Task[None]) -> bytes:
    """Cancel *work* when the other side closes the connection.

    Gives the first byte of the next request, which comes no sooner than the whole answer to this one has gone out.
    """
    try:
        begun = await reader.read(1)
    except OSError:
        begun = b""
    if not begun:
        work.cancel()
    return begun


async def _run(plan: HostPlan, socket: str, report: TextIO) -> None:
    try:
        host = Host({hosted.manifest.name: (hosted, await hosted.load()) for hosted in plan.engines})
    except Exception as error:
        # Whatever keeps an engine from starting belongs to whoever started this process.
        if not isinstance(error, ConfigError):  # that one says it all
            log.exception("engines_failed_to_load")
        _tell(report, {"failed": described(error, plan.name)})
        return
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await asyncio.start_unix_server(host.serve, socket):
        _tell(report, {"ready": True})
        async with asyncio.TaskGroup() as tasks:
            owner = tasks.create_task(_set_at_end_of_input(stop))
            await stop.wait()
            owner.cancel()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSING):
            await host.close()


async def _set_at_end_of_input(stop: asyncio.Event) -> None:
    reader = StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    stop.set()


def _tell(report: TextIO, message: Mapping[str, object]) -> None:
    report.write(json.dumps(message) + "\n")
    report.flush()


def main() -> None:
    """Run the engines of the plan on standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The end of the input says the same, but only to an event loop that still turns.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Libraries print to standard output; that must not be taken for our report.
    report = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    plan = HostPlan.model_validate_json(sys.stdin.readline())
    os.nice(plan.niceness)
    # Whoever computes for long has nothing of short slices, and takes the cores from those who do.
    ask_for_slices(0)
    asyncio.run(_run(plan, sys.argv[1], report))
    # A thread that is stuck in native code would keep the interpreter from ending; there is nothing left to save.
    os._exit(0)


if __name__ == "__main__":
    main()
