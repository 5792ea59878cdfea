"""Identity providers of accounts, and which of their subjects is which user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator.store.db import Database
from orchestrator.store.users_repository import EmailTaken

_SHOWN = "id, account_id, name, issuer, client_id, hosts, domains, role, enabled, created_at"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an admin may change. hosts: beside the issuer's own; domains: of addresses, in small letters."""

    name: str
    client_id: str
    hosts: tuple[str, ...]
    domains: tuple[str, ...]
    role: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as it may be shown."""

    id: UUID
    account: UUID
    issuer: str
    terms: Terms
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom a provider told us of. email: verified, and of a domain that is allowed."""

    subject: str
    email: str
    name: str


class ProvidersRepository:
    """The providers of all accounts. An account's admins see their own; who signs in has no account yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: UUID, provider: UUID, issuer: str, terms: Terms, secret: bytes | None) -> Provider:
        """Keep a new provider. secret: sealed."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                f"""
                INSERT INTO identity_providers
                    (account_id, id, issuer, name, client_id, hosts, domains, role, enabled, secret)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING {_SHOWN}
                """,  # noqa: S608 - columns of ours
                account,
                provider,
                issuer,
                *_values(terms),
                secret,
            )
        return _provider(row)

    async def change(self, account: UUID, provider: UUID, terms: Terms, secret: bytes | None) -> Provider | None:
        """Other terms, and another secret unless it is None; None when *account* has no such provider."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                f"""
                UPDATE identity_providers
                SET name = $3, client_id = $4, hosts = $5, domains = $6, role = $7, enabled = $8
                WHERE account_id = $1 AND id = $2 RETURNING {_SHOWN}
                """,  # noqa: S608 - columns of ours
                account,
                provider,
                *_values(terms),
            )
            if row is not None and secret is not None:
                await connection.execute(
                    "UPDATE identity_providers SET secret = $3 WHERE account_id = $1 AND id = $2",
                    account,
                    provider,
                    secret,
                )
        return _provider(row) if row is not None else None

    async def page(self, account: UUID, limit: int, after: tuple[datetime, UUID] | None = None) -> list[Provider]:
        """The providers of *account*, the newest first; older than *after* when it is given."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                f"""
                SELECT {_SHOWN} FROM identity_providers
                WHERE account_id = $1 AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
                ORDER BY created_at DESC, id DESC LIMIT $2
                """,  # noqa: S608 - columns of ours
                account,
                limit,
                *(after or (None, None)),
            )
        return [_provider(row) for row in rows]

    async def remove(self, account: UUID, provider: UUID) -> bool:
        """Forget a provider and who came by it, who stay users; False when *account* has no such provider."""
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                "DELETE FROM identity_providers WHERE account_id = $1 AND id = $2", account, provider
            )
        return bool(done == "DELETE 1")

    async def link(self, account: UUID, provider: UUID, user: UUID) -> bool:
        """Let *user* come by *provider*: who has their address there is them. False when one is not the account's."""
        try:
            async with self._database.tenant(account) as connection:
                await connection.execute(
                    """
                    INSERT INTO identities (account_id, provider_id, user_id) VALUES ($1, $2, $3)
                    ON CONFLICT (provider_id, user_id) DO NOTHING
                    """,
                    account,
                    provider,
                    user,
                )
        except asyncpg.ForeignKeyViolationError:
            return False
        return True

    async def unlink(self, account: UUID, provider: UUID, user: UUID) -> bool:
        """Let *user* come by *provider* no more; False when they did not."""
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                "DELETE FROM identities WHERE account_id = $1 AND provider_id = $2 AND user_id = $3",
                account,
                provider,
                user,
            )
        return bool(done == "DELETE 1")

    async def enabled(self, provider: UUID) -> tuple[Provider, bytes | None] | None:
        """A provider that people may come by, of whatever account, and its sealed secret."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"SELECT {_SHOWN}, secret FROM identity_providers WHERE id = $1 AND enabled",  # noqa: S608 - ours
                provider,
            )
        return (_provider(row), row["secret"]) if row is not None else None

    async def known(self, provider: UUID, subject: str) -> UUID | None:
        """The user whom *provider* calls *subject*."""
        async with self._database.connection() as connection:
            user: UUID | None = await connection.fetchval(
                "SELECT user_id FROM identities WHERE provider_id = $1 AND subject = $2", provider, subject
            )
        return user

    async def adopt(self, provider: Provider, newcomer: Newcomer) -> UUID:
        """The user that *newcomer* is from now on: the one that was linked, or a new one. Raises EmailTaken."""
        try:
            async with self._database.transaction() as connection:
                linked: UUID | None = await connection.fetchval(
                    """
                    UPDATE identities SET subject = $2
                    WHERE provider_id = $1 AND subject IS NULL
                        AND user_id = (SELECT id FROM users WHERE lower(email) = lower($3))
                    RETURNING user_id
                    """,
                    provider.id,
                    newcomer.subject,
                    newcomer.email,
                )
                return linked or await _added(connection, provider, newcomer)
        except asyncpg.UniqueViolationError as error:
            # The same person may come in two windows at once.
            user = await self.known(provider.id, newcomer.subject)
            if user is None:
                raise EmailTaken(newcomer.email) from error
            return user


async def _added(connection: asyncpg.Connection, provider: Provider, newcomer: Newcomer) -> UUID:
    user: UUID = await connection.fetchval(
        "INSERT INTO users (email, name) VALUES ($1, $2) RETURNING id", newcomer.email, newcomer.name
    )
    await connection.execute(
        "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, $3)",
        provider.account,
        user,
        provider.terms.role,
    )
    await connection.execute(
        "INSERT INTO identities (account_id, provider_id, user_id, subject) VALUES ($1, $2, $3, $4)",
        provider.account,
        provider.id,
        user,
        newcomer.subject,
    )
    return user


def _values(terms: Terms) -> tuple[object, ...]:
    return terms.name, terms.client_id, list(terms.hosts), list(terms.domains), terms.role, terms.enabled


def _provider(row: asyncpg.Record) -> Provider:
    terms = Terms(
        row["name"], row["client_id"], tuple(row["hosts"]), tuple(row["domains"]), row["role"], row["enabled"]
    )
    return Provider(row["id"], row["account_id"], row["issuer"], terms, row["created_at"])
