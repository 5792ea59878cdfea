"""The chat-completion wire format: what llama.cpp's server and other OpenAI-compatible engines speak."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from orchestrator.core.errors import BadOutput, EngineError
from orchestrator.core.ports import Message, TextDelta, Tool, ToolCall

Chunk: TypeAlias = dict[str, Any]
"""One parsed server-sent event of a streamed completion."""


def message_json(message: Message) -> dict[str, str]:
    """*message* as an element of "messages"."""
    return {"role": message.role, "content": message.content}


def tools_json(tools: Sequence[Tool]) -> list[dict[str, object]]:
    """*tools* as the value of "tools"."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in tools
    ]


async def chunks(lines: AsyncIterator[str], engine: str) -> AsyncGenerator[Chunk, None]:
    """The chunks in the lines of an event stream, up to its end. Raises EngineError when the server reports one."""
    async for line in lines:
        kind, _, payload = line.partition(": ")
        if kind == "error":
            raise EngineError(engine, payload)
        if kind != "data":
            continue
        if payload == "[DONE]":
            return
        chunk: Chunk = json.loads(payload)
        if "error" in chunk:
            raise EngineError(engine, str(chunk["error"].get("message", chunk["error"])))
        yield chunk


@dataclass(slots=True)
class _PartialCall:
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Reply:
    """Collects the pieces of one completion: text passes through at once, tool calls are whole at the end."""

    engine: str
    _calls: dict[int, _PartialCall] = field(default_factory=dict)

    def text_of(self, chunk: Chunk) -> Iterator[TextDelta]:
        """The new text in *chunk*; tool calls in it are kept for tool_calls()."""
        for choice in chunk.get("choices", ()):
            delta = choice.get("delta", {})
            self._collect(delta.get("tool_calls") or ())
            if delta.get("content"):
                yield TextDelta(delta["content"])

    def tool_calls(self) -> Iterator[ToolCall]:
        """The complete calls, in order. Raises BadOutput when the arguments of one are not a JSON object."""
        for call in self._calls.values():
            yield ToolCall(call.name, parsed_arguments(call.arguments, self.engine))

    def _collect(self, pieces: Iterable[Chunk]) -> None:
        for piece in pieces:
            call = self._calls.setdefault(piece.get("index", 0), _PartialCall())
            function = piece.get("function", {})
            call.name += function.get("name") or ""
            call.arguments += function.get("arguments") or ""


def parsed_arguments(text: str, engine: str) -> dict[str, object]:
    """The JSON object in *text*; an empty text is an empty object. Raises BadOutput for anything else."""
    try:
        arguments = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise BadOutput(engine, f"tool arguments are not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise BadOutput(engine, f"tool arguments must be a JSON object, not {type(arguments).__name__}")
    return arguments
