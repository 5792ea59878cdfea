"""What of callers' words each account lets be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import asyncpg

from orchestrator.core.privacy import Masking, MaskingPolicy
from orchestrator.store.db import Database

# What the trigger of privacy_policies notifies.
PRIVACY_CHANNEL: Final = "offhook_privacy"

_SET = """
    INSERT INTO privacy_policies AS kept (account_id, masking, mask_recordings) VALUES ($1, $2, coalesce($3, false))
    ON CONFLICT (account_id) DO UPDATE
    SET masking = $2, mask_recordings = coalesce($3, kept.mask_recordings), updated_at = now()
    RETURNING masking, mask_recordings
"""


class PrivacyRepository:
    """The policies of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def policies(self) -> Mapping[UUID, MaskingPolicy]:
        """Of every account that has one."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT account_id, masking, mask_recordings FROM privacy_policies")
        return {row["account_id"]: _policy(row) for row in rows}

    async def policy(self, account: UUID) -> MaskingPolicy:
        """That of *account*."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                "SELECT masking, mask_recordings FROM privacy_policies WHERE account_id = $1", account
            )
        return MaskingPolicy() if row is None else _policy(row)

    async def set(self, account: UUID, words: Masking, recordings: bool | None) -> MaskingPolicy:
        """What *account*'s calls begin with from now on. recordings: None leaves that as it is."""
        async with self._database.tenant(account) as connection:
            return _policy(await connection.fetchrow(_SET, account, words.value, recordings))

    async def masking_of(self, account: UUID, call: UUID) -> Masking | None:
        """What is masked in the words of *call*, also by whoever writes of them later; None for no such call."""
        async with self._database.tenant(account) as connection:
            found = await connection.fetchval(
                "SELECT masking FROM calls WHERE account_id = $1 AND id = $2", account, call
            )
        return None if found is None else Masking(found)


def _policy(row: asyncpg.Record) -> MaskingPolicy:
    return MaskingPolicy(Masking(row["masking"]), recordings=row["mask_recordings"])
