"""A language model for load tests only: it says one text at a given pace, without computing anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from orchestrator.core.ports import Message, TextDelta, Tool, ToolCall


class Options(BaseModel):
    """What a manifest may set. first_token, per_token: seconds; text: every reply, a word a token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_token: Annotated[float, Field(ge=0)] = 0.15
    per_token: Annotated[float, Field(ge=0)] = 0.02
    text: Annotated[str, Field(min_length=1)] = "Yes, we can do that for you today."


class StubLanguageModel:
    """Answers any number of requests at once."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._tokens = re.findall(r"\s*\S+", options.text)

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), conversation: str = "", max_tokens: int = 160
    ) -> AsyncGenerator[TextDelta | ToolCall, None]:
        """The text. Each token is due at its own time after the request, so that waits do not add up."""
        clock = asyncio.get_running_loop().time
        due = clock() + self._options.first_token
        for token in self._tokens[:max_tokens]:
            await asyncio.sleep(max(0.0, due - clock()))
            yield TextDelta(token)
            due += self._options.per_token

    async def prefill(self, messages: Sequence[Message], *, conversation: str = "") -> None:
        """Nothing: there is no cache to warm."""

    async def end_of_utterance(self, text: str) -> float:
        """Always as likely as not: the stub knows no language."""
        return 0.5


def load(manifest: Manifest, files: Path, threads: int) -> StubLanguageModel:
    """The model of *manifest*; it has no files and needs no thread."""
    return StubLanguageModel(manifest.options_as(Options))
