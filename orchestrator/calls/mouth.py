"""The mouth of one call: it says a reply at a time, and tells what became of each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from orchestrator.calls.answering import Uttered
from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.dead_air import Waits, without_dead_air
from orchestrator.calls.own_words import PlayedWord
from orchestrator.calls.speech import Speech
from orchestrator.core.errors import BadOutput, EngineError, Hangup
from orchestrator.core.events import CallState, EndReason
from orchestrator.core.ports import CallLeg
from orchestrator.core.streams import closing
from orchestrator.core.turn import Mark, Turn

# Replies of which an echo may still come.
_ECHOING = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply under way. audio: what is said; last: why the call ends after it, whatever the caller says."""

    turn: Turn
    audio: AsyncIterator[Uttered]
    speech: Speech
    last: EndReason | None = None


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The agent is silent again. heard: the words of the reply that the caller really heard.

    failure: why there were no more of them; stopped: it was cut short.
    """

    turn: Turn
    heard: str
    last: EndReason | None
    failure: EngineError | None = None
    stopped: bool = False


class Mouth:
    """Says replies into *leg*, at most one at a time.

    group: the call's own; it awaits the task that speaks. filler: opens what is said when a reply is slow to begin;
    ended: called once for each reply, when none is under way any more; it may begin the next.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        leg: CallLeg,
        filler: Callable[[], AsyncIterator[Uttered]],
        chronicle: Chronicle,
        ended: Callable[[ReplyEnded], None],
    ) -> None:
        self._group = group
        self._leg = leg
        self._filler = filler
        self._chronicle = chronicle
        self._ended = ended
        self._reply: Reply | None = None
        self._speaking: asyncio.Task[None] | None = None
        self._said: deque[Speech] = deque(maxlen=_ECHOING)

    @property
    def reply(self) -> Reply | None:
        """The one under way, from its beginning, though nothing of it may be audible yet."""
        return self._reply

    def is_speaking(self) -> bool:
        """Whether a reply is under way."""
        return self._reply is not None

    def asks(self) -> bool:
        """Whether the latest that was said is a question, or follows one in the same reply."""
        return bool(self._said) and self._said[-1].asks

    async def words_since(self, since: float) -> list[PlayedWord]:
        """The words, as the voice reads them, that went out after media second *since*, in whichever reply."""
        return [word for speech in self._said for word in await speech.words_since(since)]

    def begin(self, turn: Turn, audio: AsyncIterator[Uttered], waits: Waits, last: EndReason | None = None) -> None:
        """Say *audio* as the reply of *turn*, with no more silence than *waits* allows. None may be under way.

        last: hang up behind it, for this reason.
        """
        reply = Reply(turn, audio, Speech(self._group, self._leg, turn), last)
        self._reply = reply
        self._said.append(reply.speech)
        self._speaking = self._group.create_task(self._speak(reply, waits), name=f"reply-{turn.index}")

    async def stop(self) -> None:
        """Cut the reply short, if there is one, and wait until the leg is silent."""
        reply, speaking = self._reply, self._speaking
        if reply is None or speaking is None:
            return
        speaking.cancel()
        await asyncio.wait([speaking])
        if self._reply is reply:  # cancelled before its first step
            async with closing(reply.audio):
                self._end(reply, stopped=True)

    async def _speak(self, reply: Reply, waits: Waits) -> None:
        """The life of one reply. Whatever ends it, what was really heard is told."""
        try:
            failure = await self._say(reply, waits)
        except asyncio.CancelledError:
            await reply.speech.silence()
            self._end(reply, stopped=True)
            raise
        self._end(reply, failure)
        if reply.last is not None:
            await self._leg.hangup()

    async def _say(self, reply: Reply, waits: Waits) -> EngineError | None:
        """Speak *reply*; why that failed, if it did. A caller who hangs up is no failure."""
        reply.speech.begun = self._respond
        try:
            await reply.speech.say(without_dead_air(reply.audio, self._fill(reply.turn), waits))
        except Hangup:
            return None
        except EngineError as error:
            return error
        return None if Mark.QUEUED in reply.turn.marks else BadOutput("llm", "an empty reply")

    async def _fill(self, turn: Turn) -> AsyncIterator[Uttered]:
        self._chronicle.happened("filler", {"turn": turn.index})
        async with closing(self._filler()) as pieces:
            async for uttered in pieces:
                yield uttered

    def _respond(self) -> None:
        """There is audio."""
        if self._chronicle.state is CallState.PROCESS:
            self._chronicle.enter(CallState.RESPOND)

    def _end(self, reply: Reply, failure: EngineError | None = None, *, stopped: bool = False) -> None:
        self._reply = None
        self._ended(ReplyEnded(reply.turn, reply.speech.heard(), reply.last, failure, stopped))
