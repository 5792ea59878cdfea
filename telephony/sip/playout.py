"""The playout queue of a call and its media clock, counted in samples; no library, no clock of its own."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from telephony.sip.coding import USUAL_CODING_DELAY

TICKS_A_SECOND = 50
SAMPLE_BYTES = 2
USUAL_WAIT = 0.02  # seconds in the jitter buffer, before anything is measured: one packet
DELAY_STEP = 0.004
LOOKS_AVERAGED = 60


@dataclass(frozen=True, slots=True)
class Tick:
    """20 ms of a call in both directions. Times and counts in samples.

    now: the media clock as the tick began; at: when the caller's audio was on the wire; played: of the playout queue,
    this tick's included; began: index of the sample that ended a silence in this tick; dried: sample within the tick
    after which the queue was dry. caller, agent: PCM16 LE, one frame each.
    """

    now: int
    at: int
    played: int
    began: int | None
    dried: int | None
    caller: bytes
    agent: bytes


@dataclass(frozen=True, slots=True)
class Output:
    """One frame to play. played, began, dried: as in Tick."""

    pcm: bytes
    played: int
    began: int | None
    dried: int | None


class PlayoutQueue:
    """Fed by asyncio, emptied by the media thread, one frame a tick; counts are exact at any moment."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._pieces: deque[bytes] = deque()
        self._offset = 0  # bytes of the first piece that are gone
        self._queued_bytes = 0
        self._played = 0
        self._playing = False
        self._lock = threading.Lock()

    def put(self, pcm: bytes) -> None:
        """Queue whole samples."""
        with self._lock:
            self._pieces.append(pcm)
            self._queued_bytes += len(pcm)

    def clear(self) -> int:
        """Drop what is queued; the samples played since the call began."""
        with self._lock:
            self._pieces.clear()
            self._offset = self._queued_bytes = 0
            return self._played

    def take(self) -> Output:
        """The next frame; silence fills what the queue does not."""
        with self._lock:
            taken = self._cut(min(self._frame_bytes, self._queued_bytes))
            index, self._played = self._played, self._played + len(taken) // SAMPLE_BYTES
            short = len(taken) < self._frame_bytes
            output = Output(
                taken.ljust(self._frame_bytes, b"\0"),
                self._played,
                began=index if taken and not self._playing else None,
                dried=len(taken) // SAMPLE_BYTES if short and (taken or self._playing) else None,
            )
            self._playing = not short
            return output

    def _cut(self, size: int) -> bytes:
        parts: list[bytes] = []
        missing = size
        while missing:
            first = self._pieces[0]
            part = first[self._offset : self._offset + missing]
            parts.append(part)
            missing -= len(part)
            self._offset += len(part)
            if self._offset == len(first):
                self._pieces.popleft()
                self._offset = 0
        self._queued_bytes -= size
        return b"".join(parts)


class CallAudio:
    """Everything that the media thread and asyncio share of one call: plain Python, no object of PJSIP.

    The bridge asks for a frame to play and then gives the one that the caller sent, once per tick each; a tick without
    a given frame is silence. coding: seconds that coding and decoding take, each.
    """

    def __init__(self, rate: int) -> None:
        frame_bytes = rate // TICKS_A_SECOND * SAMPLE_BYTES
        self.queue = PlayoutQueue(frame_bytes)
        self.ticks: deque[Tick] = deque()
        self.now = 0
        self._rate = rate
        self._wait = USUAL_WAIT
        self.coding = USUAL_CODING_DELAY
        self._delay = round((USUAL_WAIT + self.coding) * rate)
        self._samples = frame_bytes // SAMPLE_BYTES
        self._silence = bytes(frame_bytes)
        self._output: Output | None = None

    def waits(self, wait: float) -> None:
        """*wait* seconds of the caller's audio lie in the jitter buffer at this moment. From PJSIP's thread.

        They are averaged over some seconds, and small changes are ignored: they would only make the caller's time jump.
        """
        self._wait += (wait - self._wait) / LOOKS_AVERAGED
        samples = round((self._wait + self.coding) * self._rate)
        if abs(samples - self._delay) >= DELAY_STEP * self._rate:
            self._delay = samples

    def requested(self) -> bytes:
        """The next frame to play. Media thread only."""
        if self._output is not None:
            self.given(None)
        self._output = self.queue.take()
        return self._output.pcm

    def given(self, pcm: bytes | None) -> None:
        """The caller's frame of the current tick, None for silence. Media thread only."""
        output, self._output = self._output, None
        if output is None:
            return
        self.ticks.append(
            Tick(
                now=self.now,
                at=max(0, self.now - self._delay),
                played=output.played,
                began=output.began,
                dried=output.dried,
                caller=pcm or self._silence,
                agent=output.pcm,
            )
        )
        self.now += self._samples
