"""What of callers' words each account lets be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from orchestrator.core.privacy import Masking
from orchestrator.store.db import Database

# What the trigger of privacy_policies notifies.
PRIVACY_CHANNEL: Final = "offhook_privacy"


class PrivacyRepository:
    """The policies of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def policies(self) -> Mapping[UUID, Masking]:
        """Of every account that has one."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT account_id, masking FROM privacy_policies")
        return {row["account_id"]: Masking(row["masking"]) for row in rows}

    async def masking(self, account: UUID) -> Masking:
        """That of *account*."""
        async with self._database.tenant(account) as connection:
            found = await connection.fetchval("SELECT masking FROM privacy_policies WHERE account_id = $1", account)
        return Masking.NONE if found is None else Masking(found)

    async def set_masking(self, account: UUID, masking: Masking) -> None:
        """Let *masking* be that of *account*'s calls from now on."""
        async with self._database.tenant(account) as connection:
            await connection.execute(
                """
                INSERT INTO privacy_policies (account_id, masking) VALUES ($1, $2)
                ON CONFLICT (account_id) DO UPDATE SET masking = excluded.masking, updated_at = now()
                """,
                account,
                masking.value,
            )

    async def masking_of(self, account: UUID, call: UUID) -> Masking | None:
        """What is masked in the words of *call*, also by whoever writes of them later; None for no such call."""
        async with self._database.tenant(account) as connection:
            found = await connection.fetchval(
                "SELECT masking FROM calls WHERE account_id = $1 AND id = $2", account, call
            )
        return None if found is None else Masking(found)
