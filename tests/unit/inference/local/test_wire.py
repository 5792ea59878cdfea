"""Values arrive at another process as they left."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from inference.local.wire import decode, encode, receive
from orchestrator.core.audio import AudioFrame
from orchestrator.core.ports import Message, Mood, TextDelta, Tool, ToolCall, Transcript, Word


def sent(value: object) -> Any:
    """*value* after a journey over the wire."""
    frame = b"".join(encode(value))
    header = int.from_bytes(frame[:4])
    assert len(frame) == 8 + header + int.from_bytes(frame[4:8])
    return decode(frame[8 : 8 + header], frame[8 + header :])


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.5,
        "é\n\x00 中",
        (),
        [],
        (1, (2.0, None), ["x", ()]),
        {"#": "tuple", "of": {"#": "array"}},
        Message("user", "hello"),
        Mood(0.1, 0.2, 0.7),
        TextDelta(" word"),
        Tool("book", "Book", {"type": "object", "required": ["day"], "properties": {}}),
        ToolCall("book", {"day": None, "guests": [1, 2]}),
        Transcript("hi", False, "fr", 0.25, (Word("hi", 0.0, 0.5),)),
        ("reference", "complete", {"messages": (Message("user", "x"),), "max_tokens": 3}),
    ],
)
def test_a_value_arrives_equal(value: object) -> None:
    assert sent(value) == value


def test_arrays_arrive_in_order_with_their_types_and_can_be_written_to() -> None:
    arrays: tuple[np.ndarray[Any, Any], ...] = (
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array([], dtype=np.int16),
        np.array([7], dtype=np.int16),
    )
    received = sent(arrays)
    assert isinstance(received, tuple)
    for left, right in zip(arrays, received, strict=True):
        assert left.dtype == right.dtype
        assert np.array_equal(left, right)
    received[0][0, 0] = 9.0


def test_a_slice_of_audio_arrives_as_its_own_samples() -> None:
    frame = AudioFrame(np.arange(100, dtype=np.int16)[10:20:2], 8_000, 1.25, (0.1, 0.25))
    received = sent(frame)
    assert isinstance(received, AudioFrame)
    assert received.pcm.tolist() == [10, 12, 14, 16, 18]
    assert (received.rate, received.at, received.word_ends) == (8_000, 1.25, (0.1, 0.25))


def test_a_number_of_numpy_arrives_as_a_plain_one() -> None:
    assert sent((np.float32(0.5), np.int64(3))) == (0.5, 3)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", ValueError("x"), type("Message", (), {})()])
def test_any_other_type_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        encode(value)


async def test_a_frame_of_absurd_length_is_refused_before_it_is_read() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"\xff" * 8)
    with pytest.raises(ValueError, match="longer than"):
        await receive(reader)


async def test_a_frame_that_ends_early_says_so() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(encode("hello"))[:-1])
    reader.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError):
        await receive(reader)
