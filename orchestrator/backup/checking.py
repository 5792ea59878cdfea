"""Whether a backup is whole, and as it was written."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import IO, Final, TypeVar

from pydantic import BaseModel, ValidationError

from orchestrator.backup.archive import Part, parts, sum_line
from orchestrator.backup.errors import ArchiveRefused
from orchestrator.backup.manifest import (
    FORMAT,
    HEADER,
    MANIFEST,
    MANIFEST_SUM,
    PARTS_A_SUM,
    PIECE_BYTES,
    SUMS,
    Contents,
    Header,
    Manifest,
    file_of,
    piece_of,
)

_Said = TypeVar("_Said", bound=BaseModel)

# Bytes. Hundreds of tables and migrations are less; names of objects are at most 1024 in S3.
_MOST_SAID: Final = 2**20
_MOST_SUMS: Final = PARTS_A_SUM * 1200
# What does not get smaller grows by a few bytes.
_MOST_COMPRESSED: Final = PIECE_BYTES + 2**16


@dataclass
class _Count:
    parts: int = 0
    rows: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        return f"{self.parts} parts, {self.rows} rows, {self.bytes} bytes"


@dataclass
class _Found:
    """What has been met so far. unsummed: lines that the next sums must have."""

    tables: dict[str, _Count] = field(default_factory=dict)
    trees: dict[str, _Count] = field(default_factory=dict)
    unsummed: list[str] = field(default_factory=list)
    sums: int = 0


def checked(file: IO[bytes]) -> Contents:
    """What *file* says about itself, once every byte has been read and compared with its sum.

    Raises ArchiveRefused, which says what is wrong: cut, changed, made by a newer release, or no backup at all.
    """
    found, reading = _Found(), parts(file)
    header = _header(found, next(reading, None))
    for part in reading:
        if part.name == MANIFEST:
            manifest = _manifest(part, next(reading, None), found)
            if next(reading, None) is not None:
                raise ArchiveRefused("something comes after its end")
            return Contents(header=header, manifest=manifest)
        _meet(part, found)
    raise ArchiveRefused("it is cut off or damaged: its end is missing")


def _header(found: _Found, part: Part | None) -> Header:
    if part is None or part.name != HEADER:
        raise ArchiveRefused("it is no backup of Offhook")
    said = part.whole(_MOST_SAID)
    found.unsummed.append(sum_line(hashlib.sha256(said).hexdigest(), HEADER))
    header = _parsed(Header, said)
    if header.format != FORMAT:
        raise ArchiveRefused(
            f"it has format {header.format}, made by Offhook {header.product}; this release reads {FORMAT}"
        )
    return header


def _meet(part: Part, found: _Found) -> None:
    if part.name == f"{SUMS}/{found.sums:06d}":
        _compare(part, found)
    elif (piece := piece_of(part.name)) is not None:
        _meet_piece(part, *piece, found)
    elif (named := file_of(part.name)) is not None:
        digest, count = hashlib.sha256(), found.trees.setdefault(named[0], _Count())
        for data in part.read():
            digest.update(data)
        count.parts, count.bytes = count.parts + 1, count.bytes + part.size
        found.unsummed.append(sum_line(digest.hexdigest(), part.name))
    else:
        raise ArchiveRefused(f"{part.name!r} does not belong into a backup")
    if len(found.unsummed) > PARTS_A_SUM:
        raise ArchiveRefused(f"{part.name!r} has no sum")


def _meet_piece(part: Part, table: str, number: int, found: _Found) -> None:
    count = found.tables.setdefault(table, _Count())
    if number != count.parts:
        raise ArchiveRefused(f"piece {count.parts} of table {table} is missing")
    compressed = part.whole(_MOST_COMPRESSED)
    found.unsummed.append(sum_line(hashlib.sha256(compressed).hexdigest(), part.name))
    text = opened_piece(part.name, compressed)
    count.parts, count.bytes = count.parts + 1, count.bytes + len(text)
    # COPY writes a newline within a value as two characters.
    count.rows += text.count(b"\n")


def _compare(part: Part, found: _Found) -> None:
    told = part.whole(_MOST_SUMS).decode(errors="replace").splitlines(keepends=True)
    for line, expected in zip(told, found.unsummed, strict=False):
        if line != expected:
            raise ArchiveRefused(f"{expected.split('  ', 1)[1].rstrip()} is not as it was written")
    if len(told) != len(found.unsummed):
        raise ArchiveRefused(f"{part.name} does not match what comes before it")
    found.unsummed.clear()
    found.sums += 1


def _manifest(part: Part, following: Part | None, found: _Found) -> Manifest:
    if found.unsummed:
        raise ArchiveRefused("its sums are missing")
    said = part.whole(_MOST_SAID)
    if following is None or following.name != MANIFEST_SUM:
        raise ArchiveRefused("it is cut off or damaged: its end is missing")
    if following.whole(_MOST_SAID).decode(errors="replace") != sum_line(hashlib.sha256(said).hexdigest(), MANIFEST):
        raise ArchiveRefused(f"{MANIFEST} is not as it was written")
    manifest = _parsed(Manifest, said)
    for name, table in manifest.tables.items():
        _agree(f"table {name}", found.tables.pop(name, _Count()), _Count(table.pieces, table.rows, table.bytes))
    for name, tree in manifest.trees.items():
        _agree(name, found.trees.pop(name, _Count()), _Count(tree.files, 0, tree.bytes))
    if others := sorted({*found.tables, *found.trees}):
        raise ArchiveRefused(f"its manifest does not know {', '.join(others)}")
    return manifest


def _agree(what: str, found: _Count, told: _Count) -> None:
    if found != told:
        raise ArchiveRefused(f"{what}: its manifest tells of {told}, and there are {found}")


def _parsed(kind: type[_Said], said: bytes) -> _Said:
    try:
        return kind.model_validate_json(said)
    except ValidationError as error:
        raise ArchiveRefused(f"what it says about itself cannot be read: {error.errors()[0]['msg']}") from error


def opened_piece(name: str, compressed: bytes) -> bytes:
    """The text of one piece. Raises ArchiveRefused for what is none."""
    opening = zlib.decompressobj(wbits=31)
    try:
        text = opening.decompress(compressed, PIECE_BYTES + 1)
    except zlib.error as error:
        raise ArchiveRefused(f"{name} is not as it was written") from error
    if len(text) > PIECE_BYTES or not opening.eof or opening.unused_data:
        raise ArchiveRefused(f"{name} is not as it was written")
    return text


def tables(file: IO[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The tables of a checked *file* with their text, a piece at a time, each to be read before the next."""
    for table, pieces in groupby(_pieces(file), key=lambda piece: piece[0]):
        yield table, (opened_piece(part.name, part.whole(_MOST_COMPRESSED)) for _, part in pieces)


def _pieces(file: IO[bytes]) -> Iterator[tuple[str, Part]]:
    for part in parts(file):
        if (piece := piece_of(part.name)) is not None:
            yield piece[0], part
        elif file_of(part.name) is not None:
            # All tables come before the first file.
            return


def files(file: IO[bytes], tree: str) -> Iterator[tuple[str, Part]]:
    """The files of *tree* in a checked *file*, each to be read before the next."""
    for part in parts(file):
        if (named := file_of(part.name)) is not None and named[0] == tree:
            yield named[1], part
