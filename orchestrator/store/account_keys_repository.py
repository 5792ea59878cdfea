"""The wrapped data keys of accounts in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from orchestrator.store.db import Database


@dataclass(frozen=True, slots=True)
class AccountKey:
    """One account's key. master: the id of what it is wrapped with."""

    account: UUID
    wrapped: bytes = field(repr=False)
    master: str


class AccountKeysRepository:
    """Read and written by the keyring alone, for whichever account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, account: UUID) -> AccountKey | None:
        """The key of *account*, if it has one."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT account_id, wrapped, master FROM account_keys WHERE account_id = $1", account
            )
        return None if row is None else AccountKey(row["account_id"], row["wrapped"], row["master"])

    async def keep(self, key: AccountKey) -> AccountKey:
        """Store *key* unless its account has one; the one that it has then."""
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO account_keys (account_id, wrapped, master) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                key.account,
                key.wrapped,
                key.master,
            )
        kept = await self.find(key.account)
        assert kept is not None
        return kept

    async def all(self) -> list[AccountKey]:
        """Every account's."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT account_id, wrapped, master FROM account_keys ORDER BY account_id")
        return [AccountKey(row["account_id"], row["wrapped"], row["master"]) for row in rows]

    async def replace(self, before: AccountKey, after: AccountKey) -> None:
        """The same key, wrapped anew; nothing when it was wrapped anew meanwhile."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE account_keys SET wrapped = $3, master = $4 WHERE account_id = $1 AND wrapped = $2",
                before.account,
                before.wrapped,
                after.wrapped,
                after.master,
            )
