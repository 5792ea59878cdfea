"""API keys in PostgreSQL, by the hash of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator.store.db import Database

_SHOWN = "id, account_id, name, shown, permissions, created_by, created_at, expires_at, last_used_at, revoked_at"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it may be shown. shown: its first characters; the times but the first may be None."""

    id: UUID
    account: UUID
    name: str
    shown: str
    permissions: tuple[str, ...]
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be kept. hash: SHA-256."""

    name: str
    hash: bytes
    shown: str
    permissions: Collection[str]
    created_by: UUID | None
    expires_at: datetime | None


class KeysRepository:
    """The keys of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: UUID, key: NewKey) -> ApiKey:
        """Keep *key* for *account*."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                f"""
                INSERT INTO api_keys (account_id, name, hash, shown, permissions, created_by, expires_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_SHOWN}
                """,  # noqa: S608 - columns of ours
                account,
                key.name,
                key.hash,
                key.shown,
                sorted(key.permissions),
                key.created_by,
                key.expires_at,
            )
        return _key(row)

    async def page(self, account: UUID, limit: int, after: tuple[datetime, UUID] | None = None) -> list[ApiKey]:
        """The keys of *account*, the newest first, revoked ones as well; older than *after* when it is given."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                f"""
                SELECT {_SHOWN} FROM api_keys
                WHERE account_id = $1 AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
                ORDER BY created_at DESC, id DESC LIMIT $2
                """,  # noqa: S608 - columns of ours
                account,
                limit,
                *(after or (None, None)),
            )
        return [_key(row) for row in rows]

    async def revoke(self, account: UUID, key: UUID, now: datetime) -> bool:
        """Let *key* be worth nothing; False when *account* has no such key. Revoking it again changes nothing."""
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE account_id = $1 AND id = $2",
                account,
                key,
                now,
            )
        return bool(done == "UPDATE 1")

    async def use(self, key_hash: bytes, now: datetime) -> ApiKey | None:
        """The key with *key_hash*, if it is good now; that it was used is noted once a minute."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"""
                SELECT {_SHOWN} FROM api_keys
                WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
                """,  # noqa: S608 - columns of ours
                key_hash,
                now,
            )
            if row is None:
                return None
            await connection.execute(
                """
                UPDATE api_keys SET last_used_at = $2
                WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute')
                """,
                row["id"],
                now,
            )
        return _key(row)


def _key(row: asyncpg.Record) -> ApiKey:
    names = ("name", "shown", "created_by", "created_at", "expires_at", "last_used_at", "revoked_at")
    return ApiKey(
        id=row["id"],
        account=row["account_id"],
        permissions=tuple(row["permissions"]),
        **{name: row[name] for name in names},
    )
