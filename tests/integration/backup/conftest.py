"""An installation with something of everything in it, and an empty one beside it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr

from orchestrator.backup.making import make_backup
from orchestrator.settings import Settings
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import migrate
from tests.integration.api.conftest import CHEAP, OPERATOR, TRIES, Control, ControlSettings, control, controlled  # noqa: F401 - fixture
from tests.integration.conftest import fresh_database

DEFINITION = {"greeting": "Hello.", "persona": "Says \\. and \t and\nnew lines, and é."}


@dataclass(frozen=True)
class Place:
    """Where an installation is. settings: with a database of its own."""

    settings: Settings
    dsn: str

    @property
    def data(self) -> Path:
        return self.settings.data

    def put(self, name: str, content: bytes, folder: str = "objects") -> None:
        """A file among its objects."""
        file = self.data / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def files(self) -> dict[str, bytes]:
        """Its objects and vectors."""
        folders = [self.data / "objects", self.settings.vectors]
        found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.data)): path.read_bytes() for path in found}

    async def rows(self) -> dict[str, list[str]]:
        """All that its database holds, but the migrations' times."""
        connection = await asyncpg.connect(self.dsn)
        try:
            tables = await connection.fetch(
                "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            return {
                table: [row[0] for row in await connection.fetch(f'SELECT t::text FROM "{table}" t ORDER BY t::text')]
                for (table,) in tables
                if table != "schema_migrations"
            }
        finally:
            await connection.close()


@dataclass(frozen=True)
class Original:
    """An installation that is only read. rows, files: what it holds; backup: a backup of it."""

    place: Place
    rows: dict[str, list[str]]
    files: dict[str, bytes]
    backup: Path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def original(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Original]:
    """An installation that has something of everything."""
    folder = tmp_path_factory.mktemp("original")
    async with empty_place(server, folder / "data") as place:
        async with Database(place.dsn) as opened:
            await migrate(opened)
            async with controlled(opened, ControlSettings(TRIES, CHEAP)) as running:
                await furnish(running, place)
        await make_backup(place.settings, folder / "backup.tar")
        yield Original(place, await place.rows(), place.files(), folder / "backup.tar")


@pytest.fixture
def backup(original: Original, tmp_path: Path) -> Path:
    """A backup that the test may spoil."""
    return Path(shutil.copy(original.backup, tmp_path / "backup.tar"))


@pytest.fixture
async def full(control: Control, dsn: str, tmp_path: Path) -> Place:  # noqa: F811
    """An installation that has something of everything, and runs."""
    place = Place(Settings(data=tmp_path / "here", database_url=SecretStr(dsn)), dsn)
    await furnish(control, place)
    return place


@pytest.fixture
async def elsewhere(server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Place]:
    """A place where nothing is."""
    async with empty_place(server, tmp_path / "there") as place:
        yield place


@asynccontextmanager
async def empty_place(server: EmbeddedPostgres, data: Path) -> AsyncIterator[Place]:
    """A database without a table, and a folder that there is not."""
    async with fresh_database(server) as dsn:
        yield Place(Settings(data=data, database_url=SecretStr(dsn)), dsn)


async def furnish(control: Control, place: Place) -> None:  # noqa: F811
    """Two accounts, an agent with two versions, calls, keys, audit logs and recordings."""
    other = await control.account("other")
    await control.user("admin@example.org", DEFAULT_ACCOUNT)
    await control.user("other@example.org", other)
    headers = await control.bearer("admin@example.org")
    await control.bearer("other@example.org")
    made = await ask(control, headers, "POST", "/agents", {"name": "desk", "definition": DEFINITION})
    for revision, greeting in enumerate(("Good day.", "Good evening."), start=1):
        draft = {"definition": {**DEFINITION, "greeting": greeting}, "revision": revision}
        await ask(control, headers, "PUT", f"/agents/{made['id']}/draft", draft)
        await ask(control, headers, "POST", f"/agents/{made['id']}/publish", {"revision": revision + 1})
    operator = {"Authorization": f"Bearer {OPERATOR}"}
    await ask(control, operator, "PUT", "/numbers/+15550100", {"agent_id": made["id"]})
    asked = {"name": "program", "permissions": ["calls:read"]}
    await ask(control, {**headers, "Idempotency-Key": "once"}, "POST", "/keys", asked)
    await ask(control, headers, "POST", "/auth/tickets")
    calls = [await add_call(control.database, account) for account in (DEFAULT_ACCOUNT, other)]
    place.put(f"recordings/{DEFAULT_ACCOUNT}/{calls[0]}/000000", bytes(range(256)) * 400)
    place.put(f"recordings/{other}/{calls[1]}/000000", b"sealed")
    place.put(f"recordings/{other}/{calls[1]}/end", b"")
    place.put("index/segment-1", b"vector" * 100, "vectors")


async def ask(control: Control, headers: dict[str, str], method: str, path: str, body: object = None) -> Any:  # noqa: F811
    answer = await control.client.request(method, f"/api/v1{path}", json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


async def add_call(database: Database, account: UUID, lines: int = 3) -> UUID:
    """A call that is over, all at once: so many lines, turns and events, or none of it."""
    call = uuid4()
    async with database.transaction() as connection:
        await connection.execute(
            """
            INSERT INTO calls (id, account_id, agent, direction, caller, callee, driver, started_at)
            VALUES ($1, $2, 'desk', 'inbound', '+15550111', '+15550100', 'sip', now())
            """,
            call,
            account,
        )
        for sql in (
            """INSERT INTO turns (call_id, index, account_id, caller_text, reply_text, heard_text, marks, spans)
               SELECT $1, n, $2, E'tab\\there', E'back\\\\slash', '', '{"a": [1, null]}', '{}'
               FROM generate_series(0, $3 - 1) n""",
            """INSERT INTO transcripts (call_id, start_at, speaker, turn, end_at, account_id, text)
               SELECT $1, n + 0.1, 'caller', n, n + 0.30000000000000004, $2, E'line\\nfeed ' || n
               FROM generate_series(0, $3 - 1) n""",
            """INSERT INTO events (call_id, seq, account_id, type, at, payload)
               SELECT $1, n, $2, 'state', n, '{"x": "\\u00e9"}' FROM generate_series(0, $3 - 1) n""",
        ):
            await connection.execute(sql, call, account, lines)
        await connection.execute(
            """UPDATE calls SET ended_at = now(), end_reason = 'caller_hangup', duration = 1.5, words = words_of(id)
               WHERE id = $1""",
            call,
        )
    return call
