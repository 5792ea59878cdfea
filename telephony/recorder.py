"""Two-channel recordings that stay readable whatever happens to the process: caller left, agent right.

Calls hand over samples and never wait; one thread writes them. The WAV header is brought up to date after each write,
twice a second, so a file whose writer was killed ends at most that much early. When the disk refuses, that recording
stops and says so, and the call goes on.
"""

from __future__ import annotations

import queue
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

CHANNELS = 2
SAMPLE_BYTES = 2
HEADER_BYTES = 44
WRITE_EVERY = 0.5  # seconds of audio
MOST_BYTES = 2**32 - 1 - HEADER_BYTES  # sizes in a WAV header have 32 bits: 18 hours at 16 kHz

Failure = Callable[[str], None]


class Recording:
    """One file being written. Made by Recordings.open; used by one thread."""

    def __init__(self, path: Path, rate: int, work: Callable[[Callable[[], None]], None], failed: Failure) -> None:
        self.path = path
        self._rate = rate
        self._work = work
        self._failed = failed
        self._callers: list[bytes] = []
        self._agents: list[bytes] = []
        self._pending_bytes = 0
        self._file: BinaryIO | None = None
        self._written = 0
        self._broken = False

    def write(self, caller: bytes, agent: bytes) -> None:
        """Append PCM16 LE of one length for both channels."""
        self._callers.append(caller)
        self._agents.append(agent)
        self._pending_bytes += len(caller)
        if self._pending_bytes >= WRITE_EVERY * self._rate * SAMPLE_BYTES:
            self._hand_over()

    def close(self) -> None:
        """Nothing follows; the file is complete once Recordings has closed or written on."""
        self._hand_over()
        self._work(self._finish)

    def _hand_over(self) -> None:
        caller, agent = b"".join(self._callers), b"".join(self._agents)
        self._callers, self._agents, self._pending_bytes = [], [], 0
        self._work(lambda: self._append(caller, agent))

    def _append(self, caller: bytes, agent: bytes) -> None:
        if self._broken:
            return
        stereo = np.column_stack((np.frombuffer(caller, "<i2"), np.frombuffer(agent, "<i2"))).tobytes()
        try:
            if self._file is None:
                self._file = self.path.open("wb", buffering=0)
                self._file.write(self._header())
            if self._written + len(stereo) > MOST_BYTES:
                raise OSError("the recording is as long as a WAV file can be")  # noqa: TRY301
            _write_all(self._file, stereo)
            self._written += len(stereo)
            self._file.seek(0)
            self._file.write(self._header())
            self._file.seek(0, 2)
        except OSError as error:
            self._broken = True
            self._failed(error.strerror or str(error))

    def _finish(self) -> None:
        if self._file is not None:
            self._file.close()

    def _header(self) -> bytes:
        frame = CHANNELS * SAMPLE_BYTES
        head = struct.pack("<4sI4s4s", b"RIFF", HEADER_BYTES - 8 + self._written, b"WAVE", b"fmt ")
        form = struct.pack("<IHHIIHH", 16, 1, CHANNELS, self._rate, self._rate * frame, frame, SAMPLE_BYTES * 8)
        return head + form + struct.pack("<4sI", b"data", self._written)


class Recordings:
    """The thread that writes recordings into *folder*. Leaving it writes what is pending."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recordings")

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._jobs.put(None)
        self._thread.join()

    def open(self, name: str, rate: int, failed: Failure) -> Recording:
        """A recording in `<name>.wav`. *failed* is called in the writer's thread, once, when the disk refuses."""
        return Recording(self._folder / f"{name}.wav", rate, self.submit, failed)

    def submit(self, job: Callable[[], None]) -> None:
        """Run *job* in the writer's thread, after what was handed over before."""
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _write_all(file: BinaryIO, data: bytes) -> None:
    """An unbuffered file may take less than it is given, as when the disk is about to be full."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
