"""Whose which number is, and which agent answers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator.core.errors import VoiceError
from orchestrator.store.db import Database


class NumberTaken(VoiceError):
    """The number is another account's."""


class NumberNotGranted(VoiceError):
    """The number is not this account's; whether it is another's is not told."""


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number. number: as calls are routed; shown: as it was written."""

    number: str
    shown: str


@dataclass(frozen=True, slots=True)
class GrantedNumber:
    """A number of an account, and who answers it; None and None when nobody does."""

    number: str
    shown: str
    agent_id: UUID | None
    assigned_at: datetime | None


_NUMBERS = """
    SELECT number_grants.number, coalesce(numbers.shown, number_grants.shown) AS shown, agent_id, assigned_at
    FROM number_grants LEFT JOIN numbers ON numbers.number = number_grants.number
"""


class NumbersRepository:
    """The numbers of all accounts.

    An account has those that whoever runs the machine granted it. One that is alone on the installation takes what it
    names: there is nobody to take it from.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, account: UUID, limit: int, after: str | None = None) -> list[GrantedNumber]:
        """The numbers of the account in order; those behind *after* when it is given."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                f"""
                {_NUMBERS} WHERE number_grants.account_id = $1 AND ($2::text IS NULL OR number_grants.number > $2)
                ORDER BY number_grants.number LIMIT $3
                """,
                account,
                after,
                limit,
            )
        return [_number(row) for row in rows]

    async def grant(self, account: UUID, numeral: Numeral) -> GrantedNumber | None:
        """Let *account* have a number; None when there is no such account. Raises NumberTaken."""
        try:
            async with self._database.transaction() as connection:
                await _grant(connection, account, numeral)
                row = await connection.fetchrow(f"{_NUMBERS} WHERE number_grants.number = $1", numeral.number)
        except asyncpg.ForeignKeyViolationError:
            return None
        return _number(row)

    async def take_back(self, account: UUID, number: str) -> bool:
        """Let *account* have *number* no more, and nobody answer it; False when it was not the account's."""
        async with self._database.transaction() as connection:
            return await _take_back(connection, account, number)

    async def assign(
        self, account: UUID, numeral: Numeral, agent: UUID, *, by_operator: bool = False
    ) -> GrantedNumber | None:
        """Let *agent* answer a number of the account, whoever of it did before; None for no such agent.

        by_operator: who runs the machine says so, and grants the number by that. Raises NumberTaken, NumberNotGranted.
        """
        try:
            if by_operator or await self._is_alone(account):
                async with self._database.transaction() as connection:
                    await _grant(connection, account, numeral)
                    return await _assign(connection, account, numeral, agent)
            async with self._database.tenant(account) as connection:
                if not await connection.fetchval(
                    "SELECT true FROM number_grants WHERE account_id = $1 AND number = $2", account, numeral.number
                ):
                    raise NumberNotGranted(numeral.number)
                return await _assign(connection, account, numeral, agent)
        except asyncpg.ForeignKeyViolationError:
            return None

    async def free(self, account: UUID, number: str) -> bool:
        """Let nobody answer *number*; False when nobody of the account did. Who is alone gives it up by that."""
        if await self._is_alone(account):
            return await self.take_back(account, number)
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                "DELETE FROM numbers WHERE account_id = $1 AND number = $2", account, number
            )
        return bool(done == "DELETE 1")

    async def _is_alone(self, account: UUID) -> bool:
        async with self._database.connection() as connection:
            return not await connection.fetchval("SELECT EXISTS (SELECT FROM accounts WHERE id <> $1)", account)


async def _grant(connection: asyncpg.Connection, account: UUID, numeral: Numeral) -> None:
    """Raises NumberTaken."""
    granted = await connection.fetchval(
        """
        INSERT INTO number_grants (number, account_id, shown) VALUES ($1, $2, $3)
        ON CONFLICT (number) DO UPDATE SET shown = $3 WHERE number_grants.account_id = $2
        RETURNING true
        """,
        numeral.number,
        account,
        numeral.shown,
    )
    if not granted:
        raise NumberTaken(numeral.number)


async def _take_back(connection: asyncpg.Connection, account: UUID, number: str) -> bool:
    done = await connection.execute("DELETE FROM number_grants WHERE account_id = $1 AND number = $2", account, number)
    return bool(done == "DELETE 1")


async def _assign(connection: asyncpg.Connection, account: UUID, numeral: Numeral, agent: UUID) -> GrantedNumber:
    row = await connection.fetchrow(
        """
        INSERT INTO numbers (number, account_id, agent_id, shown) VALUES ($1, $2, $3, $4)
        ON CONFLICT (number) DO UPDATE SET agent_id = $3, shown = $4, assigned_at = now()
        RETURNING number, shown, agent_id, assigned_at
        """,
        numeral.number,
        account,
        agent,
        numeral.shown,
    )
    return _number(row)


def _number(row: asyncpg.Record) -> GrantedNumber:
    return GrantedNumber(row["number"], row["shown"], row["agent_id"], row["assigned_at"])
