"""Replies begun before the turn is known to be over, so that the caller's last silence is not spent waiting.

A short pause is a likely end. The reply to the words so far is prepared under the rest of the silence, as far as its
first audio; it is spoken when the turn ends with these words, and dropped unheard when there were more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from orchestrator.calls.ahead import Ahead
from orchestrator.calls.answering import Uttered
from orchestrator.calls.load_guard import LoadGuard
from orchestrator.core.clock import Clock
from orchestrator.core.turn import Turn

Outcome: TypeAlias = Literal["hit", "miss", "declined"]

# Pieces of audio that are made while nobody knows whether they will be heard.
_AHEAD = 4


@dataclass(frozen=True, slots=True)
class _Draft:
    """A reply that may be spoken. begun: media seconds."""

    turn: Turn
    audio: Ahead[Uttered]
    begun: float


class Speculation:
    """At most one draft at a time.

    reply: makes the reply to a turn; guard: that of all calls; report: told of each draft's outcome, and of the seconds
    from its start.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        reply: Callable[[Turn], AsyncIterator[Uttered]],
        now: Clock,
        guard: LoadGuard,
        report: Callable[[Outcome, float], None],
    ) -> None:
        self._group = group
        self._reply = reply
        self._now = now
        self._guard = guard
        self._report = report
        self._draft: _Draft | None = None

    def prepare(self, text: str) -> None:
        """The caller, having said *text* in this turn, may be done. The draft for the same words is kept."""
        if self._draft is not None and self._draft.turn.caller_text == text:
            return
        self.drop()
        if not self._guard.admit():
            self._report("declined", 0.0)
            return
        turn = Turn(0, caller_text=text)
        self._draft = _Draft(turn, Ahead(self._group, self._reply(turn), _AHEAD), self._now())

    def contradict(self, text: str) -> None:
        """The caller goes on, and so far has said *text*: a draft for other words is dropped."""
        if self._draft is not None and self._draft.turn.caller_text != text:
            self.drop()

    def take(self, text: str) -> tuple[Turn, AsyncIterator[Uttered]] | None:
        """The draft for *text*: its turn, with the marks so far, and its audio. None, and none is left, without one."""
        draft = self._draft
        if draft is None or draft.turn.caller_text != text or draft.audio.failed:
            self.drop()
            return None
        self._end("hit")
        return draft.turn, draft.audio

    def drop(self) -> None:
        """Nobody will hear the draft."""
        if self._draft is not None:
            self._draft.audio.drop()
            self._end("miss")

    def _end(self, outcome: Outcome) -> None:
        assert self._draft is not None
        self._guard.done()
        self._report(outcome, self._now() - self._draft.begun)
        self._draft = None
