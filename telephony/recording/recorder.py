"""Recordings as they are made, in whatever process has the samples: sealed twice a second by one thread.

    with Recordings(folder, open_objects(objects)) as recordings:
        recording = recordings.open(call_id, ContentKey(account, secret), rate, failed)
        recording.write(caller, agent)      # PCM16 of one length, as often as there is some; neither waits nor raises
        recording.close()

A SIP gateway does this with each tick. Any other leg can, as long as it has both channels on one clock: silence fills
what nobody said. When the disk refuses, that recording stops and says so, and the call goes on.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

import numpy as np

from telephony.recording.journal import CallJournal
from telephony.recording.objects import ObjectStore
from telephony.recording.sealing import FRAME_BYTES, SEGMENT_CHUNKS, ContentKey, Layout, Seal
from telephony.recording.uploads import Upload, UploadPatience, Uploads

Failure = Callable[[str], None]

_SAMPLE_BYTES = 2


class Recording:
    """One being made. Made by Recordings.open; written to by one thread."""

    def __init__(self, sealed: _Sealed, layout: Layout, work: Callable[[Callable[[], None]], None]) -> None:
        self._sealed = sealed
        self._work = work
        self._enough = layout.chunk_frames * _SAMPLE_BYTES
        self._callers: list[bytes] = []
        self._agents: list[bytes] = []
        self._pending_bytes = 0

    def write(self, caller: bytes, agent: bytes) -> None:
        """Append PCM16 LE of one length for both channels."""
        self._callers.append(caller)
        self._agents.append(agent)
        self._pending_bytes += len(caller)
        if self._pending_bytes >= self._enough:
            self._hand_over()

    def close(self) -> None:
        """Nothing follows. What is pending is sealed, and all of it becomes objects in its time."""
        self._hand_over()
        self._work(self._sealed.finish)

    def _hand_over(self) -> None:
        caller, agent = b"".join(self._callers), b"".join(self._agents)
        self._callers, self._agents, self._pending_bytes = [], [], 0
        self._work(lambda: self._sealed.append(caller, agent))


class _Sealed:
    """The writer's side of a recording. In its thread alone. begin: makes its journal, and carries that."""

    def __init__(self, begin: Callable[[], Upload], seal: Seal, layout: Layout, failed: Failure) -> None:
        self._begin = begin
        self._seal = seal
        self._layout = layout
        self._failed = failed
        self._pending = bytearray()
        self._chunks = 0
        self._upload: Upload | None = None
        self._file: int | None = None
        self._broken = False

    def append(self, caller: bytes, agent: bytes) -> None:
        if self._broken:
            return
        self._pending += np.column_stack((np.frombuffer(caller, "<i2"), np.frombuffer(agent, "<i2"))).tobytes()
        whole = self._layout.chunk_bytes
        while len(self._pending) >= whole and not self._broken:
            self._keep(bytes(self._pending[:whole]))
            del self._pending[:whole]

    def finish(self) -> None:
        if self._pending and not self._broken:
            self._keep(bytes(self._pending))
        self._close_segment()
        if self._upload is None and not self._broken:
            with suppress(OSError):  # nobody spoke: there is nothing to lose
                self._upload = self._begin()
        if self._upload is not None:
            self._upload.end()

    def _keep(self, pcm: bytes) -> None:
        assert len(pcm) % FRAME_BYTES == 0
        try:
            self._write(self._seal.seal(self._chunks, pcm))
        except OSError as error:
            self._broken = True
            self._failed(error.strerror or str(error))
            return
        self._chunks += 1
        if self._chunks % SEGMENT_CHUNKS == 0:
            self._close_segment()

    def _write(self, sealed: bytes) -> None:
        """All of *sealed*, or nothing. Raises OSError."""
        if self._upload is None:
            self._upload = self._begin()
        if self._file is None:
            path = self._upload.journal.path(self._chunks // SEGMENT_CHUNKS)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        size = os.fstat(self._file).st_size
        left = memoryview(sealed)
        try:
            while left:  # a disk that is about to be full takes less than it is given
                left = left[os.write(self._file, left) :]
        except OSError:
            os.ftruncate(self._file, size)
            raise

    def _close_segment(self) -> None:
        if self._file is None:
            return
        empty = os.fstat(self._file).st_size == 0
        os.close(self._file)
        self._file = None
        assert self._upload is not None
        if not empty:
            self._upload.segment((self._chunks - 1) // SEGMENT_CHUNKS)


class Recordings:
    """The thread that seals recordings into journals in *folder*, and the one that makes *objects* of them.

    Entering it goes on with what processes that are gone have left there. Leaving it seals what is pending; what has
    not become an object a little later is left to the next process.
    """

    def __init__(self, folder: Path, objects: ObjectStore, patience: UploadPatience | None = None) -> None:
        self._folder = folder
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recordings")
        self._uploads = Uploads(objects, patience or UploadPatience())

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._uploads.start()
        for journal in CallJournal.left(self._folder):
            self._uploads.resume(journal)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._jobs.put(None)
        self._thread.join()
        self._uploads.stop()

    def open(self, call_id: UUID, key: ContentKey, rate: int, failed: Failure) -> Recording:
        """The recording of a call. *failed* is called in the writer's thread, once, when the disk refuses."""

        def begin() -> Upload:
            return self._uploads.begin(CallJournal.make(self._folder, call_id, key.account))

        layout = Layout(rate)
        return Recording(_Sealed(begin, Seal(call_id, rate, key.secret), layout, failed), layout, self.submit)

    def submit(self, job: Callable[[], None]) -> None:
        """Run *job* in the writer's thread, after what was handed over before."""
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
