"""How the caller sounds, turn by turn: found out when a turn is over, so that no reply waits for it."""

from __future__ import annotations

import asyncio

import structlog

from orchestrator.calls.chronicle import Chronicle
from orchestrator.core.errors import EngineError
from orchestrator.core.ports import Sentiment
from orchestrator.core.turn import Turn
from orchestrator.dialogue.temper import Temper

log = structlog.get_logger(__name__)


class Moods:
    """Those of one call. group: the call's own; classifier: None where there is none to ask."""

    def __init__(self, group: asyncio.TaskGroup, classifier: Sentiment | None, chronicle: Chronicle) -> None:
        self._group = group
        self._classifier = classifier
        self._chronicle = chronicle
        self._temper = Temper()
        self._told: asyncio.Task[None] | None = None

    def take(self, turn: Turn) -> None:
        """*turn* is over. Turns are told of in order."""
        if self._classifier is not None and turn.caller_text:
            waiting = self._tell(self._classifier, turn.index, turn.caller_text, self._told)
            self._told = self._group.create_task(waiting, name="mood")

    def stop(self) -> None:
        """The call is over: nobody looks any more, and a job finds out what is kept of it."""
        if self._told is not None:
            self._told.cancel()

    async def _tell(self, classifier: Sentiment, index: int, text: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        try:
            score = (await classifier.score(text)).score
        except EngineError as error:
            log.warning("mood_unknown", engine=error.engine, error=type(error).__name__)
            return
        level = self._temper.take(score)
        self._chronicle.happened("mood", {"turn": index, "score": round(score, 3), "level": round(level, 3)})
