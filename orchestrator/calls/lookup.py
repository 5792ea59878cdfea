"""The approved answers of one call: whoever asks about the same words shares one look into the book."""

from __future__ import annotations

import asyncio

from orchestrator.core.errors import EngineError
from orchestrator.dialogue.answers import AnswerBook, Match


class Lookup:
    """Looks into *book*, and keeps the latest answer. group: the call's own; it awaits the look."""

    def __init__(self, group: asyncio.TaskGroup, book: AnswerBook) -> None:
        self._group = group
        self._book = book
        self._text: str | None = None
        self._look: asyncio.Task[tuple[Match, ...] | EngineError] | None = None
        self._under_way: set[asyncio.Task[tuple[Match, ...] | EngineError]] = set()

    async def find(self, text: str) -> tuple[Match, ...]:
        """The approved answers that must be given to *text*; none when none is clearly meant. Raises EngineError."""
        look = self._look
        if look is None or self._text != text or _failed(look):
            look = self._group.create_task(self._find(text), name="lookup")
            self._under_way.add(look)
            look.add_done_callback(self._under_way.discard)
            self._text, self._look = text, look
        # Whoever gives up waiting leaves it to the others.
        found = await asyncio.shield(look)
        if isinstance(found, EngineError):
            raise found
        return found

    def stop(self) -> None:
        """Nobody waits any more."""
        for look in self._under_way:
            look.cancel()

    async def likeness(self, text: str) -> float:
        """How like *text* is to the question of an approved answer that it asks for; 0 when it asks for none.

        Raises EngineError.
        """
        return max((match.similarity for match in await self.find(text)), default=0.0)

    async def _find(self, text: str) -> tuple[Match, ...] | EngineError:
        try:
            return await self._book.find(text)
        except EngineError as error:
            return error
        except ValueError as error:  # the encoder refuses the request itself; the call goes on
            return EngineError("embed", str(error))


def _failed(look: asyncio.Task[tuple[Match, ...] | EngineError]) -> bool:
    return look.done() and (look.cancelled() or isinstance(look.result(), EngineError))
