"""An agent made ready for calls: its approved answers embedded, its fixed phrases rendered as audio."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from orchestrator.core.agent import Agent
from orchestrator.core.audio import AudioFrame
from orchestrator.core.events import FIRST_ACCOUNT, CallStarted, Direction
from orchestrator.core.ports import Embedder, TextToSpeech
from orchestrator.core.streams import closing
from orchestrator.dialogue.answers import AnswerBook
from orchestrator.dialogue.reading import Reading


@dataclass(frozen=True, slots=True)
class PreparedAgent:
    """An agent and what was made of it ahead. rendered: text, as written → its audio; reading: what a voice reads."""

    agent: Agent
    answers: AnswerBook
    rendered: Mapping[str, tuple[AudioFrame, ...]]
    reading: Reading


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A prepared agent that answers calls of *account*. agent_id, version: which one of the database; None for none."""

    prepared: PreparedAgent
    account: UUID = FIRST_ACCOUNT
    agent_id: UUID | None = None
    version: int | None = None

    def started(self, call_id: UUID, direction: Direction, caller: str, callee: str, driver: str) -> CallStarted:
        """The beginning, now, of a call that it has."""
        return CallStarted(
            call_id=call_id,
            agent=self.prepared.agent.name,
            direction=direction,
            caller=caller,
            callee=callee,
            driver=driver,
            started_at=time.time(),
            account=self.account,
            agent_id=self.agent_id,
            version=self.version,
            masking=self.prepared.agent.masking,
        )


async def prepare(agent: Agent, embedder: Embedder, tts: TextToSpeech) -> PreparedAgent:
    """Embed and render what *agent* can say without a language model. Raises EngineError."""
    answers = await AnswerBook.open(embedder, agent.answers)
    reading = Reading(agent.language, agent.pronunciations)
    texts = [text for text in dict.fromkeys(agent.fixed_phrases()) if text]
    rendered = {text: await _render(tts, reading(text), agent.voice) for text in texts}
    return PreparedAgent(agent, answers, rendered, reading)


async def _render(tts: TextToSpeech, text: str, voice: str) -> tuple[AudioFrame, ...]:
    async with closing(tts.synthesize(text, voice=voice)) as frames:
        return tuple([frame async for frame in frames])


async def rendered_speech(frames: tuple[AudioFrame, ...]) -> AsyncIterator[AudioFrame]:
    """*frames* as a voice gives them."""
    for frame in frames:
        yield frame
