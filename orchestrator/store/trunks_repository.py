"""The trunks that accounts have made, in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network
from typing import Final
from uuid import UUID

import asyncpg

from orchestrator.core.errors import VoiceError
from orchestrator.store.db import Database

# What the trigger of trunks notifies.
TRUNKS_CHANNEL: Final = "offhook_trunks"

_TRUNK = (
    "account_id, id, name, networks, registrar, domain, realm, username, password, expires, peer, transport, "
    "echo_guard, enabled, created_at"
)


class TrunkNameTaken(VoiceError):
    """The account has a trunk of that name."""


class TooManyTrunks(VoiceError):
    """The account has as many as it may."""


@dataclass(frozen=True, slots=True)
class StoredTrunk:
    """One. password: sealed; None without one. The others are those of telephony.sip.settings.Trunk."""

    account: UUID
    id: UUID
    name: str
    networks: tuple[IPv4Network, ...]
    registrar: str | None
    domain: str | None
    realm: str
    user: str | None
    password: bytes | None = field(repr=False)
    expires: int
    peer: str | None
    transport: str
    echo_guard: bool
    enabled: bool
    created_at: datetime | None = None


class TrunksRepository:
    """Those of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enabled(self) -> list[StoredTrunk]:
        """Those of every account that may be used, the oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(f"SELECT {_TRUNK} FROM trunks WHERE enabled ORDER BY created_at, id")  # noqa: S608
        return [_trunk(row) for row in rows]

    async def all_of(self, account: UUID) -> list[StoredTrunk]:
        """Those of *account*, by name."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(f"SELECT {_TRUNK} FROM trunks WHERE account_id = $1 ORDER BY name", account)  # noqa: S608
        return [_trunk(row) for row in rows]

    async def find(self, account: UUID, trunk: UUID) -> StoredTrunk | None:
        """One."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(f"SELECT {_TRUNK} FROM trunks WHERE id = $1", trunk)  # noqa: S608
        return None if row is None else _trunk(row)

    async def add(self, new: StoredTrunk, most: int) -> StoredTrunk:
        """Keep a new one, if its account has fewer than *most*. Raises TrunkNameTaken, TooManyTrunks."""
        try:
            async with self._database.tenant(new.account) as connection:
                # Two at once must not both find the last place free.
                await connection.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"trunks {new.account}"
                )
                if await connection.fetchval("SELECT count(*) FROM trunks WHERE account_id = $1", new.account) >= most:
                    raise TooManyTrunks(str(most))
                row = await connection.fetchrow(
                    f"""
                    INSERT INTO trunks (account_id, id, name, networks, registrar, domain, realm, username, password,
                        expires, peer, transport, echo_guard, enabled)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING {_TRUNK}
                    """,  # noqa: S608 - columns of ours
                    *_values(new),
                )
        except asyncpg.UniqueViolationError as error:
            raise TrunkNameTaken(new.name) from error
        return _trunk(row)

    async def change(self, changed: StoredTrunk) -> StoredTrunk | None:
        """Keep *changed* in place of what was there; None when it is not there any more. Raises TrunkNameTaken."""
        try:
            async with self._database.tenant(changed.account) as connection:
                row = await connection.fetchrow(
                    f"""
                    UPDATE trunks SET name = $3, networks = $4, registrar = $5, domain = $6, realm = $7, username = $8,
                        password = $9, expires = $10, peer = $11, transport = $12, echo_guard = $13, enabled = $14
                    WHERE account_id = $1 AND id = $2 RETURNING {_TRUNK}
                    """,  # noqa: S608 - columns of ours
                    *_values(changed),
                )
        except asyncpg.UniqueViolationError as error:
            raise TrunkNameTaken(changed.name) from error
        return None if row is None else _trunk(row)

    async def remove(self, account: UUID, trunk: UUID) -> bool:
        """Forget one; whether it was there."""
        async with self._database.tenant(account) as connection:
            return bool(await connection.execute("DELETE FROM trunks WHERE id = $1", trunk) == "DELETE 1")


def _values(one: StoredTrunk) -> tuple[object, ...]:
    return (
        *(one.account, one.id, one.name, list(one.networks), one.registrar, one.domain, one.realm, one.user),
        *(one.password, one.expires, one.peer, one.transport, one.echo_guard, one.enabled),
    )


def _trunk(row: asyncpg.Record) -> StoredTrunk:
    values = dict(row)
    return StoredTrunk(
        account=values.pop("account_id"),
        user=values.pop("username"),
        networks=tuple(IPv4Network(str(network)) for network in values.pop("networks")),
        **values,
    )
