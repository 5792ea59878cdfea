"""The documented data model against the real one."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.store.db import Database

DOCUMENT = (Path(__file__).parents[3] / "docs" / "data-model.md").read_text(encoding="utf-8")


def drawn() -> dict[str, list[tuple[str, str]]]:
    """Columns and types of each table in the diagram."""
    tables = re.findall(r"^    (\w+) \{\n(.*?)^    \}", DOCUMENT, re.MULTILINE | re.DOTALL)
    return {name: [(line.split()[1], line.split()[0]) for line in body.splitlines()] for name, body in tables}


async def test_the_diagram_shows_the_schema_as_it_is(database: Database) -> None:
    async with database.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT table_name, column_name, data_type FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> 'schema_migrations'
            ORDER BY table_name, ordinal_position
            """
        )
    types = {"timestamp with time zone": "timestamptz", "double precision": "double_precision"}
    real: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in rows:
        real.setdefault(table, []).append((column, types.get(kind, kind)))

    assert drawn() == real
