"""Speech and tool calls are told apart."""

from __future__ import annotations

import pytest

from inference.llm.tool_calls import ToolCallReader
from orchestrator.core.ports import TextDelta, Tool, ToolCall

BOOK = Tool("book", "Book a visit")
CALL = ToolCall("book", {"day": "Monday"})


def read(reply: str, *tools: Tool, size: int = 3) -> tuple[str, list[ToolCall]]:
    """The text and the calls in *reply*, which comes in pieces of *size* characters."""
    reader = ToolCallReader(tools)
    deltas = [delta for at in range(0, len(reply), size) for delta in reader.feed(reply[at : at + size])]
    text = "".join(delta.text for delta in deltas)
    calls: list[ToolCall] = []
    for rest in reader.finish():
        if isinstance(rest, ToolCall):
            calls.append(rest)
        else:
            text += rest.text
    return text, calls


@pytest.mark.parametrize(
    "reply",
    [
        '{"name": "book", "parameters": {"day": "Monday"}}',
        '  {"name": "book", "arguments": {"day": "Monday"}}',
        '<tool_call>\n{"name": "book", "arguments": {"day": "Monday"}}\n</tool_call>',
    ],
)
def test_a_call_is_recognised_however_the_model_writes_it(reply: str) -> None:
    assert read(reply, BOOK) == ("", [CALL])


def test_two_calls_in_a_row_are_both_made() -> None:
    one = '<tool_call>{"name": "book", "arguments": {"day": "Monday"}}</tool_call>'
    assert read(one + "\n" + one, BOOK) == ("", [CALL, CALL])


def test_speech_passes_through_as_it_comes() -> None:
    reader = ToolCallReader([BOOK])
    assert list(reader.feed(" Certainly")) == [TextDelta(" Certainly")]
    assert list(reader.feed(" {not a call}")) == [TextDelta(" {not a call}")]


@pytest.mark.parametrize(
    "reply", ['{"name": "rob", "parameters": {}}', '{"name": "book", "par', "<b>bold</b>", "<tool"]
)
def test_what_only_looks_like_a_call_is_spoken(reply: str) -> None:
    assert read(reply, BOOK) == (reply, [])


def test_without_tools_nothing_is_held_back() -> None:
    assert list(ToolCallReader([]).feed("{")) == [TextDelta("{")]
