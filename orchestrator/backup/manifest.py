"""What is written in a backup about itself, and what its parts are called."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Final = 1
HEADER: Final = "backup.json"
MANIFEST: Final = "manifest.json"
MANIFEST_SUM: Final = "manifest.sha256"
SUMS: Final = "sums"
DATABASE: Final = "database"
OBJECTS: Final = "objects"
VECTORS: Final = "vectors"

# Of a table's text, before it is compressed: what has to be in memory at once.
PIECE_BYTES: Final = 4 * 2**20
# A sum is written after so many parts at most, so that nobody keeps them all in memory.
PARTS_A_SUM: Final = 1000

_PIECE: Final = re.compile(rf"{DATABASE}/([a-z_][a-z0-9_]*)/(\d{{6}})\.gz")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Header(_Part):
    """Comes first. migrations: checksums of what made the schema, by their version; product: the release."""

    format: int
    product: str
    made_at: datetime
    migrations: dict[str, str]

    @property
    def schema_version(self) -> str:
        """Of the latest migration."""
        return max(self.migrations, default="0000")


class Table(_Part):
    """columns: in the order of the text; bytes: of the text, uncompressed; pieces: parts that it is cut into."""

    columns: list[str]
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0)
    pieces: int = Field(ge=0)


class Tree(_Part):
    """Files under one name. gone: those that were removed before they could be copied."""

    files: int = Field(ge=0)
    bytes: int = Field(ge=0)
    gone: int = Field(ge=0, default=0)


class Manifest(_Part):
    """Comes last. trees: objects and vectors, those that the backup has; sequences: their latest numbers."""

    tables: dict[str, Table]
    sequences: dict[str, int]
    trees: dict[str, Tree]


class Contents(_Part):
    """All that a backup says about itself."""

    header: Header
    manifest: Manifest

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.manifest.tables.values())


def piece_name(table: str, number: int) -> str:
    """The name of one piece of a table."""
    return f"{DATABASE}/{table}/{number:06d}.gz"


def piece_of(name: str) -> tuple[str, int] | None:
    """Table and number of a piece; None for what is none."""
    match = _PIECE.fullmatch(name)
    return None if match is None else (match[1], int(match[2]))


def file_of(name: str) -> tuple[str, str] | None:
    """Tree and key of a file; None for what is none, or would lie outside of its tree."""
    tree, _, key = name.partition("/")
    return (tree, key) if tree in {OBJECTS, VECTORS} and key_is_safe(key) else None


def key_is_safe(key: str) -> bool:
    """Whether *key* stays inside of the folder that it is put into, and is one line."""
    return not _CONTROL.search(key) and all(part not in {"", ".", ".."} for part in key.split("/"))
