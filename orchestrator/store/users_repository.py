"""Users and their memberships. Who signs in has no account yet, so these rows are read as the database's owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator.store.db import Database


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in. failures: wrong passwords in a row."""

    id: UUID
    email: str
    name: str
    password_hash: str | None
    failures: int
    locked_until: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Membership:
    """What a user is in an account."""

    account: UUID
    account_name: str
    role: str


@dataclass(frozen=True, slots=True)
class Member:
    """A user in one account."""

    id: UUID
    email: str
    name: str
    role: str
    created_at: datetime


class EmailTaken(Exception):
    """Somebody has that address already."""


_USER = "id, email, name, password_hash, failures, locked_until, disabled_at"


class UsersRepository:
    """All users, whatever their accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, email: str, name: str, password_hash: str | None, account: UUID, role: str) -> Member:
        """A new user with a role in *account*. Raises EmailTaken."""
        try:
            async with self._database.transaction() as connection:
                row = await connection.fetchrow(
                    "INSERT INTO users (email, name, password_hash) VALUES ($1, $2, $3) RETURNING id, created_at",
                    email,
                    name,
                    password_hash,
                )
                await connection.execute(
                    "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, $3)", account, row["id"], role
                )
        except asyncpg.UniqueViolationError as error:
            raise EmailTaken(email) from error
        return Member(row["id"], email, name, role, row["created_at"])

    async def members(self, account: UUID) -> list[Member]:
        """Who is in *account*, the oldest membership first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT users.id, email, users.name, role, memberships.created_at
                FROM memberships JOIN users ON users.id = user_id
                WHERE account_id = $1
                ORDER BY memberships.created_at, users.id
                """,
                account,
            )
        return [Member(*row) for row in rows]

    async def by_email(self, email: str) -> User | None:
        """The user with that address, in any case of letters."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"SELECT {_USER} FROM users WHERE lower(email) = lower($1)", email)  # noqa: S608
        return User(*row) if row is not None else None

    async def get(self, user: UUID) -> User | None:
        """The user of that id."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"SELECT {_USER} FROM users WHERE id = $1", user)  # noqa: S608
        return User(*row) if row is not None else None

    async def memberships(self, user: UUID) -> list[Membership]:
        """The accounts of *user*, the oldest membership first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT account_id, accounts.name, role
                FROM memberships JOIN accounts ON accounts.id = account_id
                WHERE user_id = $1
                ORDER BY memberships.created_at, account_id
                """,
                user,
            )
        return [Membership(*row) for row in rows]

    async def failed(self, user: UUID, locked_until: datetime | None) -> None:
        """One more wrong password; no more are looked at until *locked_until*."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE users SET failures = failures + 1, locked_until = $2 WHERE id = $1", user, locked_until
            )

    async def succeeded(self, user: UUID, password_hash: str | None = None) -> None:
        """The right password; *password_hash* takes the place of the kept one."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                UPDATE users SET failures = 0, locked_until = NULL, password_hash = coalesce($2, password_hash)
                WHERE id = $1
                """,
                user,
                password_hash,
            )
