"""What is masked in the calls of each account, in memory, as the database has it: a call's records wait for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from orchestrator.core.errors import ConfigError, StoreUnavailable
from orchestrator.core.privacy import Masking
from orchestrator.store.privacy_repository import PrivacyRepository

_RETRY = 2.0

log = structlog.get_logger(__name__)


class MaskingPolicies:
    """The policies of all accounts. While the database is away the last ones known stand."""

    def __init__(self, repository: PrivacyRepository) -> None:
        self._repository = repository
        self._known: Mapping[UUID, Masking] | None = None
        self._changed = asyncio.Event()

    def of(self, account: UUID) -> Masking:
        """That of *account*. Before they were ever read, the strictest."""
        return Masking.ALL if self._known is None else self._known.get(account, Masking.NONE)

    async def load(self) -> None:
        """Read them all. Raises StoreUnavailable."""
        self._known = await self._repository.policies()

    async def set(self, account: UUID, masking: Masking) -> None:
        """Let *masking* be that of *account*: of this process's next call at once, of others' within moments."""
        await self._repository.set_masking(account, masking)
        await self.load()

    def heard(self, payload: str | None) -> None:
        """Something was changed somewhere."""
        self._changed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the database during the block."""
        task = asyncio.create_task(self._follow(), name="masking policies")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.load()
            except (StoreUnavailable, ConfigError) as error:
                log.warning("masking_policies_behind", reason=str(error))
                self._changed.set()
                await asyncio.sleep(_RETRY)
