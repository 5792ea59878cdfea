"""A call leg on the loop's clock: a scripted caller, and a playout that takes as long as its audio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from uuid import UUID

import numpy as np

from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.errors import Hangup, LegError
from orchestrator.core.ports import Dtmf

FRAME = 0.02


@dataclass(slots=True)
class _Run:
    """Audio played without a gap. start: media seconds; index: of its first sample in all audio played."""

    start: float
    index: int
    pcm: Pcm

    def end(self, rate: int) -> float:
        return self.start + len(self.pcm) / rate

    def played(self, now: float, rate: int) -> int:
        return int(np.clip(round((now - self.start) * rate), 0, len(self.pcm)))


class FakeLeg:
    """A CallLeg whose media clock starts at 0 when incoming() is first asked for a frame, or play() is called.

    says: what the caller says, each at its media time `at`; overlapping speech is summed, the rest is silence.
    keys: what the caller presses. hangs_up: media second at which the caller leaves. echo: seconds after which what was
    played comes back, as loud, where the caller is silent; None for never.
    """

    def __init__(
        self,
        says: Sequence[AudioFrame] = (),
        keys: Sequence[Dtmf] = (),
        *,
        hangs_up: float = inf,
        rate: int = 16000,
        ahead: float = 2.0,
        echo: float | None = None,
    ) -> None:
        self.rate = rate
        self.lost = False
        self.hung_up = False
        self.cleared = 0
        self.transferred: list[str] = []
        self.recorded: list[tuple[UUID, bytes]] = []
        self._says = list(says)
        self._keys = sorted(keys, key=lambda key: key.at)
        self._hangs_up = hangs_up
        self._ahead = ahead
        self._echo = echo
        self._runs: list[_Run] = []
        self._started: float | None = None
        self._changed = asyncio.Event()

    def say(self, frame: AudioFrame) -> None:
        """The caller will also say *frame*, at its time."""
        self._says.append(frame)

    def press(self, key: Dtmf) -> None:
        """The caller will also press *key*, at its time."""
        self._keys = sorted([*self._keys, key], key=lambda one: one.at)

    @property
    def heard(self) -> AudioFrame:
        """All that the caller has heard so far, from media second 0, with the silences."""
        now = self.now()
        out = np.zeros(round(now * self.rate), dtype=np.int16)
        for run in self._runs:
            pcm = run.pcm[: run.played(now, self.rate)]
            start = round(run.start * self.rate)
            out[start : start + len(pcm)] = pcm[: len(out) - start]
        return AudioFrame(out, self.rate)

    async def incoming(self) -> AsyncIterator[AudioFrame | Dtmf]:
        """20 ms frames, each once it has been said in full; keys between them. Ends at hang-up."""
        index = 0
        while await self._reached((index + 1) * FRAME):
            while self._keys and self._keys[0].at < (index + 1) * FRAME:
                yield self._keys.pop(0)
            yield self._said(index * FRAME)
            index += 1

    async def play(self, frame: AudioFrame) -> None:
        """Queue *frame*; waits while more than `ahead` seconds are queued."""
        if frame.rate != self.rate:
            raise LegError(f"this leg plays {self.rate} Hz, not {frame.rate} Hz")
        self._check()
        while self._ends - self.now() > self._ahead:
            await self._wake(self._ends - self._ahead)
            self._check()
        now = self.now()
        if self._runs and self._ends >= now:
            self._runs[-1].pcm = np.concatenate([self._runs[-1].pcm, frame.pcm])
        else:
            # Output begins at the next 20 ms tick, as on a real gateway.
            tick = np.ceil(round(now / FRAME, 6)) * FRAME
            self._runs.append(_Run(float(tick), self._count(inf), frame.pcm))
        self._tell()

    async def drain(self) -> None:
        """Return when everything queued has been played."""
        while self.now() < self._ends:
            await self._wake(self._ends)
            self._check()

    async def clear(self) -> float:
        """Drop what is queued; the seconds really played."""
        self._check()
        self.cleared += 1
        for run in self._runs:
            run.pcm = run.pcm[: run.played(self.now(), self.rate)]
        self._tell()
        return self.played

    @property
    def queued(self) -> float:
        """Seconds given to play() and not cleared."""
        return self._count(inf) / self.rate

    @property
    def played(self) -> float:
        """Seconds of them that have gone out."""
        return self._count(self.now()) / self.rate

    def now(self) -> float:
        """Media seconds."""
        now = asyncio.get_running_loop().time()
        if self._started is None:
            self._started = now
        return min(now - self._started, self._hangs_up)

    async def playing_since(self, queued: float) -> float:
        """Media second at which the sample *queued* seconds in went out. Waits for it."""
        index = round(queued * self.rate)
        while (at := self._leaves_at(index)) > self.now():
            await self._wake(at)
            self._check()
        return at

    async def record(self, account: UUID, key: bytes) -> float:
        """Note what it would be sealed with; it begins at once."""
        self._check()
        self.recorded.append((account, key))
        return self.now()

    async def transfer(self, target: str) -> None:
        """Note *target* and refuse."""
        self.transferred.append(target)
        raise LegError("transfer refused: 603 Decline")

    async def hangup(self) -> None:
        """The agent ends the call."""
        self.hung_up = True
        self._tell()

    def _said(self, at: float) -> AudioFrame:
        size = round(FRAME * self.rate)
        first = round(at * self.rate)
        mixed = np.zeros(size, dtype=np.int32)
        for speech in self._says:
            offset = round(speech.at * self.rate) - first
            start, end = max(offset, 0), min(offset + len(speech.pcm), size)
            if start < end:
                mixed[start:end] += speech.pcm[start - offset : end - offset]
        if self._echo is not None and not any(speech.at - 0.04 < at < speech.end + FRAME for speech in self._says):
            mixed += self._played_from(first - round(self._echo * self.rate), size)
        return AudioFrame(np.clip(mixed, -32768, 32767).astype(np.int16), self.rate, at)

    def _played_from(self, first: int, size: int) -> Pcm:
        """*size* samples of what the caller heard, from sample *first* of the media clock on."""
        out = np.zeros(size, dtype=np.int16)
        for run in self._runs:
            pcm = run.pcm[: run.played(self.now(), self.rate)]
            offset = round(run.start * self.rate) - first
            start, end = max(offset, 0), min(offset + len(pcm), size)
            if start < end:
                out[start:end] = pcm[start - offset : end - offset]
        return out

    def _count(self, now: float) -> int:
        return sum(run.played(now, self.rate) if now < inf else len(run.pcm) for run in self._runs)

    @property
    def _ends(self) -> float:
        """Media second at which the queue runs dry."""
        return self._runs[-1].end(self.rate) if self._runs else 0.0

    def _leaves_at(self, index: int) -> float:
        """Media second at which sample *index* goes out; inf while it is not queued."""
        for run in self._runs:
            if run.index <= index < run.index + len(run.pcm):
                return run.start + (index - run.index) / self.rate
        return inf

    async def _reached(self, at: float) -> bool:
        """Wait for media second *at*; False when the call ends before."""
        while not self._over and self.now() < at - 1e-9:
            await self._wake(at)
        return not self._over

    @property
    def _over(self) -> bool:
        return self.hung_up or self.now() >= self._hangs_up

    def _check(self) -> None:
        if self._over:
            raise Hangup("the call is over")

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wake(self, at: float = inf) -> None:
        """Return at media second *at*, or sooner when the queue changes or the call ends."""
        deadline = min(at, self._hangs_up)
        with suppress(TimeoutError):
            # A wait below the clock's resolution would not move it, and would be repeated for ever.
            async with asyncio.timeout(None if deadline == inf else max(deadline - self.now(), 1e-6)):
                await self._changed.wait()
