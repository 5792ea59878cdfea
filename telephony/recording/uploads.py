"""Journals become objects, in a thread of its own: never in a call's way, and never given up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import obstore
import structlog
from obstore.exceptions import BaseError

from telephony.recording.journal import CallJournal
from telephony.recording.objects import ObjectStore, end_key, segment_key

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class UploadPatience:
    """Seconds. retry, longest_retry: between tries, doubling; stop: for what is under way when the process ends.

    at_once: objects under way at a time.
    """

    retry: float = 0.5
    longest_retry: float = 60.0
    stop: float = 3.0
    at_once: int = 8


@dataclass(slots=True)
class Upload:
    """One journal on its way. Its methods are for any thread. recovered: another process had begun the recording."""

    journal: CallJournal
    loop: asyncio.AbstractEventLoop
    recovered: bool = False
    steps: asyncio.Queue[int | None] = field(default_factory=asyncio.Queue)

    def segment(self, index: int) -> None:
        """That segment is whole, or the last."""
        self.loop.call_soon_threadsafe(self.steps.put_nowait, index)

    def end(self) -> None:
        """Nothing follows."""
        self.loop.call_soon_threadsafe(self.steps.put_nowait, None)


class Uploads:
    """All of a process's journals on their way. away: the object store did not take the last object."""

    def __init__(self, objects: ObjectStore, patience: UploadPatience) -> None:
        self.away = False
        self._objects = objects
        self._patience = patience
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="uploads")
        self._carrying: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(patience.at_once)

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()

    def stop(self) -> None:
        """Wait for what is under way, but not for long; the rest stays in its journals."""
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def begin(self, journal: CallJournal) -> Upload:
        """Carry a journal that is being written."""
        upload = Upload(journal, self._loop)
        self._loop.call_soon_threadsafe(self._follow, upload)
        return upload

    def resume(self, journal: CallJournal) -> None:
        """Carry what a process that is gone has left of *journal*."""
        log.info("recording_recovered", call=str(journal.call_id), segments=len(journal.segments()))
        upload = Upload(journal, self._loop, recovered=True)
        self._loop.call_soon_threadsafe(self._follow, upload)
        for segment in journal.segments():
            upload.segment(segment)
        upload.end()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _follow(self, upload: Upload) -> None:
        task = self._loop.create_task(self._carry(upload), name=f"upload {upload.journal.call_id}")
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _finish(self) -> None:
        if self._carrying:
            _, late = await asyncio.wait(self._carrying, timeout=self._patience.stop)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _carry(self, upload: Upload) -> None:
        journal = upload.journal
        try:
            while (segment := await upload.steps.get()) is not None:
                await self._carry_segment(journal, segment)
            # It comes last: where it is, everything is.
            await self._put(journal, end_key(journal.account, journal.call_id), b"r" if upload.recovered else b"c")
            journal.remove()
        except FileNotFoundError:
            log.info("recording_erased", call=str(journal.call_id))
            journal.let_go()
        except OSError as error:
            log.error("recording_left_behind", call=str(journal.call_id), error=str(error))  # noqa: TRY400
            journal.let_go()
        except asyncio.CancelledError:
            journal.let_go()
            raise

    async def _carry_segment(self, journal: CallJournal, segment: int) -> None:
        """Raises FileNotFoundError when the recording was erased meanwhile."""
        path = journal.path(segment)
        await self._put(journal, segment_key(journal.account, journal.call_id, segment), path.read_bytes())
        path.unlink()

    async def _put(self, journal: CallJournal, key: str, data: bytes) -> None:
        """Make an object, however long it takes. Raises FileNotFoundError when the journal was erased meanwhile."""
        await self._until_done(lambda: obstore.put_async(self._objects, key, data))
        if not journal.exists():
            await self._until_done(lambda: obstore.delete_async(self._objects, key))
            raise FileNotFoundError(key)

    async def _until_done(self, step: Callable[[], Awaitable[object]]) -> None:
        wait = self._patience.retry
        while True:
            try:
                async with self._places:
                    await step()
            except (BaseError, OSError) as error:
                if not self.away:
                    # Its text may hold an address with credentials.
                    log.warning("objects_away", error=type(error).__name__)
                self.away = True
                await asyncio.sleep(wait)
                wait = min(2 * wait, self._patience.longest_retry)
                continue
            if self.away:
                log.info("objects_back")
            self.away = False
            return
