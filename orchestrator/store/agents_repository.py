"""Agents and their versions in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg

from orchestrator.core.errors import VoiceError
from orchestrator.store.db import Database
from orchestrator.store.webhook_events import EventType, tell

Definition: TypeAlias = Mapping[str, Any]
"""An agent as JSON: orchestrator.agents.AgentDefinition, or a draft that is not one yet."""


class NameTaken(VoiceError):
    """Another agent of the account has this name."""


class StaleRevision(VoiceError):
    """Somebody else has saved the draft meanwhile."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft to be saved. revision: of the one that was changed; name: another one, if the agent gets one."""

    definition: Definition
    revision: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class StoredAgent:
    """An agent. revision: of its draft; published: the version that answers calls, if one does; numbers: as written."""

    id: UUID
    account: UUID
    name: str
    draft: Definition
    revision: int
    published: int | None
    imported: Definition | None
    numbers: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """A version, which never changes. published_by: None for an import, a key or the machine's operator."""

    number: int
    definition: Definition
    note: str
    published_by: UUID | None
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Route:
    """Which version of which agent answers *number*."""

    number: str
    account: UUID
    agent_id: UUID
    name: str
    version: int


_AGENTS = """
    SELECT id, account_id, name, draft, revision, published, imported, created_at, updated_at,
        ARRAY(SELECT shown FROM numbers WHERE agent_id = agents.id ORDER BY assigned_at, number) AS numbers
    FROM agents
"""


class AgentsRepository:
    """The agents of all accounts; each method but routes sees one account alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, account: UUID, name: str, draft: Definition) -> StoredAgent:
        """A new agent. Raises NameTaken."""
        try:
            async with self._database.tenant(account) as connection:
                agent = await connection.fetchval(
                    "INSERT INTO agents (account_id, name, draft) VALUES ($1, $2, $3) RETURNING id",
                    account,
                    name,
                    draft,
                )
                return _agent(await connection.fetchrow(f"{_AGENTS} WHERE id = $1", agent))
        except asyncpg.UniqueViolationError as error:
            raise NameTaken(name) from error

    async def page(self, account: UUID, limit: int, after: str | None = None) -> list[StoredAgent]:
        """The agents by name; those behind the name *after* when it is given."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                f"{_AGENTS} WHERE account_id = $1 AND ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3",
                account,
                after,
                limit,
            )
        return [_agent(row) for row in rows]

    async def get(self, account: UUID, agent: UUID) -> StoredAgent | None:
        """One agent; None when the account has no such one."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(f"{_AGENTS} WHERE account_id = $1 AND id = $2", account, agent)
        return None if row is None else _agent(row)

    async def named(self, account: UUID, name: str) -> StoredAgent | None:
        """The agent called *name*."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(f"{_AGENTS} WHERE account_id = $1 AND name = $2", account, name)
        return None if row is None else _agent(row)

    async def save(self, account: UUID, agent: UUID, draft: Draft) -> StoredAgent | None:
        """The agent with another draft; None when there is no such agent.

        Raises StaleRevision when the revision is not that of its draft any more, and NameTaken.
        """
        try:
            async with self._database.tenant(account) as connection:
                saved = await connection.fetchval(
                    """
                    UPDATE agents SET
                        draft = $3, revision = revision + 1, name = coalesce($5, name), updated_at = now()
                    WHERE account_id = $1 AND id = $2 AND revision = $4
                    RETURNING id
                    """,
                    account,
                    agent,
                    draft.definition,
                    draft.revision,
                    draft.name,
                )
                row = await connection.fetchrow(f"{_AGENTS} WHERE account_id = $1 AND id = $2", account, agent)
        except asyncpg.UniqueViolationError as error:
            raise NameTaken(str(draft.name)) from error
        if row is None:
            return None
        if saved is None:
            raise StaleRevision(f"the draft has revision {row['revision']} by now")
        return _agent(row)

    async def note_import(self, account: UUID, agent: UUID, imported: Definition) -> None:
        """The agent is as its file says."""
        async with self._database.tenant(account) as connection:
            await connection.execute(
                "UPDATE agents SET imported = $3 WHERE account_id = $1 AND id = $2", account, agent, imported
            )

    async def delete(self, account: UUID, agent: UUID) -> bool:
        """Forget an agent with its versions and numbers. Its calls stay, and say its name.

        False when there is no such agent, or it is published.
        """
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                "DELETE FROM agents WHERE account_id = $1 AND id = $2 AND published IS NULL", account, agent
            )
        return bool(done == "DELETE 1")

    async def publish(
        self, account: UUID, agent: UUID, definition: Definition, note: str = "", by: UUID | None = None
    ) -> AgentVersion | None:
        """Let *definition* answer calls, as the next version; as the latest one if that is the same.

        None when there is no such agent.
        """
        async with self._database.tenant(account) as connection:
            found = await connection.fetchval(
                "SELECT id FROM agents WHERE account_id = $1 AND id = $2 FOR UPDATE", account, agent
            )
            if found is None:
                return None
            row = await connection.fetchrow(
                "SELECT * FROM agent_versions WHERE agent_id = $1 ORDER BY number DESC LIMIT 1", agent
            )
            if row is None or row["definition"] != definition:
                row = await connection.fetchrow(
                    """
                    INSERT INTO agent_versions (agent_id, number, account_id, definition, note, published_by)
                    VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
                    """,
                    agent,
                    1 if row is None else row["number"] + 1,
                    account,
                    definition,
                    note,
                    by,
                )
            await connection.execute(
                "UPDATE agents SET published = $2, updated_at = now() WHERE id = $1", agent, row["number"]
            )
            told = {"agent_id": str(agent), "version": row["number"]}
            await tell(connection, account, uuid4(), EventType.AGENT_PUBLISHED, told)
        return _version(row)

    async def point(self, account: UUID, agent: UUID, version: int | None) -> bool:
        """Let *version* answer calls, or none; False when there is no such agent."""
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                "UPDATE agents SET published = $3, updated_at = now() WHERE account_id = $1 AND id = $2",
                account,
                agent,
                version,
            )
            if done == "UPDATE 1" and version is not None:
                told = {"agent_id": str(agent), "version": version}
                await tell(connection, account, uuid4(), EventType.AGENT_PUBLISHED, told)
        return bool(done == "UPDATE 1")

    async def versions(self, account: UUID, agent: UUID, limit: int, before: int | None = None) -> list[AgentVersion]:
        """The versions of an agent, the latest first; those older than *before* when it is given."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                """
                SELECT * FROM agent_versions
                WHERE account_id = $1 AND agent_id = $2 AND ($3::int IS NULL OR number < $3)
                ORDER BY number DESC LIMIT $4
                """,
                account,
                agent,
                before,
                limit,
            )
        return [_version(row) for row in rows]

    async def version(self, account: UUID, agent: UUID, number: int) -> AgentVersion | None:
        """One version of an agent."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                "SELECT * FROM agent_versions WHERE account_id = $1 AND agent_id = $2 AND number = $3",
                account,
                agent,
                number,
            )
        return None if row is None else _version(row)

    async def routes(self) -> list[Route]:
        """Who answers which number, in all accounts."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                SELECT number, numbers.account_id, agents.id, name, published
                FROM numbers JOIN agents ON agents.id = agent_id WHERE published IS NOT NULL
                """
            )
        return [Route(row["number"], row["account_id"], row["id"], row["name"], row["published"]) for row in rows]


def _agent(row: asyncpg.Record) -> StoredAgent:
    same = ("id", "name", "draft", "revision", "published", "imported", "created_at", "updated_at")
    return StoredAgent(account=row["account_id"], numbers=tuple(row["numbers"]), **{name: row[name] for name in same})


def _version(row: asyncpg.Record) -> AgentVersion:
    return AgentVersion(row["number"], row["definition"], row["note"], row["published_by"], row["published_at"])
