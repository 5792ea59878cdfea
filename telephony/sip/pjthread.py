"""The one thread that may call PJSIP.

PJSIP aborts or hangs when an unregistered thread calls it, or when the garbage collector of one destroys its objects.
So the library runs without worker threads, everything that touches it is a job for this thread, and no other thread
ever holds one of its objects:

    thread = PjThread(library)               # opened, polled and closed in the thread
    await thread.start()
    code = await thread.ask(lambda: ...)     # from asyncio: the job's result, or its exception
    thread.post(lambda: ...)                 # from anywhere, PJSIP's callbacks included: no answer
    await thread.close()

Jobs run in order, between two rounds of PJSIP's events, so within 10 ms. While the thread runs, it alone collects
garbage: Python would do it in whichever thread allocates next.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

import pjsua2 as pj
import structlog

from orchestrator.core.errors import ConfigError, VoiceError

T = TypeVar("T")
Job = Callable[[], None]

COLLECT_SECONDS = 10.0

log = structlog.get_logger()


class Library(Protocol):
    """PJSIP, configured for some use."""

    def open(self) -> None:
        """Start it; on failure nothing is left open."""
        ...

    def poll(self) -> None:
        """Handle its events for 10 ms, and whatever is due."""
        ...

    def close(self) -> None:
        """Stop it."""
        ...


class PjThread:
    """Runs a library until it is closed."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._jobs: deque[Job] = deque()
        self._stopping = False
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="pjsip")

    async def start(self) -> None:
        """Open the library. Raises ConfigError when it refuses the configuration, such as a port in use."""
        self._thread.start()
        await asyncio.wrap_future(self._ready)

    async def close(self) -> None:
        """Close the library and end the thread."""
        self._stopping = True
        await asyncio.to_thread(self._thread.join)

    def post(self, job: Job) -> None:
        """Run *job* soon; its failure is logged."""
        self._jobs.append(job)

    async def ask(self, job: Callable[[], T]) -> T:
        """The result of *job*, which must not be an object of PJSIP. Cancelling does not stop it."""
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(job())
            except Exception as error:
                answer.set_exception(RuntimeError(told(error)))

        self._jobs.append(run)
        return await asyncio.wrap_future(answer)

    def _run(self) -> None:
        try:
            self._library.open()
        except Exception as error:
            self._ready.set_exception(ConfigError(f"the SIP endpoint cannot start: {told(error)}"))
            return
        gc.disable()
        # What lives by now lives as long as the process; leaving it out makes a collection a matter of a millisecond.
        gc.freeze()
        self._ready.set_result(None)
        self._work()
        guarded(self._library.close)
        gc.enable()

    def _work(self) -> None:
        collected = time.monotonic()
        while not self._stopping or self._jobs:
            while self._jobs:
                guarded(self._jobs.popleft())
            guarded(self._library.poll)
            if time.monotonic() - collected > COLLECT_SECONDS:
                gc.collect()
                collected = time.monotonic()


def guarded(job: Job) -> None:
    """Run *job* where no exception may pass, as in PJSIP's callbacks; its failure is logged."""
    try:
        job()
    except Exception as error:
        log.warning("sip_job_failed", error=told(error))


def told(error: Exception) -> str:
    """What went wrong, in words; PJSIP's own errors keep theirs in a method."""
    if isinstance(error, pj.Error):
        return f"{error.title}: {error.reason}"
    return str(error) if isinstance(error, VoiceError) else f"{type(error).__name__}: {error}"
