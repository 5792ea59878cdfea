"""The right to be forgotten: everything of one caller's calls is erased, wherever it is, and a receipt is signed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from orchestrator.access.seal import Seal
from orchestrator.compliance.callers import Caller, caller_of
from orchestrator.compliance.receipts import ReceiptKey, hashed
from orchestrator.core.audit import Deed
from orchestrator.core.clock import Clock
from orchestrator.core.errors import VoiceError
from orchestrator.store.erasures_repository import CallsOfCaller, ErasuresRepository, Obstacle, StoredErasure

_CALLS_AT_ONCE = 50


class CannotErase(VoiceError):
    """The erasure cannot be carried out here, such as for want of the installation's key."""


class NotYet(VoiceError):
    """Something must end first: a call of the caller, or the writing of records that are on a disk."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle)
        self.obstacle: Obstacle = obstacle


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whom to forget: calls that are over, by their ids, and how their number may be written."""

    account: UUID
    calls: tuple[UUID, ...]
    caller: Caller

    @property
    def names(self) -> tuple[str, ...]:
        """What tells that a text is about them."""
        return (*map(str, self.calls), *self.caller.spellings)


class Place(Protocol):
    """Where something of calls is kept beside the rows of the database: objects, vectors, logs. kind: of what it keeps.

    before: its things are erased before the rows of the calls, which tell where they are; else once at the end.
    """

    kind: str
    before: bool

    async def holds_back(self, who: Forgotten) -> bool:
        """Whether it is about to write of *who*, so that the erasure must wait."""
        ...

    async def forget(self, who: Forgotten) -> int:
        """Erase all of *who*; how many things. A second time finds none. After an error it is tried again."""
        ...


class Requests:
    """Takes what is asked for. seal: hides numbers in the database; now: seconds since 1970."""

    def __init__(self, repository: ErasuresRepository, seal: Seal, now: Clock) -> None:
        self._repository = repository
        self._seal = seal
        self._now = now

    async def ask(self, account: UUID, caller: str) -> StoredErasure:
        """Have *caller* forgotten soon. Raises ValueError for what is no caller, StoreUnavailable."""
        name, erasure = caller_of(caller).name, uuid4()
        sealed = self._seal.close(name.encode(), erasure.bytes)
        return await self._repository.add(erasure, account, sealed, datetime.fromtimestamp(self._now(), UTC))


@dataclass(frozen=True, slots=True)
class Means:
    """What erasing needs. seal: of Requests; key: signs; now: seconds since 1970; longest_call: none is longer."""

    repository: ErasuresRepository
    places: Sequence[Place]
    seal: Seal
    key: ReceiptKey
    now: Clock
    longest_call: timedelta


class Erasure:
    """Carries out what was asked for."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._repository = means.repository

    async def carry_out(self, account: UUID, erasure_id: UUID) -> StoredErasure | None:
        """Erase what can be erased now, and sign for it when that is everything; None for no such erasure.

        Calls that are over go at once. Raises NotYet, after which it is carried out again; so it is after any other
        error, and nothing is erased or counted twice. Raises CannotErase.
        """
        erasure = await self._repository.get(account, erasure_id)
        if erasure is None or erasure.caller is None:
            return erasure
        name = self._means.seal.open(erasure.caller, erasure.id.bytes)
        if name is None:
            raise CannotErase("the number was sealed under another key than this process has")
        caller = caller_of(name.decode())
        await self._erase_calls(erasure, caller)
        erasure = await self._repository.get(account, erasure_id) or erasure
        who = Forgotten(account, erasure.calls, caller)
        await self._repository.erase_naming(erasure, who.names)
        await self._repository.erase_contact(erasure, caller.forms)
        for place in self._means.places:
            if await place.holds_back(who):
                await self._wait(erasure, "spool")
            if not place.before:
                await self._repository.note(erasure, {place.kind: await place.forget(who)})
        # One may have begun meanwhile, or have come from a disk.
        found = await self._calls(account, caller)
        if found.over or found.live:
            await self._wait(erasure, "call")
        return await self._sign(erasure, caller)

    async def _erase_calls(self, erasure: StoredErasure, caller: Caller) -> None:
        """Erase the calls that are over."""
        found = await self._calls(erasure.account, caller)
        for first in range(0, len(found.over), _CALLS_AT_ONCE):
            calls = found.over[first : first + _CALLS_AT_ONCE]
            who = Forgotten(erasure.account, calls, caller)
            outside = {place.kind: await place.forget(who) for place in self._means.places if place.before}
            await self._repository.erase(erasure, calls, outside)

    async def _calls(self, account: UUID, caller: Caller) -> CallsOfCaller:
        return await self._repository.calls_of(account, caller.forms, self._time() - self._means.longest_call)

    async def _wait(self, erasure: StoredErasure, obstacle: Obstacle) -> None:
        await self._repository.wait(erasure, obstacle)
        raise NotYet(obstacle)

    async def _sign(self, before: StoredErasure, caller: Caller) -> StoredErasure | None:
        erasure = await self._repository.get(before.account, before.id) or before
        at = self._time()
        receipt: dict[str, Any] = {
            "version": 1,
            "id": str(erasure.id),
            "account": str(erasure.account),
            "asked_at": erasure.asked_at.astimezone(UTC).isoformat(),
            "finished_at": at.isoformat(),
            "caller": await asyncio.to_thread(hashed, caller.name),
            "calls": [str(call) for call in erasure.calls],
            "erased": {kind: count for kind, count in sorted(erasure.erased.items()) if count},
        }
        told = {"erasure": str(erasure.id), "calls": str(len(erasure.calls))}
        deed = Deed(erasure.account, "operator", None, "caller_forgotten", told, "")
        await self._repository.finish(erasure, self._means.key.sign(receipt), deed, at)
        return await self._repository.get(erasure.account, erasure.id)

    def _time(self) -> datetime:
        return datetime.fromtimestamp(self._means.now(), UTC)
