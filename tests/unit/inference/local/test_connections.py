"""Connections to a process of engines carry one request after the other, and none that was abandoned."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inference.loading import HostedEngine
from inference.local.connections import Connection, Connections
from inference.local.host import Host
from inference.local.remote import PING, SocketChannel
from inference.local.wire import receive, send
from tests.contracts.reference import ReferenceModels


class Counting:
    """A language model that counts."""

    async def complete(self) -> AsyncIterator[str]:
        for word in ("one", "two", "three"):
            yield word

    async def end_of_utterance(self) -> float:
        return 0.25


def host() -> Host:
    models = ReferenceModels()
    manifest = models.manifest("reference-llm")
    return Host({"engine": (HostedEngine(manifest=manifest, files=models.files(manifest), threads=1), Counting())})


class Channel(SocketChannel):
    """One that shows its connections."""

    def __init__(self, connections: Connections) -> None:
        super().__init__("engine", connections)
        self.connections = connections


@dataclass
class Door:
    """The socket of a process, and how many connections came in by it."""

    socket: Path
    host: Host = field(default_factory=host)
    accepted: int = 0
    knocked: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[StreamWriter] = field(default_factory=list)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.accepted += 1
        self.knocked.set()
        self.writers.append(writer)
        await self.host.serve(reader, writer)


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[tuple[Door, Channel]]:
    door = Door(folder / "engines.sock")
    connections = Connections(door.socket)
    async with await asyncio.start_unix_server(door.serve, door.socket):
        yield door, Channel(connections)
        connections.close()


async def pinged(connections: Connections, meanwhile: Callable[[], None] = lambda: None) -> Connection:
    """A connection that has carried one request; *meanwhile* is called before its answer is read."""
    async with connections.connection() as connection:
        await send(connection.writer, ("engine", PING, {}))
        meanwhile()
        await receive(connection.reader)
        connection.answered = True
    return connection


async def test_one_request_after_the_other_goes_over_the_same_connection(tmp_path: Path) -> None:
    async with process(tmp_path) as (door, channel):
        assert [await channel.ask(PING, {}) for _ in range(50)] == [True] * 50
        assert door.accepted == 1


async def test_requests_at_the_same_time_have_connections_of_their_own(tmp_path: Path) -> None:
    async with process(tmp_path) as (door, channel):
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(channel.ask(PING, {})) for _ in range(3)]
        assert all(request.result() for request in asked)
        assert door.accepted == 3


async def test_an_abandoned_request_takes_its_connection_with_it(tmp_path: Path) -> None:
    async with process(tmp_path) as (door, channel):
        asking = asyncio.create_task(channel.ask(PING, {}))
        await door.knocked.wait()
        asking.cancel()
        await asyncio.wait([asking])
        assert await channel.ask(PING, {}) is True
        assert door.accepted == 2


async def test_a_connection_that_the_process_has_closed_is_not_used_again(tmp_path: Path) -> None:
    async with process(tmp_path) as (door, channel):
        connection = await pinged(channel.connections)
        door.writers[0].close()
        assert await connection.reader.read() == b""
        assert await channel.ask(PING, {}) is True
        assert door.accepted == 2


async def test_a_stream_that_is_abandoned_between_items_leaves_none_of_them_to_the_next_request(tmp_path: Path) -> None:
    async with process(tmp_path) as (door, channel):
        await channel.ask(PING, {})
        words = channel.stream("complete", {})
        assert await anext(words) == "one"
        assert door.accepted == 1
        await words.aclose()
        assert await channel.ask("end_of_utterance", {}) == 0.25
        assert door.accepted == 2


async def test_a_connection_that_was_in_use_when_they_were_closed_is_not_kept(tmp_path: Path) -> None:
    async with process(tmp_path) as (door, channel):
        connection = await pinged(channel.connections, meanwhile=channel.connections.close)
        assert connection.writer.is_closing()
        assert await channel.ask(PING, {}) is True
        assert door.accepted == 2


async def test_a_request_that_fails_leaves_its_connection_in_use(tmp_path: Path) -> None:
    async with process(tmp_path) as (door, channel):
        for _ in range(2):
            with pytest.raises(Exception, match="no such engine"):
                await channel.ask("recognize", {})
        assert door.accepted == 1
