"""Users and their memberships. Who signs in has no account yet, so these rows are read as the database's owner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from orchestrator.store.db import Database


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in."""

    id: UUID
    password_hash: str | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Membership:
    """What a user is in an account."""

    account: UUID
    role: str


@dataclass(frozen=True, slots=True)
class Member:
    """A user in one account."""

    id: UUID
    email: str
    name: str
    role: str
    created_at: datetime


Lock: TypeAlias = Callable[[int, datetime], datetime | None]
"""Until when a user is locked after so many wrong passwords in a row, given the time."""


class EmailTaken(Exception):
    """Somebody has that address already."""


_USER = "id, password_hash, disabled_at"


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
        async with self._database.tenant(account) as connection:
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
                SELECT account_id, role FROM memberships WHERE user_id = $1 ORDER BY created_at, account_id
                """,
                user,
            )
        return [Membership(*row) for row in rows]

    async def attempt(self, user: UUID, now: datetime, lock: Lock) -> bool:
        """Count one more try at the password; False, and nothing is counted, while *user* is locked.

        Right ones count as well, until forgive(): so tries at the same time are as dear as one after the other.
        """
        async with self._database.transaction() as connection:
            row = await connection.fetchrow("SELECT failures, locked_until FROM users WHERE id = $1 FOR UPDATE", user)
            if row is None or (row["locked_until"] is not None and row["locked_until"] > now):
                return False
            await connection.execute(
                "UPDATE users SET failures = failures + 1, locked_until = $2 WHERE id = $1",
                user,
                lock(row["failures"] + 1, now),
            )
        return True

    async def forgive(self, user: UUID) -> None:
        """The password was right: earlier wrong ones are forgotten."""
        async with self._database.connection() as connection:
            await connection.execute("UPDATE users SET failures = 0, locked_until = NULL WHERE id = $1", user)

    async def rehash(self, user: UUID, kept: str, password_hash: str) -> None:
        """Keep the same password at another cost, unless it was changed meanwhile."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2", user, kept, password_hash
            )

    async def set_password(self, user: UUID, password_hash: str, now: datetime, account: UUID | None = None) -> bool:
        """Another password: locks are lifted and all sessions end. False when there is no such user in *account*."""
        async with self._database.transaction() as connection:
            changed = await connection.fetchval(
                """
                UPDATE users SET password_hash = $2, failures = 0, locked_until = NULL
                WHERE id = $1 AND ($3::uuid IS NULL OR EXISTS (
                    SELECT FROM memberships WHERE user_id = users.id AND account_id = $3
                ))
                RETURNING id
                """,
                user,
                password_hash,
                account,
            )
            await connection.execute(
                """
                UPDATE sessions SET ended_at = $2, end_reason = 'password_changed'
                WHERE user_id = $1 AND ended_at IS NULL
                """,
                changed,
                now,
            )
        return changed is not None
