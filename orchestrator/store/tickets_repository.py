"""Tickets for WebSockets in PostgreSQL, so that any process takes what any other gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.store.db import Database


@dataclass(frozen=True, slots=True)
class TicketHolder:
    """Whom a ticket speaks for. user, session: None for the machine's operator and for keys.

    key, permissions: of an API key; None for people.
    """

    account: UUID
    user: UUID | None
    session: UUID | None
    role: str
    key: UUID | None = None
    permissions: tuple[str, ...] | None = None


class TicketsRepository:
    """The tickets that are out, by their hash."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, ticket: bytes, holder: TicketHolder, expires: datetime, now: datetime) -> None:
        """Let *ticket* be taken until *expires*; those that nobody took in time are forgotten."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM socket_tickets WHERE expires_at < $1", now)
            await connection.execute(
                """
                INSERT INTO socket_tickets
                    (hash, account_id, user_id, session_id, role, expires_at, key_id, permissions)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                """,
                ticket,
                holder.account,
                holder.user,
                holder.session,
                holder.role,
                expires,
                holder.key,
                holder.permissions,
            )

    async def take(self, ticket: bytes, now: datetime) -> TicketHolder | None:
        """Whom *ticket* speaks for, once.

        None when it is unknown, was taken or has expired, or when its session has ended or its key was revoked.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """
                DELETE FROM socket_tickets WHERE hash = $1
                RETURNING account_id, user_id, session_id, role, key_id, permissions,
                    expires_at > $2
                    AND NOT EXISTS (SELECT FROM sessions WHERE id = session_id AND ended_at IS NOT NULL)
                    AND NOT EXISTS (SELECT FROM api_keys WHERE id = key_id AND revoked_at IS NOT NULL) AS good
                """,
                ticket,
                now,
            )
        if row is None or not row["good"]:
            return None
        permissions = None if row["permissions"] is None else tuple(row["permissions"])
        return TicketHolder(
            row["account_id"], row["user_id"], row["session_id"], row["role"], row["key_id"], permissions
        )
