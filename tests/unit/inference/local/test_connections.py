"""Connections to a process of engines carry one request after the other, and none that was abandoned."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inference.local.connections import Connections
from inference.local.host import Host
from inference.local.remote import PING, SocketChannel
from orchestrator.core.errors import EngineUnavailable


@dataclass
class Door:
    """The socket of a process, and how many connections came in by it."""

    socket: Path
    host: Host = field(default_factory=lambda: Host({}))
    accepted: int = 0
    knocked: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[StreamWriter] = field(default_factory=list)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.accepted += 1
        self.knocked.set()
        self.writers.append(writer)
        await self.host.serve(reader, writer)


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[tuple[Door, SocketChannel]]:
    door = Door(folder / "engines.sock")
    connections = Connections(door.socket)
    async with await asyncio.start_unix_server(door.serve, door.socket):
        yield door, SocketChannel("engine", connections)
        connections.close()


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
        await channel.ask(PING, {})
        door.writers[0].close()
        await door.writers[0].wait_closed()
        async with asyncio.timeout(1):
            while not await _asked(channel):
                pass
        assert door.accepted == 2


async def test_a_request_that_fails_leaves_its_connection_in_use(tmp_path: Path) -> None:
    async with process(tmp_path) as (door, channel):
        for _ in range(2):
            with pytest.raises(Exception, match="no such engine"):
                await channel.ask("recognize", {})
        assert door.accepted == 1


async def _asked(channel: SocketChannel) -> bool:
    """Whether it was answered: the end of a connection may become known only when it is used."""
    try:
        return bool(await channel.ask(PING, {}))
    except EngineUnavailable:
        return False
