"""What is masked in the calls of each account, in memory, as the database has it: a call's records wait for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from orchestrator.core.privacy import STRICTEST, MaskingPolicy
from orchestrator.store.follower import Follower
from orchestrator.store.privacy_repository import PrivacyRepository

_WITHOUT_ONE = MaskingPolicy()


class MaskingPolicies:
    """The policies of all accounts. follower: keeps them as the database has them."""

    def __init__(self, repository: PrivacyRepository) -> None:
        self._repository = repository
        self._known: Mapping[UUID, MaskingPolicy] | None = None
        self.follower = Follower("masking policies", self.load)

    def of(self, account: UUID) -> MaskingPolicy:
        """That of *account*. Before they were ever read, the strictest."""
        return STRICTEST if self._known is None else self._known.get(account, _WITHOUT_ONE)

    async def load(self) -> None:
        """Read them all. Raises StoreUnavailable."""
        self._known = await self._repository.policies()
