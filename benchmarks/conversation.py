"""A caller with a list of things to say: when to speak, when to wait, when to talk over the agent.

Pure: twenty milliseconds heard go in, twenty milliseconds to send come out, and time is counted in them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from orchestrator.core.audio import Pcm, level_dbfs

RATE = 16000
TICK = 0.02
FRAME = round(RATE * TICK)
# A longer silence than within a phrase: the agent has stopped, and speaks anew afterwards.
_BREATH = 0.25
# Loud for so many ticks in a row, so that a click is not taken for a voice.
_VOICED_TICKS = 2
_SILENCE = np.zeros(FRAME, dtype=np.int16)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to say.

    pcm: int16, 16 kHz. text: its words, where known. over: None waits for the reply before it to end; otherwise it is
    said over that reply, at the first sound of the agent's that is heard so many seconds after the reply began, or once
    the reply has ended. keys: DTMF digits keyed instead of speech.
    """

    name: str
    pcm: Pcm
    text: str = ""
    over: float | None = None
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Manners:
    """The caller's patience, in seconds.

    quiet: an agent silent for this long has finished. greeting: how long to wait for its first word. reply: how long to
    wait for an answer to begin. monologue: how long to let it talk. loud_dbfs: what counts as the agent's voice; the
    noise of a line's codecs and comfort noise lie well under it.
    """

    quiet: float = 1.5
    greeting: float = 12.0
    reply: float = 15.0
    monologue: float = 45.0
    loud_dbfs: float = -45.0


@dataclass(frozen=True, slots=True)
class Said:
    """A line as it went out. start, end: seconds on the recording's clock of its first and after its last sample."""

    line: Line
    start: float
    end: float


@dataclass(slots=True)
class Conversation:
    """Says *lines* one after another, and is finished when the reply to the last one is over."""

    lines: tuple[Line, ...]
    manners: Manners = field(default_factory=Manners)
    finished: bool = False
    said: list[Said] = field(default_factory=list)
    _next: int = 0
    _ticks: int = 0
    _waiting_since: float = 0.0
    _agent_began: float | None = None
    _agent_last_loud: float | None = None
    _loud_ticks: int = 0
    _talked_over: bool = False
    _speaking: Line | None = None
    _speaking_from: float = 0.0
    _offset: int = 0
    _keys: deque[str] = field(default_factory=deque)

    @property
    def now(self) -> float:
        """Seconds since the call's media started."""
        return self._ticks * TICK

    def keys(self) -> str:
        """The digits to key now, once."""
        digits = ""
        while self._keys:
            digits += self._keys.popleft()
        return digits

    def exchange(self, heard: Pcm) -> Pcm:
        """The next tick's samples to send, given the last tick's heard; int16, shape (320,), 16 kHz."""
        self._listen(heard)
        if self._speaking is None and not self.finished and self._my_turn():
            self._begin()
        frame = self._speak()
        self._ticks += 1
        return frame

    def _listen(self, heard: Pcm) -> None:
        self._loud_ticks = self._loud_ticks + 1 if level_dbfs(heard) > self.manners.loud_dbfs else 0
        if self._loud_ticks >= _VOICED_TICKS:
            self._agent_last_loud = self.now
            if self._agent_began is None and not self._talked_over:
                self._agent_began = self.now - _VOICED_TICKS * TICK
        elif self._agent_last_loud is None or self.now - self._agent_last_loud > _BREATH:
            self._talked_over = False

    def _my_turn(self) -> bool:
        waited = self.now - self._waiting_since
        if self._agent_began is None:
            return waited > (self.manners.reply if self.said else self.manners.greeting)
        over = self.lines[self._next].over if self._next < len(self.lines) else None
        if over is not None and self.said:
            if self.now < self._agent_began + over:
                return False
            # Between two sentences there is nothing to talk over.
            if self._loud_ticks >= _VOICED_TICKS:
                return True
        last_loud = self._agent_began if self._agent_last_loud is None else self._agent_last_loud
        finished = self.now - last_loud > self.manners.quiet
        return finished or self.now - self._agent_began > self.manners.monologue

    def _begin(self) -> None:
        if self._next == len(self.lines):
            self.finished = True
            return
        line = self.lines[self._next]
        self._next += 1
        if line.keys:
            self._keys.extend(line.keys)
        self._speaking, self._speaking_from, self._offset = line, self.now, 0

    def _speak(self) -> Pcm:
        line = self._speaking
        if line is None:
            return _SILENCE
        piece = line.pcm[self._offset : self._offset + FRAME]
        self._offset += FRAME
        if self._offset >= len(line.pcm):
            self.said.append(Said(line, self._speaking_from, self._speaking_from + len(line.pcm) / RATE))
            self._speaking = None
            # What the agent begins to say from here on answers this line; what it has not yet stopped saying does not.
            self._waiting_since, self._agent_began = self.now + TICK, None
            self._talked_over = self._loud_ticks > 0
        return piece if len(piece) == FRAME else np.pad(piece, (0, FRAME - len(piece)))
