"""Everything that is in a database, to be searched for what must not be there."""

from __future__ import annotations

import io
from pathlib import Path

from orchestrator.store.db import Database

_TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""


async def dump(database: Database) -> str:
    """Every row of every table, as COPY writes it."""
    written = io.BytesIO()
    async with database.connection() as connection:
        for (table,) in await connection.fetch(_TABLES):
            written.write(f"\n== {table}\n".encode())
            await connection.copy_from_query(f"SELECT * FROM {table}", output=written)
    return written.getvalue().decode()


def files(*folders: Path) -> str:
    """Every file below *folders*."""
    found = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return "".join(f"\n== {path}\n{path.read_bytes().decode(errors='replace')}" for path in found)
