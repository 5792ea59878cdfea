"""Viewers are told every change of their account once, in order, wherever they come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from uuid import UUID, uuid4

import pytest

from orchestrator.api.live.hub import LiveHub, Pace, TooSlow
from orchestrator.core.events import CallEnded, CallStarted, EndReason, Happened, Spoken
from orchestrator.store.calls import RecordedLine
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from orchestrator.store.db import Database
from orchestrator.store.live_feed import Change, LiveFeed
from orchestrator.store.notifications import Notifications

Changes = AsyncIterator[list[Change]]


@asynccontextmanager
async def hub(database: Database, pace: Pace | None = None) -> AsyncIterator[LiveHub]:
    """A hub that hears what the database notifies."""
    hub, notifications = LiveHub(LiveFeed(database), pace or Pace(linger=0.0)), Notifications(database)
    notifications.subscribe("offhook_live", hub.heard)
    async with notifications.listening(), hub.running():
        await notifications.connected.wait()
        yield hub


async def begun(database: Database) -> UUID:
    """A call that goes on."""
    call = uuid4()
    started = CallStarted(call, "demo", "inbound", "anna", "100", "sip", 1_800_000_000.0)
    await CallsRepository(database).write([started])
    return call


async def said(database: Database, call: UUID, *words: str, start: float = 0.0) -> None:
    """Lines of *call*."""
    lines = [Spoken(call, 0, "caller", word, start + index, start + index + 1) for index, word in enumerate(words)]
    await CallsRepository(database).write(lines)


async def until_told(changes: Changes) -> list[Change]:
    """All changes up to the first word that everything has been told."""
    told: list[Change] = []
    async with asyncio.timeout(10):
        async for some in changes:
            if not some:
                return told
            told += some
    raise AssertionError("the feed ended")


async def some_of(changes: Changes, number: int) -> list[Change]:
    """The next *number* changes."""
    told: list[Change] = []
    async with asyncio.timeout(10):
        while len(told) < number:
            told += await anext(changes)
    return told


def texts(changes: list[Change]) -> list[str]:
    return [change.what.text for change in changes if isinstance(change.what, RecordedLine)]


async def test_a_new_viewer_is_told_which_calls_go_on_and_then_what_happens(database: Database) -> None:
    over, going_on = await begun(database), await begun(database)
    await CallsRepository(database).write([CallEnded(over, EndReason.CALLER_HANGUP, 1_800_000_009.0, 9.0)])
    async with hub(database) as live, aclosing(live.follow(DEFAULT_ACCOUNT, None)) as changes:
        assert [change.call for change in await until_told(changes)] == [going_on]
        await said(database, going_on, "hello", "again")
        assert texts(await some_of(changes, 2)) == ["hello", "again"]
        await CallsRepository(database).write([Happened(going_on, 0, "state", 1.0, {"to": "listen"})])
        (event,) = await some_of(changes, 1)
        assert (event.kind, event.call) == ("event", going_on)


async def test_a_viewer_who_comes_back_is_told_what_was_missed_and_nothing_twice(database: Database) -> None:
    call = await begun(database)
    async with hub(database, Pace(linger=0.0, batch=3)) as live:
        async with aclosing(live.follow(DEFAULT_ACCOUNT, None)) as changes:
            await until_told(changes)
            await said(database, call, "one")
            seen = (await some_of(changes, 1))[-1].position
        await said(database, call, *"abcdefgh", start=10.0)
        async with aclosing(live.follow(DEFAULT_ACCOUNT, seen)) as changes:
            assert texts(await until_told(changes)) == list("abcdefgh")
            await said(database, call, "last", start=30.0)
            assert texts(await some_of(changes, 1)) == ["last"]


async def test_a_viewer_of_one_call_is_told_all_of_it_and_nothing_else(database: Database) -> None:
    mine, other = await begun(database), await begun(database)
    await said(database, mine, "before")
    async with hub(database) as live, aclosing(live.follow(DEFAULT_ACCOUNT, None, mine)) as changes:
        assert texts(await until_told(changes)) == ["before"]
        await said(database, other, "elsewhere")
        await said(database, mine, "after", start=5.0)
        assert texts(await some_of(changes, 1)) == ["after"]


async def test_another_account_is_told_nothing(database: Database) -> None:
    other = uuid4()
    async with database.connection() as connection:
        await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
    call = await begun(database)
    async with hub(database) as live:
        for of_call in (None, call):
            async with aclosing(live.follow(other, 0, of_call)) as changes:
                assert await until_told(changes) == []


async def test_nothing_is_missed_while_writers_and_viewers_come_and_go(database: Database) -> None:
    calls = [await begun(database) for _ in range(4)]

    async def write(call: UUID) -> None:
        for moment in range(25):
            await said(database, call, f"{call}/{moment}", start=float(moment))

    async def view(live: LiveHub) -> list[str]:
        """Everything, over connections that are given up again and again."""
        told, position = list[str](), 0
        while len(told) < 100:
            async with aclosing(live.follow(DEFAULT_ACCOUNT, position)) as changes:
                for _ in range(4):
                    async with asyncio.timeout(10):
                        some = await anext(changes)
                    told += texts(some)
                    position = some[-1].position if some else position
                    if len(told) >= 100:
                        break
        return told

    async with hub(database) as live, asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(write(call))
        viewers = [group.create_task(view(live)) for _ in range(3)]
    wanted = sorted(f"{call}/{moment}" for call in calls for moment in range(25))
    assert all(sorted(viewer.result()) == wanted for viewer in viewers)


async def test_a_viewer_who_does_not_read_is_let_go(database: Database) -> None:
    call = await begun(database)
    pace = Pace(linger=0.0, behind=5)
    async with (
        hub(database, pace) as live,
        aclosing(live.follow(DEFAULT_ACCOUNT, None)) as slow,
        aclosing(live.follow(DEFAULT_ACCOUNT, None)) as quick,
    ):
        await until_told(slow)
        await until_told(quick)
        for moment in range(8):
            await said(database, call, str(moment), start=float(moment))
            await some_of(quick, 1)
        with pytest.raises(TooSlow):
            await anext(slow)


async def test_a_lost_connection_loses_nothing(database: Database) -> None:
    call = await begun(database)
    async with hub(database) as live, aclosing(live.follow(DEFAULT_ACCOUNT, None)) as changes:
        await until_told(changes)
        async with database.connection() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'offhook listener' AND datname = current_database()"
            )
        await said(database, call, "meanwhile")
        assert texts(await some_of(changes, 1)) == ["meanwhile"]


class Unreadable(LiveFeed):
    """A feed with a row that this release cannot read, once somebody has begun to view."""

    broken = False

    async def since(self, account: UUID, position: int, limit: int, call: UUID | None = None) -> list[Change]:
        if self.broken:
            raise ValueError("'levitated' is not a valid EndReason")
        return await super().since(account, position, limit, call)


async def test_a_row_that_cannot_be_read_ends_views_and_nothing_else(database: Database) -> None:
    feed = Unreadable(database)
    live = LiveHub(feed, Pace(linger=0.0))
    async with live.running():
        async with aclosing(live.follow(DEFAULT_ACCOUNT, None)) as changes:
            await until_told(changes)
            feed.broken = True
            live.heard(None)
            with pytest.raises(TooSlow):
                async with asyncio.timeout(5):
                    await anext(changes)
        feed.broken = False
        async with aclosing(live.follow(DEFAULT_ACCOUNT, None)) as changes:
            assert await until_told(changes) == []
