"""Streaming recognition over any recogniser of windows, without a session on its side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from inference.stt.utterance import Utterance
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import EngineError
from orchestrator.core.ports import Recognizer, Transcript
from orchestrator.core.streams import closing


class StreamedRecognizer:
    """A SpeechToText. A recogniser that is slower than speech gets fewer and longer windows, never a queue of them."""

    def __init__(
        self, recognizer: Recognizer, *, step: float = 0.8, limit: float = 25.0, language: str | None = None
    ) -> None:
        """step: seconds of new speech between windows; limit: seconds of audio in a window at the most."""
        self._recognizer = recognizer
        self._step = step
        self._limit = limit
        self._language = language

    async def transcribe(self, speech: AsyncIterator[AudioFrame]) -> AsyncGenerator[Transcript, None]:
        """The stable words each time that there are more of them, then one final transcript when *speech* ends.

        The final one is what was heard last, and may correct the partials. Raises EngineError when the recogniser
        fails on it; a partial that fails is left out.
        """
        utterance = Utterance(self._step, self._limit)
        running: asyncio.Task[Transcript] | None = None
        shown = ""
        try:
            async with closing(speech) as frames:
                async for frame in frames:
                    utterance.hear(frame)
                    if running is not None and running.done():
                        utterance.answered(answer(running))
                        running = None
                    if utterance.stable != shown:
                        shown = utterance.stable
                        yield Transcript(shown, final=False, language=self._language)
                    if utterance.due:
                        running = asyncio.create_task(self._recognized(utterance.window()), name="partial")
        finally:
            if running is not None:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
        last = utterance.whole()
        yield utterance.final(await self._recognized(last) if last is not None else Transcript(""))

    async def _recognized(self, window: AudioFrame) -> Transcript:
        return await self._recognizer.recognize(window, language=self._language)


def answer(done: asyncio.Task[Transcript]) -> Transcript | None:
    """The result of *done*; None when the engine failed."""
    try:
        return done.result()
    except EngineError:
        return None
