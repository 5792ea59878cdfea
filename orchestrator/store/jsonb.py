"""Values that PostgreSQL can keep: its text and jsonb take less than Python's strings and floats can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TypeAlias, cast

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable_text(text: str) -> str:
    """*text* with what no text column takes, U+0000 and lone surrogates, replaced by U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", _REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_REPLACEMENT if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text


def storable(value: object) -> Json:
    """*value* as jsonb can hold it: numbers that are not finite become null, unknown objects their text."""
    if isinstance(value, Mapping):
        return {storable_text(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [storable(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return storable_text(str(value))


def to_jsonb(value: object) -> str:
    """*value* in JSON that PostgreSQL accepts."""
    return json.dumps(storable(value), ensure_ascii=False, allow_nan=False)


def from_jsonb(text: str) -> Json:
    """The value of a jsonb column."""
    return cast(Json, json.loads(text))
