"""What pydantic found wrong with a file, said so that its author can mend it."""

from __future__ import annotations

from pydantic import ValidationError


def explain(error: ValidationError, where: str) -> str:
    """One line a fault: *where*, the field, what is accepted and what was given instead."""
    lines = []
    for fault in error.errors(include_url=False):
        field = ".".join(str(step) for step in fault["loc"]) or "(whole file)"
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "is not a known field"
        given = fault["input"]
        shown = "" if isinstance(given, dict | list) or fault["type"] == "missing" else f" (got {given!r})"
        lines.append(f"{where}: {field}: {message}{shown}")
    return "\n".join(lines)
