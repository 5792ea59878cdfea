"""Live changes for any number of viewers: what one account's viewers want is read once, whoever of them wants it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from orchestrator.core.errors import StoreUnavailable, VoiceError
from orchestrator.store.live_feed import Change, LiveFeed

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """linger: seconds between two reads, so that a burst of changes is one; batch: changes a read; retry: seconds after
    one that failed; behind: changes that a viewer may leave unread before it is let go.
    """

    linger: float = 0.05
    batch: int = 500
    retry: float = 1.0
    behind: int = 2000


class TooSlow(VoiceError):
    """A viewer does not keep up with its account, or cannot be told what happened."""


class LiveHub:
    """The viewers of all accounts. Viewers follow within `running`; `heard` takes every notification."""

    def __init__(self, feed: LiveFeed, pace: Pace | None = None) -> None:
        self._feed = feed
        self._pace = pace or Pace()
        self._accounts: dict[UUID, _Account] = {}
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read for viewers during the block."""
        async with asyncio.TaskGroup() as self._group:
            try:
                yield
            finally:
                for account in self._accounts.values():
                    account.stop()

    def heard(self, payload: str | None) -> None:
        """Something changed in the account of *payload*, or perhaps in all of them."""
        for account, viewers in self._accounts.items():
            if payload is None or payload == str(account):
                viewers.changed.set()

    async def follow(
        self, account: UUID, after: int | None, call: UUID | None = None
    ) -> AsyncGenerator[list[Change], None]:
        """The changes of *account* after position *after*, as they come, those of one *call* when it is given.

        Without *after* it begins with the calls that go on, or with all of the one call. An empty list says that
        everything up to now has been told. Raises StoreUnavailable when the beginning cannot be read, and TooSlow.
        """
        with self._viewing(account) as (followed, viewer):
            await followed.begin()
            if after is None and call is None:
                position, changes = await self._feed.live_calls(account)
                if changes:
                    yield changes
            else:
                position = after if after is not None else -1  # rows of before there were positions have 0
            while changes := await self._feed.since(account, position, self._pace.batch, call):
                position = changes[-1].position
                yield changes
            yield []
            while True:
                changes = [
                    change
                    for change in await viewer.next()
                    if change.position > position and (call is None or change.call == call)
                ]
                if changes:
                    position = changes[-1].position
                    yield changes

    @contextmanager
    def _viewing(self, account: UUID) -> Iterator[tuple[_Account, _Viewer]]:
        assert self._group is not None, "nobody follows before the hub runs"
        followed = self._accounts.get(account)
        if followed is None:
            followed = self._accounts[account] = _Account(account, self._feed, self._pace, self._group)
        viewer = _Viewer(self._pace.behind)
        followed.viewers.add(viewer)
        try:
            yield followed, viewer
        finally:
            followed.viewers.discard(viewer)
            if not followed.viewers:
                followed.stop()
                del self._accounts[account]


class _Viewer:
    """What one viewer has yet to be told."""

    def __init__(self, behind: int) -> None:
        self._unread: deque[Change] = deque()
        self._behind = behind
        self._more = asyncio.Event()
        self._lost = False

    def tell(self, changes: Sequence[Change]) -> None:
        """*changes* follow those that were told before."""
        self._unread.extend(changes)
        self._lost = self._lost or len(self._unread) > self._behind
        if self._lost:
            self._unread.clear()
        self._more.set()

    def drop(self) -> None:
        """Nothing more can be told."""
        self._lost = True
        self._more.set()

    async def next(self) -> list[Change]:
        """What was told since the last time. Raises TooSlow."""
        await self._more.wait()
        self._more.clear()
        if self._lost:
            raise TooSlow(f"what happened was not told: more than {self._behind} changes unread, or none readable")
        unread = list(self._unread)
        self._unread.clear()
        return unread


class _Account:
    """Reads the changes of one account while somebody views it."""

    def __init__(self, account: UUID, feed: LiveFeed, pace: Pace, group: asyncio.TaskGroup) -> None:
        self.viewers: set[_Viewer] = set()
        self.changed = asyncio.Event()
        self._account = account
        self._feed = feed
        self._pace = pace
        self._position: int | None = None
        self._beginning = asyncio.Lock()
        self._task = group.create_task(self._read(), name="live feed")

    async def begin(self) -> None:
        """What happens from now on is told to all viewers. Raises StoreUnavailable."""
        async with self._beginning:
            if self._position is None:
                self._position, _ = await self._feed.live_calls(self._account)
                self.changed.set()  # what was notified meanwhile was not looked for

    def stop(self) -> None:
        """Nobody views it any more."""
        self._task.cancel()

    async def _read(self) -> None:
        while True:
            await self.changed.wait()
            self.changed.clear()
            try:
                await self._tell()
            except StoreUnavailable as error:
                log.warning("live_feed_behind", account=str(self._account), reason=str(error))
                self.changed.set()
                await asyncio.sleep(self._pace.retry)
            except Exception:  # such as a row of a newer release: no view is worth the calls of this process
                log.exception("live_feed_failed", account=str(self._account))
                for viewer in self.viewers:
                    viewer.drop()
            await asyncio.sleep(self._pace.linger)

    async def _tell(self) -> None:
        """Tell the viewers what is new."""
        while self._position is not None:
            changes = await self._feed.since(self._account, self._position, self._pace.batch)
            if not changes:
                return
            self._position = changes[-1].position
            for viewer in self.viewers:
                viewer.tell(changes)
