"""Completions as they arrive over the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping

import pytest

from inference.llm.chat import Reply, chunks, tools_json
from orchestrator.core.errors import BadOutput, EngineError
from orchestrator.core.ports import TextDelta, Tool, ToolCall


async def lines(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


def data(delta: Mapping[str, object]) -> str:
    return "data: " + json.dumps({"choices": [{"delta": delta}]})


async def test_text_passes_through_piece_by_piece() -> None:
    reply = Reply("model")
    stream = lines(data({"role": "assistant", "content": None}), "", data({"content": "Hel"}), data({"content": "lo"}))
    assert [delta async for chunk in chunks(stream, "model") for delta in reply.text_of(chunk)] == [
        TextDelta("Hel"),
        TextDelta("lo"),
    ]


async def test_nothing_after_the_end_mark_is_read() -> None:
    assert [chunk async for chunk in chunks(lines("data: [DONE]", "data: not json"), "model")] == []


async def test_a_tool_call_is_put_together_from_its_pieces() -> None:
    reply = Reply("model")
    stream = lines(
        data({"tool_calls": [{"index": 0, "function": {"name": "book", "arguments": '{"day": '}}]}),
        data({"tool_calls": [{"index": 0, "function": {"arguments": '"Monday"}'}}]}),
    )
    async for chunk in chunks(stream, "model"):
        assert list(reply.text_of(chunk)) == []
    assert list(reply.tool_calls()) == [ToolCall("book", {"day": "Monday"})]


@pytest.mark.parametrize("arguments", ['{"day": ', "[1]"])
async def test_arguments_that_are_no_object_are_bad_output(arguments: str) -> None:
    reply = Reply("model")
    call = {"tool_calls": [{"index": 0, "function": {"name": "book", "arguments": arguments}}]}
    async for chunk in chunks(lines(data(call)), "model"):
        list(reply.text_of(chunk))
    with pytest.raises(BadOutput, match="model: tool arguments"):
        list(reply.tool_calls())


@pytest.mark.parametrize("line", ["error: it broke", 'data: {"error": {"message": "it broke"}}'])
async def test_an_error_in_the_stream_is_raised_with_the_engines_name(line: str) -> None:
    with pytest.raises(EngineError, match="model: it broke"):
        async for _ in chunks(lines(line), "model"):
            pass


def test_a_tool_is_described_as_a_function() -> None:
    tool = Tool("book", "Book a visit", {"type": "object"})
    assert tools_json([tool]) == [
        {
            "type": "function",
            "function": {"name": "book", "description": "Book a visit", "parameters": {"type": "object"}},
        }
    ]
