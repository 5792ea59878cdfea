"""Agents to start from: one TOML file each in orchestrator/templates, `<name>.<language>.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.agents import AgentDefinition
from orchestrator.api.schemas import Told

FOLDER = Path(__file__).parents[2] / "templates"


class Template(Told):
    """name: such as `receptionist.en`; definition: a draft that can be published as it is."""

    name: str
    title: str
    description: str
    language: str
    definition: dict[str, Any]


@cache
def templates() -> tuple[Template, ...]:
    """All of them, by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.toml")))


def _read(path: Path) -> Template:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    title, description = table.pop("title"), table.pop("description")
    definition = AgentDefinition.model_validate(table).model_dump(mode="json")
    return Template(
        name=path.stem, title=title, description=description, language=definition["language"], definition=definition
    )
