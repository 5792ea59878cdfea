"""A listener hears what is notified, and comes back when its connection is cut."""

from __future__ import annotations

import asyncio

from orchestrator.store.db import Database
from orchestrator.store.notifications import Notifications, Patience


class Ear:
    """Collects payloads, and waits for one."""

    def __init__(self) -> None:
        self.heard: list[str | None] = []
        self._more = asyncio.Event()

    def __call__(self, payload: str | None) -> None:
        self.heard.append(payload)
        self._more.set()

    async def until(self, heard: list[str | None]) -> None:
        async with asyncio.timeout(10):
            while self.heard != heard:
                await self._more.wait()
                self._more.clear()


async def notify(database: Database, channel: str, payload: str) -> None:
    async with database.connection() as connection:
        await connection.execute("SELECT pg_notify($1, $2)", channel, payload)


async def test_a_subscriber_hears_its_channel(database: Database) -> None:
    notifications, ear = Notifications(database), Ear()
    notifications.subscribe("fruit", ear)
    async with notifications.listening():
        await ear.until([None])
        await notify(database, "cheese", "brie")
        await notify(database, "fruit", "apple")
        await ear.until([None, "apple"])


async def test_a_listener_that_was_cut_off_comes_back_and_says_that_something_may_be_missing(
    database: Database,
) -> None:
    notifications, ear = Notifications(database, Patience(retry=0.01)), Ear()
    notifications.subscribe("fruit", ear)
    async with notifications.listening():
        await ear.until([None])
        async with database.connection() as connection:
            cut = await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'offhook listener' AND datname = current_database()"
            )
        assert len(cut) == 1
        await ear.until([None, None])
        await notify(database, "fruit", "pear")
        await ear.until([None, None, "pear"])


async def test_a_database_that_is_not_there_is_waited_for() -> None:
    notifications = Notifications(Database("postgresql://offhook@127.0.0.1:1/offhook"), Patience(retry=0.01))
    notifications.subscribe("fruit", Ear())
    async with notifications.listening():
        await asyncio.sleep(0)
        assert not notifications.connected.is_set()
