"""The accounts of an installation, each with its first admin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator.store.db import Database
from orchestrator.store.users_repository import EmailTaken


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant."""

    id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """Who runs an account from the beginning. password_hash: argon2id."""

    email: str
    name: str
    password_hash: str


class AccountsRepository:
    """All accounts. Not for tenants: only whoever runs the machine has them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, admin: FirstAdmin) -> Account:
        """A new account with its *admin*, or nothing. Raises EmailTaken."""
        try:
            async with self._database.transaction() as connection:
                row = await connection.fetchrow(
                    "INSERT INTO accounts (name) VALUES ($1) RETURNING id, name, created_at", name
                )
                user = await connection.fetchval(
                    "INSERT INTO users (email, name, password_hash) VALUES ($1, $2, $3) RETURNING id",
                    admin.email,
                    admin.name,
                    admin.password_hash,
                )
                await connection.execute(
                    "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'admin')", row["id"], user
                )
        except asyncpg.UniqueViolationError as error:
            raise EmailTaken(admin.email) from error
        return Account(row["id"], row["name"], row["created_at"])

    async def page(self, limit: int, after: tuple[datetime, UUID] | None = None) -> list[Account]:
        """The accounts, the oldest first; younger than *after* when it is given."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT id, name, created_at FROM accounts
                WHERE $2::timestamptz IS NULL OR (created_at, id) > ($2, $3) ORDER BY created_at, id LIMIT $1
                """,
                limit,
                *(after or (None, None)),
            )
        return [Account(row["id"], row["name"], row["created_at"]) for row in rows]
