"""Tool calls in the text of a model that writes them as JSON, as Llama 3 and Hermes-like models do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from orchestrator.core.ports import TextDelta, Tool, ToolCall

_OPENING = "<tool_call>"
_CLOSING = "</tool_call>"


@dataclass(slots=True)
class ToolCallReader:
    """Tells speech from tool calls while a reply streams in.

    Text passes through at once. A reply that begins like a call is kept until its end: {"name": …, "parameters": …}
    (Llama 3.1 model card) or <tool_call>{"name": …, "arguments": …}</tool_call> (Hermes). When it turns out to be no
    call of one of *tools*, it is text after all.
    """

    tools: Sequence[Tool]
    _held: str = ""
    _speaking: bool = field(default=False)

    def feed(self, text: str) -> Iterator[TextDelta]:
        """What of the reply can be spoken, now that *text* has come."""
        if self._speaking or not self.tools:
            yield TextDelta(text)
            return
        self._held += text
        begun = self._held.lstrip()
        if begun and not begun.startswith("{") and not _OPENING.startswith(begun[: len(_OPENING)]):
            self._speaking = True
            yield TextDelta(self._held)
            self._held = ""

    def finish(self) -> Iterator[TextDelta | ToolCall]:
        """What was kept, now that the reply has ended."""
        calls = list(self._calls())
        if calls:
            yield from calls
        elif self._held:
            yield TextDelta(self._held)
        self._held = ""

    def _calls(self) -> Iterator[ToolCall]:
        names = {tool.name for tool in self.tools}
        decoder = json.JSONDecoder()
        rest = self._held
        while (start := rest.find("{")) >= 0:
            try:
                call, length = decoder.raw_decode(rest[start:])
            except json.JSONDecodeError:
                return
            rest = rest[start + length :].removeprefix(_CLOSING)
            arguments = call.get("parameters", call.get("arguments", {}))
            if call.get("name") in names and isinstance(arguments, dict):
                yield ToolCall(call["name"], arguments)
