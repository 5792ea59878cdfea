"""What is masked in the calls of each account, in memory, as the database has it: a call's records wait for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from orchestrator.core.privacy import Masking
from orchestrator.store.follower import Follower
from orchestrator.store.privacy_repository import PrivacyRepository


class MaskingPolicies:
    """The policies of all accounts. follower: keeps them as the database has them."""

    def __init__(self, repository: PrivacyRepository) -> None:
        self._repository = repository
        self._known: Mapping[UUID, Masking] | None = None
        self.follower = Follower("masking policies", self.load)

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
