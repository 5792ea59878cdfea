"""Whom an account knows by their number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from orchestrator.store.db import Database

_COLUMNS: Final = "id, shown AS number, name, language, notes, created_at, updated_at"
_CHANGEABLE: Final = ("name", "language", "notes")

_PAGE: Final = f"""
    SELECT {_COLUMNS} FROM contacts
    WHERE account_id = $1 AND ($2::text IS NULL OR number = $2)
        AND ($3::text IS NULL OR strpos(lower(name), lower($3)) > 0)
        AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5))
    ORDER BY created_at DESC, id DESC LIMIT $6
"""  # noqa: S608 - columns of ours

_ADD: Final = f"""
    INSERT INTO contacts (account_id, number, shown, name, language, notes) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (account_id, number) DO NOTHING
    RETURNING {_COLUMNS}
"""  # noqa: S608 - columns of ours


@dataclass(frozen=True, slots=True)
class NewContact:
    """One to be kept. number: as numbers are compared; shown: as it is written; language: None when nobody knows."""

    number: str = field(repr=False)
    shown: str = field(repr=False)
    name: str = field(repr=False)
    language: str | None
    notes: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """One. number: as it is written."""

    id: UUID
    number: str = field(repr=False)
    name: str = field(repr=False)
    language: str | None
    notes: str = field(repr=False)
    created_at: datetime
    updated_at: datetime


class ContactsRepository:
    """The contacts of all accounts; each method sees one account alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        account: UUID,
        limit: int,
        after: tuple[datetime, UUID] | None = None,
        *,
        number: str | None = None,
        name: str | None = None,
    ) -> list[Contact]:
        """The newest first, older than *after* when it is given. number: that one alone; name: a part of it."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(_PAGE, account, number, name, *(after or (None, None)), limit)
        return [Contact(**dict(row)) for row in rows]

    async def find(self, account: UUID, contact: UUID) -> Contact | None:
        """One of *account*."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                f"SELECT {_COLUMNS} FROM contacts WHERE account_id = $1 AND id = $2",  # noqa: S608 - columns of ours
                account,
                contact,
            )
        return _contact(row)

    async def add(self, account: UUID, new: NewContact) -> Contact | None:
        """A new one; None when the account has one with this number."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(_ADD, account, new.number, new.shown, new.name, new.language, new.notes)
        return _contact(row)

    async def change(self, account: UUID, contact: UUID, values: Mapping[str, str | None]) -> Contact | None:
        """Write *values*, of name, language and notes; what is absent stays as it is. None for no such contact."""
        given = [name for name in _CHANGEABLE if name in values]
        changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(given, start=3))
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                f"UPDATE contacts SET {changes or 'id = id'}, updated_at = now() "  # noqa: S608 - columns of ours
                f"WHERE account_id = $1 AND id = $2 RETURNING {_COLUMNS}",
                account,
                contact,
                *(values[name] for name in given),
            )
        return _contact(row)

    async def remove(self, account: UUID, contact: UUID) -> bool:
        """Forget one; False when there is none. Calls with them stay."""
        async with self._database.tenant(account) as connection:
            done = await connection.execute("DELETE FROM contacts WHERE account_id = $1 AND id = $2", account, contact)
        return bool(done == "DELETE 1")


def _contact(row: asyncpg.Record | None) -> Contact | None:
    return None if row is None else Contact(**dict(row))
