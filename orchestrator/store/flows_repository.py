"""What is between a browser's leaving for an identity provider and its tokens: good once, and for a short time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from orchestrator.store.db import Database

Step: TypeAlias = Literal["flow", "code"]
"""A browser that is at the provider, or one that is back and has a code to show."""

_TABLES: dict[Step, tuple[str, str]] = {"flow": ("oidc_flows", "state"), "code": ("sign_in_codes", "hash")}


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept, for whom."""

    account: UUID
    provider: UUID
    sealed: bytes


class FlowsRepository:
    """Flows and codes of all accounts, by the hash of what the browser shows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, step: Step, shown: bytes, kept: Kept, expires: datetime, now: datetime) -> None:
        """Let *kept* be taken until *expires*; what nobody took in time is forgotten."""
        table, column = _TABLES[step]
        async with self._database.transaction() as connection:
            await connection.execute(f"DELETE FROM {table} WHERE expires_at < $1", now)  # noqa: S608 - a table of ours
            await connection.execute(
                f"""
                INSERT INTO {table} ({column}, account_id, provider_id, sealed, expires_at)
                VALUES ($1, $2, $3, $4, $5)
                """,  # noqa: S608 - names of ours
                shown,
                kept.account,
                kept.provider,
                kept.sealed,
                expires,
            )

    async def take(self, step: Step, shown: bytes, now: datetime) -> Kept | None:
        """What was kept under *shown*, once; None when it is unknown, was taken or has expired."""
        table, column = _TABLES[step]
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"""
                DELETE FROM {table} WHERE {column} = $1
                RETURNING account_id, provider_id, sealed, expires_at > $2 AS good
                """,  # noqa: S608 - names of ours
                shown,
                now,
            )
        if row is None or not row["good"]:
            return None
        return Kept(row["account_id"], row["provider_id"], row["sealed"])
