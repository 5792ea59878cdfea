"""What pydantic found wrong with a file, said so that its author can mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, where: str, schema: type[BaseModel]) -> str:
    """One line a fault: *where*, the field, what *schema* accepts and what was given instead."""
    lines = []
    for fault in error.errors(include_url=False):
        field = ".".join(str(step) for step in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = f"is not a known field{_known(schema, fault['loc'][:-1])}"
        given = fault["input"]
        shown = "" if isinstance(given, dict | list) or fault["type"] == "missing" else f" (got {given!r})"
        lines.append(": ".join(filter(None, [where, field, message])) + shown)
    return "\n".join(lines)


def _known(schema: type[BaseModel], path: Sequence[int | str]) -> str:
    """The fields of the table at *path*."""
    table: type[BaseModel] | None = schema
    for step in path:
        # The steps between are keys and positions of a mapping or list, whose values are of one type.
        if table is not None and step in table.model_fields:
            table = _table_in(table.model_fields[str(step)].annotation)
    if table is None:
        return ""
    names = sorted(field.alias or name for name, field in table.model_fields.items())
    return f"; there are: {', '.join(names)}"


def _table_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_table_in, get_args(annotation))), None)
