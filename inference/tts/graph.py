"""Cuts an ONNX model in two at a tensor, reading the protobuf wire format itself.

A cut touches a handful of fields, so neither the onnx package nor a second copy of the weights on disk is needed.
Field numbers: onnx.proto, IR version 8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

Field = tuple[int, memoryview, memoryview]  # number, content if length-delimited, all its bytes

MODEL_GRAPH: Final = 7
NODE: Final = 1
INITIALIZER: Final = 5
INPUT: Final = 11
OUTPUT: Final = 12
VALUE_INFO: Final = 13
NODE_INPUT: Final = 1
NODE_OUTPUT: Final = 2
NODE_OPERATOR: Final = 4
TENSOR_NAME: Final = 8
VALUE_NAME: Final = 1
VALUE_TYPE: Final = 2
# TypeProto { tensor_type { elem_type: FLOAT } }, of any shape.
FLOAT_TENSOR: Final = b"\x0a\x02\x08\x01"


class UncuttableGraph(ValueError):
    """There is no such tensor, or what follows it needs more than it."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: its serialised form, its type and the names of what it reads and writes."""

    content: memoryview
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Graph:
    """A model, from which smaller models can be cut."""

    def __init__(self, model: bytes) -> None:
        """model: a serialised ModelProto. Raises UncuttableGraph when it is not one."""
        try:
            header = list(fields(memoryview(model)))
            body = list(fields(next(content for number, content, _ in header if number == MODEL_GRAPH)))
            self._nodes = [parsed_node(content) for number, content, _ in body if number == NODE]
            self._initializers = named(body, INITIALIZER, TENSOR_NAME)
            self._inputs = named(body, INPUT, VALUE_NAME)
            self._outputs = named(body, OUTPUT, VALUE_NAME)
        except (IndexError, StopIteration, ValueError) as error:
            raise UncuttableGraph("not an ONNX model") from error
        self._header = [raw for number, _, raw in header if number != MODEL_GRAPH]
        own = {NODE, INITIALIZER, INPUT, OUTPUT, VALUE_INFO}
        self._rest = [raw for number, _, raw in body if number not in own]
        self._producers = {name: node for node in self._nodes for name in node.outputs}

    def operand(self, parameter_prefix: str) -> str:
        """The tensor that the first operator with a parameter named *parameter_prefix*… is applied to.

        Raises UncuttableGraph when there is none.
        """
        for node in self._nodes:
            if any(name.startswith(parameter_prefix) for name in node.inputs[1:]):
                return node.inputs[0]
        raise UncuttableGraph(f"no operator has a parameter named {parameter_prefix}…")

    def outcome(self, operator: str) -> str | None:
        """The tensor that the only operator of this type computes; None when there is none, or more than one."""
        found = [node for node in self._nodes if node.operator == operator]
        return found[0].outputs[0] if len(found) == 1 else None

    def until(self, *tensors: str) -> bytes:
        """The model that computes *tensors* (float32) from the original inputs."""
        return self._model(self._behind(tensors, stop=""), [], [value_info(tensor) for tensor in tensors])

    def after(self, tensor: str, *, also: Collection[str] = ()) -> bytes:
        """The model that computes the first output from *tensor* (float32) and, where it needs them, the inputs *also*.

        Raises UncuttableGraph when the output needs any other of the original inputs.
        """
        output = next(iter(self._outputs))
        nodes = self._behind([output], stop=tensor)
        extra = {name for node in nodes for name in node.inputs if name in self._inputs}.difference(also)
        if extra:
            raise UncuttableGraph(f"what follows {tensor} also needs {', '.join(sorted(extra))}")
        return self._model(nodes, [value_info(tensor)], [bytes(self._outputs[output])])

    def _behind(self, tensors: Iterable[str], stop: str) -> list[Node]:
        """The operators that *tensors* depend on, in the graph's order, not looking behind the tensor *stop*."""
        found: set[str] = set()
        unseen = list(tensors)
        while unseen:
            name = unseen.pop()
            node = self._producers.get(name)
            if node is None or name == stop or name in found:
                continue
            found.update(node.outputs)
            unseen.extend(node.inputs)
        return [node for node in self._nodes if found.intersection(node.outputs)]

    def _model(self, nodes: list[Node], inputs: list[bytes], outputs: list[bytes]) -> bytes:
        """A serialised ModelProto of *nodes* and what they read; *inputs* and *outputs*: ValueInfoProtos."""
        read = {name for node in nodes for name in node.inputs}
        graph = [delimited(NODE, node.content) for node in nodes]
        graph += [delimited(INITIALIZER, content) for name, content in self._initializers.items() if name in read]
        graph += [delimited(INPUT, content) for content in inputs]
        graph += [delimited(INPUT, content) for name, content in self._inputs.items() if name in read]
        graph += [delimited(OUTPUT, content) for content in outputs]
        graph += map(bytes, self._rest)
        return b"".join([*map(bytes, self._header), delimited(MODEL_GRAPH, b"".join(graph))])


def parsed_node(content: memoryview) -> Node:
    """The NodeProto in *content*."""
    names: dict[int, list[str]] = {NODE_INPUT: [], NODE_OUTPUT: [], NODE_OPERATOR: []}
    for number, value, _ in fields(content):
        if number in names:
            names[number].append(str(value, "utf-8"))
    return Node(content, "".join(names[NODE_OPERATOR]), tuple(names[NODE_INPUT]), tuple(names[NODE_OUTPUT]))


def named(body: list[Field], kind: int, name: int) -> dict[str, memoryview]:
    """The messages of field *kind* by the string in their field *name*, in order."""
    contents = [content for number, content, _ in body if number == kind]
    return {str(next(value for number, value, _ in fields(c) if number == name), "utf-8"): c for c in contents}


def value_info(tensor: str) -> bytes:
    """A ValueInfoProto: *tensor* is float32, of any shape."""
    return delimited(VALUE_NAME, tensor.encode()) + delimited(VALUE_TYPE, FLOAT_TENSOR)


def fields(message: memoryview) -> Iterator[Field]:
    """The fields of a protobuf *message*, in order. Raises ValueError or IndexError when it is malformed."""
    at = 0
    while at < len(message):
        start = at
        key, at = read_varint(message, at)
        content = message[:0]
        match key & 7:
            case 0:
                _, at = read_varint(message, at)
            case 1:
                at += 8
            case 2:
                length, at = read_varint(message, at)
                content, at = message[at : at + length], at + length
            case 5:
                at += 4
            case wire_type:
                raise ValueError(f"unknown wire type {wire_type}")
        if at > len(message):
            raise ValueError("truncated message")
        yield key >> 3, content, message[start:at]


def read_varint(message: memoryview, at: int) -> tuple[int, int]:
    """The base-128 number at *at*, and the position after it."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def varint(value: int) -> bytes:
    """*value* as a base-128 number."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimited(number: int, content: bytes | memoryview) -> bytes:
    """A length-delimited field."""
    return b"".join((varint(number << 3 | 2), varint(len(content)), content))
