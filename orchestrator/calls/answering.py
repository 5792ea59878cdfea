"""Where the words of a reply come from, and the voice that speaks them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from orchestrator.calls.history import History
from orchestrator.calls.lookup import Lookup
from orchestrator.calls.prepared import PreparedAgent, rendered_speech
from orchestrator.core.audio import AudioFrame
from orchestrator.core.clock import Clock
from orchestrator.core.ports import LanguageModel, Message, TextDelta, TextToSpeech, ToolCall
from orchestrator.core.streams import closing
from orchestrator.core.turn import AnswerKind, Mark, Turn
from orchestrator.dialogue.sentences import ends_sentence, sentences


@dataclass(frozen=True, slots=True)
class Uttered:
    """The next of a reply's audio. text: the words that it speaks; audio: None when they end.

    spoken: the same as the voice reads them; filler: said to pass the time, not the reply itself.
    """

    text: str
    audio: AudioFrame | None
    spoken: str = ""
    filler: bool = False


@dataclass(frozen=True, slots=True)
class Answering:
    """The dialogue of one call. now: media seconds; conversation: the language model's cache key.

    reply_tokens, reply_sentences: a spoken reply that goes on longer is no conversation; small models never stop.
    """

    agent: PreparedAgent
    lookup: Lookup
    llm: LanguageModel
    tts: TextToSpeech
    history: History
    now: Clock
    conversation: str
    reply_tokens: int = 96
    reply_sentences: int = 3

    def reply(self, turn: Turn) -> AsyncIterator[Uttered]:
        """What answers *turn*, as it is made. Raises EngineError."""
        return self._voiced(turn, self._words(turn))

    def say(self, turn: Turn, *texts: str) -> AsyncIterator[Uttered]:
        """*texts*, word for word. Raises EngineError."""
        return self._voiced(turn, _each(*texts))

    async def filler(self) -> AsyncIterator[Uttered]:
        """What tells a caller that the reply takes a moment."""
        text = self.agent.agent.phrases.wait
        async with closing(self._voiced(Turn(0), _each(text))) as pieces:
            async for uttered in pieces:
                yield replace(uttered, filler=True)

    async def prefill(self) -> None:
        """Let the language model read the conversation so far, while nobody waits. Raises EngineError."""
        await self.llm.prefill(self.history.prompt(), conversation=self.conversation)

    async def _words(self, turn: Turn) -> AsyncIterator[str]:
        """The sentences that answer *turn*: approved answers if any are meant, otherwise the language model's.

        Raises EngineError.
        """
        if matches := await self.lookup.find(turn.caller_text):
            turn.answer = AnswerKind.APPROVED
            turn.mark(Mark.ANSWER_FOUND, self.now())
            for match in matches:
                yield match.answer
            return
        turn.answer = AnswerKind.LLM
        turn.mark(Mark.LLM_STARTED, self.now())
        async with closing(sentences(self._tokens(turn))) as pieces:
            spoken: list[str] = []
            ended = 0
            async for piece in pieces:
                if piece in spoken:  # a loop: nothing new will come
                    break
                spoken.append(piece)
                yield piece
                ended += ends_sentence(piece)
                if ended == self.reply_sentences:
                    break

    async def _voiced(self, turn: Turn, sentences: AsyncIterator[str]) -> AsyncIterator[Uttered]:
        """The audio of *sentences*: rendered ahead where it could be, otherwise synthesised."""
        async with closing(sentences) as texts:
            async for text in texts:
                turn.mark(Mark.FIRST_SENTENCE, self.now())
                rendered = self.agent.rendered.get(text)
                spoken = self.agent.reading(text)
                speech = rendered_speech(rendered) if rendered else self._synthesised(spoken)
                async with closing(speech) as frames:
                    async for frame in frames:
                        turn.mark(Mark.FIRST_AUDIO, self.now())
                        yield Uttered(text, frame, spoken)
                yield Uttered(text, None)

    def _synthesised(self, spoken: str) -> AsyncIterator[AudioFrame]:
        return self.tts.synthesize(spoken, voice=self.agent.agent.voice)

    async def _tokens(self, turn: Turn) -> AsyncIterator[TextDelta | ToolCall]:
        messages = [*self.history.prompt(), Message("user", turn.caller_text)]
        generation = self.llm.complete(messages, conversation=self.conversation, max_tokens=self.reply_tokens)
        async with closing(generation) as deltas:
            async for delta in deltas:
                turn.mark(Mark.FIRST_TOKEN, self.now())
                yield delta


async def _each(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text
