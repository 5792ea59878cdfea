"""The documented data model against the real one."""

from __future__ import annotations

from orchestrator.store.db import Database
from orchestrator.store.diagram import DOCUMENT, diagram, with_diagram


async def test_the_diagram_shows_the_schema_as_it_is(database: Database) -> None:
    documented = DOCUMENT.read_text(encoding="utf-8")
    async with database.connection() as connection:
        drawn = await diagram(connection)
    assert "calls ||--o{ turns : has" in drawn
    assert drawn in documented, "`make diagram` renews it"


def test_a_document_keeps_what_is_round_its_diagram() -> None:
    before = "# Data\n\n```mermaid\nerDiagram\n    a {\n    }\n```\n\n```sql\nSELECT 1;\n```\n"
    assert with_diagram(before, "```mermaid\nerDiagram\n    b {\n    }\n```\n") == before.replace("    a {", "    b {")
