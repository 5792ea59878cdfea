"""Sign-ins and the refresh tokens that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.store.db import Database
from orchestrator.store.users_repository import User


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that goes on."""

    id: UUID
    account: UUID
    user: UUID
    role: str


class Replayed(Exception):
    """A refresh token was seen for the second time. Its session has been ended."""


class SessionsRepository:
    """All sessions, whatever their accounts: a token is known before its account is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, account: UUID, user: User, token: bytes, expires: datetime) -> UUID | None:
        """A session with its first refresh token, given as a hash; its id. None when the password has changed."""
        async with self._database.transaction() as connection:
            session: UUID | None = await connection.fetchval(
                """
                INSERT INTO sessions (account_id, user_id)
                SELECT $1, id FROM users WHERE id = $2 AND password_hash IS NOT DISTINCT FROM $3
                FOR SHARE
                RETURNING id
                """,
                account,
                user.id,
                user.password_hash,
            )
            if session is not None:
                await connection.execute(_ADD_TOKEN, token, session, expires)
        return session

    async def trade(self, token: bytes, following: bytes, now: datetime, expires: datetime) -> Session | None:
        """Trade *token* for *following*, both hashes. None for one that is unknown, expired, or of an ended session.

        Raises Replayed for one that was traded before: whoever holds the other copy has stolen it, or was robbed.
        """
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                """
                SELECT session_id, refresh_tokens.expires_at, used_at, ended_at, account_id, user_id,
                       (SELECT role FROM memberships m
                        WHERE m.account_id = sessions.account_id AND m.user_id = sessions.user_id) AS role,
                       (SELECT disabled_at FROM users WHERE users.id = sessions.user_id) AS disabled_at
                FROM refresh_tokens JOIN sessions ON sessions.id = session_id
                WHERE hash = $1
                FOR UPDATE OF refresh_tokens
                """,
                token,
            )
            if row is None or row["ended_at"] is not None or row["disabled_at"] is not None:
                return None
            replayed = row["used_at"] is not None
            if replayed:
                await connection.execute(_END, row["session_id"], now, "token_replayed")
            elif row["expires_at"] > now:
                await connection.execute("UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1", token, now)
                await connection.execute(_ADD_TOKEN, following, row["session_id"], expires)
        if replayed:
            raise Replayed
        if row["expires_at"] <= now:
            return None
        return Session(row["session_id"], row["account_id"], row["user_id"], row["role"])

    async def end(self, token: bytes, now: datetime) -> bool:
        """Sign out the session of *token*, a hash; False when there is none that goes on."""
        async with self._database.connection() as connection:
            done = await connection.execute(
                """
                UPDATE sessions SET ended_at = $2, end_reason = 'signed_out'
                WHERE ended_at IS NULL AND id = (SELECT session_id FROM refresh_tokens WHERE hash = $1)
                """,
                token,
                now,
            )
        return bool(done == "UPDATE 1")

    async def purge(self, before: datetime) -> None:
        """Forget what expired or ended before then: a replay of it is an unknown token."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM refresh_tokens WHERE expires_at < $1", before)
            await connection.execute(
                """
                DELETE FROM sessions
                WHERE ended_at < $1 OR NOT EXISTS (SELECT FROM refresh_tokens WHERE session_id = sessions.id)
                """,
                before,
            )


_ADD_TOKEN = "INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, $3)"  # noqa: S105 - SQL
_END = "UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL"
