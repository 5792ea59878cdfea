"""The live schema as a mermaid entity-relationship diagram: `python -m orchestrator.store.diagram` renews the document.

Notes at columns are their comments in the schema, up to the first full stop or semicolon.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Final

import asyncpg

from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import migrate

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "data-model.md"
_DIAGRAM: Final = re.compile(r"```mermaid\nerDiagram\n.*?```\n", re.DOTALL)
# What the migrations and the job queue keep for themselves.
_OTHERS: Final = ("schema_migrations", "pgqueuer%")
_SHORT: Final = {"timestamp with time zone": "timestamptz", "double precision": "double_precision", "ARRAY": "array"}

_COLUMNS: Final = """
    SELECT
        c.relname AS "table", a.attname AS "column", col_description(c.oid, a.attnum) AS comment,
        (SELECT data_type FROM information_schema.columns i
         WHERE i.table_schema = 'public' AND i.table_name = c.relname AND i.column_name = a.attname) AS type,
        EXISTS (SELECT FROM pg_constraint p
                WHERE p.conrelid = c.oid AND p.contype = 'p' AND a.attnum = ANY (p.conkey)) AS in_key,
        EXISTS (SELECT FROM pg_constraint f
                WHERE f.conrelid = c.oid AND f.contype = 'f' AND a.attnum = ANY (f.conkey)) AS refers
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT c.relname LIKE ANY ($1::text[])
    ORDER BY c.oid, a.attnum
"""

_REFERENCES: Final = """
    SELECT DISTINCT parent.relname AS parent, child.relname AS child, child.oid,
        bool_or(NOT a.attnotnull) AS optional
    FROM pg_constraint f
    JOIN pg_class child ON child.oid = f.conrelid
    JOIN pg_class parent ON parent.oid = f.confrelid
    JOIN pg_attribute a ON a.attrelid = child.oid AND a.attnum = ANY (f.conkey)
    WHERE f.contype = 'f' AND child.relnamespace = 'public'::regnamespace AND NOT child.relname LIKE ANY ($1::text[])
    GROUP BY f.oid, parent.relname, child.relname, child.oid
    ORDER BY child.oid, parent.relname
"""


async def diagram(connection: asyncpg.Connection) -> str:
    """The mermaid source, with the fence round it."""
    lines = ["```mermaid", "erDiagram"]
    for reference in await connection.fetch(_REFERENCES, _OTHERS):
        parent = "|o" if reference["optional"] else "||"
        lines.append(f"    {reference['parent']} {parent}--o{{ {reference['child']} : has")
    table = None
    for column in await connection.fetch(_COLUMNS, _OTHERS):
        if column["table"] != table:
            lines += ["    }"] if table is not None else []
            table = column["table"]
            lines += ["", f"    {table} {{"]
        lines.append(_column(column))
    return "\n".join([*lines, "    }", "```", ""])


def _column(column: asyncpg.Record) -> str:
    keys = ",".join(name for name, holds in (("PK", column["in_key"]), ("FK", column["refers"])) if holds)
    kind = _SHORT.get(column["type"], column["type"])
    note = re.split(r"[.;] |[.;]$", (column["comment"] or "").replace('"', "'"))[0]
    parts = [kind, column["column"], keys, f'"{note}"' if note else ""]
    return "        " + " ".join(part for part in parts if part)


def with_diagram(document: str, drawn: str) -> str:
    """*document* with *drawn* in the place of its diagram."""
    return _DIAGRAM.sub(lambda _: drawn, document, count=1)


async def _renew() -> None:
    with tempfile.TemporaryDirectory(prefix="offhook-diagram-") as folder:
        async with EmbeddedPostgres(Path(folder)) as server, Database(server.dsn) as database:
            await migrate(database)
            async with database.connection() as connection:
                drawn = await diagram(connection)
    DOCUMENT.write_text(with_diagram(DOCUMENT.read_text(encoding="utf-8"), drawn), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_renew())
