"""Messages between a caller and an engine's process: values of the ports as length-prefixed frames.

A frame is two big-endian uint32, the lengths of its two parts; then JSON; then the samples and numbers of its arrays in
the order in which the JSON mentions them. Only the types below can be in one, so reading a frame runs no code of its
sender.
"""

from __future__ import annotations

import json
import math
import struct
from asyncio import StreamReader, StreamWriter
from dataclasses import fields
from typing import Any

import numpy as np

from orchestrator.core.audio import AudioFrame
from orchestrator.core.ports import Interjection, Message, Mood, Reading, TextDelta, Tool, ToolCall, Transcript, Word

_LENGTHS = struct.Struct("!II")
_LARGEST = 256 * 2**20  # bytes of a part: two hours of 16 kHz audio, so anything above is no frame of ours
_TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (AudioFrame, Interjection, Message, Mood, Reading, TextDelta, Tool, ToolCall, Transcript, Word)
}
_TYPE = "#"
_VALUE = "of"


async def send(writer: StreamWriter, value: object) -> None:
    """Write *value*; waits while the other side is slow to read. Raises TypeError for a type that cannot cross."""
    writer.writelines(encode(value))
    await writer.drain()


async def receive(reader: StreamReader, begun: bytes = b"") -> Any:
    """The next value. begun: the bytes of its frame that have been read already, less than eight.

    Raises IncompleteReadError when the other side is gone, ValueError when it sent no frame.
    """
    header, blob = _LENGTHS.unpack(begun + await reader.readexactly(_LENGTHS.size - len(begun)))
    if max(header, blob) > _LARGEST:
        raise ValueError(f"a frame of {header} + {blob} bytes is longer than {_LARGEST}")
    text = await reader.readexactly(header)
    return decode(text, await reader.readexactly(blob))


def encode(value: object) -> list[bytes | memoryview]:
    """The frame of *value*, in pieces that follow each other. Raises TypeError for a type that cannot cross."""
    arrays: list[np.ndarray[Any, Any]] = []
    text = json.dumps(_plain(value, arrays), separators=(",", ":")).encode()
    blob = sum(array.nbytes for array in arrays)
    return [_LENGTHS.pack(len(text), blob), text, *(array.data.cast("B") for array in arrays if array.nbytes)]


def decode(text: bytes, blob: bytes) -> Any:
    """The value whose frame has the parts *text* and *blob*."""
    return _Reader(blob).value(json.loads(text))


def _plain(value: object, arrays: list[np.ndarray[Any, Any]]) -> object:
    plain: object
    match value:
        case None | bool() | int() | float() | str():
            plain = value
        case np.generic():
            plain = value.item()
        case np.ndarray():
            arrays.append(np.ascontiguousarray(value))
            plain = {_TYPE: "array", "dtype": value.dtype.str, "shape": value.shape}
        case list():
            plain = [_plain(item, arrays) for item in value]
        case tuple():
            plain = {_TYPE: "tuple", _VALUE: [_plain(item, arrays) for item in value]}
        case dict():
            plain = {_TYPE: "dict", _VALUE: {key: _plain(item, arrays) for key, item in value.items()}}
        case _:
            plain = {_TYPE: _name(value), _VALUE: _content(value, arrays)}
    return plain


def _name(value: object) -> str:
    name = type(value).__name__
    if _TYPES.get(name) is not type(value):
        raise TypeError(f"a {name} cannot be sent to another process")
    return name


def _content(value: Any, arrays: list[np.ndarray[Any, Any]]) -> dict[str, object]:
    return {part.name: _plain(getattr(value, part.name), arrays) for part in fields(value)}


class _Reader:
    """Rebuilds values, taking the arrays' bytes from *blob* in order."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._taken = 0

    def value(self, plain: Any) -> Any:
        if isinstance(plain, list):
            return [self.value(item) for item in plain]
        if not isinstance(plain, dict):
            return plain
        match plain[_TYPE]:
            case "array":
                return self._array(np.dtype(plain["dtype"]), plain["shape"])
            case "tuple":
                return tuple(self.value(item) for item in plain[_VALUE])
            case "dict":
                return {key: self.value(item) for key, item in plain[_VALUE].items()}
            case name:
                return _TYPES[name](**{key: self.value(item) for key, item in plain[_VALUE].items()})

    def _array(self, dtype: np.dtype[Any], shape: list[int]) -> np.ndarray[Any, Any]:
        count = math.prod(shape)
        flat = np.frombuffer(self._blob, dtype, count, self._taken)
        self._taken += flat.nbytes
        return flat.reshape(shape).copy()  # what was received must be writable, like any other array
