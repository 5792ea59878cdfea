"""Erasing what has been kept for as long as its account wants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias
from uuid import UUID

from orchestrator.core.audit import Deed
from orchestrator.core.clock import Clock
from orchestrator.core.privacy import Kept
from orchestrator.store.audit_repository import AuditRepository
from orchestrator.store.retention_repository import RetentionRepository

_Step: TypeAlias = Callable[[UUID, datetime], Awaitable[int]]
"""Erases a batch of an account's things of before some time; how many, 0 when nothing is due any more."""


class Recordings(Protocol):
    """Where recordings are removed for good, such as orchestrator.recordings.erasure."""

    async def delete(self, account: UUID, call_id: UUID) -> int:
        """Remove that of a call, if there is one; how many objects. Raises VoiceError when that must be tried again."""
        ...


@dataclass(frozen=True, slots=True)
class Erased:
    """What a pass erased: calls for all but jobs and entries. more: batches were left for the next pass."""

    counts: Mapping[Kept, int]
    more: bool


class Retention:
    """Erases for one account at a time. now: seconds since 1970."""

    def __init__(
        self, repository: RetentionRepository, recordings: Recordings, audit: AuditRepository, now: Clock
    ) -> None:
        self._repository = repository
        self._recordings = recordings
        self._audit = audit
        self._now = now

    async def run(self, account: UUID, batches: int = 1000) -> Erased:
        """Erase what is due, at most *batches* of each kind. Running it again erases nothing twice.

        What was erased is in the audit log, in figures. Cancelled or failed in the middle, it has erased whole batches.
        Raises StoreUnavailable, RecordingUnavailable.
        """
        now = datetime.fromtimestamp(self._now(), UTC)
        days = await self._repository.policies(account)
        counts: dict[Kept, int] = {}
        more = False
        try:
            for kind, step in self._steps().items():
                if kind not in days:
                    continue
                before = now - timedelta(days=days[kind])
                for _ in range(batches):
                    erased = await step(account, before)
                    if not erased:
                        break
                    counts[kind] = counts.get(kind, 0) + erased
                else:
                    more = True
        finally:
            if counts:
                told = {kind.value: str(count) for kind, count in counts.items()}
                await self._audit.append(Deed(account, "operator", None, "retention", told, ""), now)
        return Erased(counts, more)

    def _steps(self) -> Mapping[Kept, _Step]:
        """What takes more goes first, so that less is left for the others."""
        return {
            Kept.CALLS: self._calls,
            Kept.RECORDINGS: self._of_recordings,
            Kept.TRANSCRIPTS: self._repository.erase_transcripts,
            Kept.EVENTS: self._repository.erase_events,
            Kept.JOBS: self._repository.erase_jobs,
            Kept.AUDIT: self._audit.erase,
        }

    async def _calls(self, account: UUID, before: datetime) -> int:
        calls = await self._repository.calls_due(account, before)
        for call in calls:
            await self._recordings.delete(account, call)
        return await self._repository.erase_calls(account, calls) if calls else 0

    async def _of_recordings(self, account: UUID, before: datetime) -> int:
        calls = await self._repository.recordings_due(account, before)
        for call in calls:
            await self._recordings.delete(account, call)
        return len(calls)
