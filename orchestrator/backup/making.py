"""Makes a backup while calls run: the database as it is at one moment, then the files that belong to it."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final
from uuid import UUID

import obstore
from obstore.exceptions import BaseError

from orchestrator.backup.archive import READ_BYTES, ArchiveWriter, written_aside
from orchestrator.backup.errors import BackupFailed
from orchestrator.backup.manifest import (
    FORMAT,
    HEADER,
    OBJECTS,
    PIECE_BYTES,
    Contents,
    Header,
    Manifest,
    Table,
    Tree,
    key_is_safe,
    piece_name,
)
from orchestrator.backup.places import TreePlace, database_in_use, trees
from orchestrator.settings import Settings
from orchestrator.store.replaced_objects import kept_for_a_backup
from orchestrator.store.snapshot import Snapshot, StoredTable, snapshot

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# See recording_prefix() of telephony.recording.objects.
_OF_A_CALL: Final = re.compile(rf"recordings/{_UUID}/({_UUID})/.+")


async def make_backup(settings: Settings, path: Path, *, with_files: bool = True) -> Contents:
    """Write all of the installation to *path*; what is in it.

    with_files: objects and vectors too. Nobody who reads or writes the database waits for it.
    Raises ConfigError, StoreUnavailable and BackupFailed; nothing is left then.
    """
    places = [place for place in trees(settings).values() if with_files]
    # What the snapshot knows must be there until it is copied.
    async with database_in_use(settings) as dsn, kept_for_a_backup(dsn):
        with written_aside(path) as file, ExitStack() as stack:
            writer = ArchiveWriter(file)
            names = {place.name: stack.enter_context(_names_file(path.parent)) for place in places}
            async with snapshot(dsn) as found:
                header = await _header(found)
                writer.add(HEADER, header.model_dump_json(indent=1).encode())
                tables = {table.name: await _copied(writer, found, table) for table in await found.tables()}
                sequences, recordings = await found.sequences(), await found.recordings()
                for place in places:
                    await _list(place, found, names[place.name])
            copied = {place.name: await _copied_files(writer, place, names[place.name]) for place in places}
            if OBJECTS in copied and recordings and not copied[OBJECTS].files:
                raise BackupFailed(
                    f"the database knows {recordings} recordings, and {settings.object_store.location} has none: is it "
                    "the place (OFFHOOK_OBJECTS, --data)? --no-objects leaves them out. Nothing is left of the backup"
                )
            manifest = Manifest(tables=tables, sequences=sequences, trees=copied)
            writer.close(manifest.model_dump_json(indent=1).encode())
    return Contents(header=header, manifest=manifest)


async def _header(found: Snapshot) -> Header:
    migrations = await found.migrations()
    return Header(format=FORMAT, product=version("offhook"), made_at=datetime.now(UTC), migrations=migrations)


def _names_file(folder: Path) -> IO[str]:
    """A file without a name: there may be millions of keys."""
    try:
        return tempfile.TemporaryFile("w+", encoding="utf-8", dir=folder)
    except OSError as error:
        raise BackupFailed(f"{folder} cannot be written: {error.strerror}. Nothing is left of the backup") from error


class _Pieces:
    """A table on its way into the archive, cut into pieces that fit into memory."""

    def __init__(self, writer: ArchiveWriter, table: str) -> None:
        self._writer = writer
        self._table = table
        self._waiting = bytearray()
        self.number = 0
        self.bytes = 0

    async def take(self, text: bytes) -> None:
        """The next of what COPY writes. Raises BackupFailed."""
        self._waiting += text
        while len(self._waiting) >= PIECE_BYTES:
            self._write(PIECE_BYTES)

    def finish(self) -> None:
        """Write what is left. Raises BackupFailed."""
        if self._waiting:
            self._write(len(self._waiting))

    def _write(self, size: int) -> None:
        # As gzip has it, so that zcat reads it. The quickest level: calls want the processor too.
        packing = zlib.compressobj(level=1, wbits=31)
        packed = packing.compress(self._waiting[:size]) + packing.flush()
        self._writer.add(piece_name(self._table, self.number), packed)
        del self._waiting[:size]
        self.number += 1
        self.bytes += size


async def _copied(writer: ArchiveWriter, found: Snapshot, table: StoredTable) -> Table:
    pieces = _Pieces(writer, table.name)
    rows = await found.copy(table, pieces.take)
    pieces.finish()
    return Table(columns=list(table.columns), rows=rows, bytes=pieces.bytes, pieces=pieces.number)


async def _list(place: TreePlace, found: Snapshot, names: IO[str]) -> None:
    """Write the keys to copy into *names*, one a line.

    What belongs to a call that the snapshot does not know is left out: nobody could find it, or erase it.
    """
    try:
        batches = obstore.list(place.store, chunk_size=1000)
        while batch := await asyncio.to_thread(next, batches, None):
            keys = [one["path"] for one in batch]
            names.writelines(f"{json.dumps(key)}\n" for key in await _known(keys, found))
        names.seek(0)
    except (BaseError, OSError) as error:
        raise BackupFailed(f"{place.name} cannot be listed: {error}. Nothing is left of the backup") from error


async def _known(keys: Sequence[str], found: Snapshot) -> list[str]:
    calls: Mapping[str, UUID] = {
        key: UUID(match[1]) for key in keys if (match := _OF_A_CALL.fullmatch(key)) is not None
    }
    known = await found.known_calls(set(calls.values())) if calls else set()
    return [key for key in keys if key not in calls or calls[key] in known]


async def _copied_files(writer: ArchiveWriter, place: TreePlace, names: IO[str]) -> Tree:
    files = size = gone = 0
    for line in names:
        copied = await asyncio.to_thread(_copied_file, writer, place, json.loads(line))
        if copied is None:
            gone += 1
        else:
            files, size = files + 1, size + copied
    return Tree(files=files, bytes=size, gone=gone)


def _copied_file(writer: ArchiveWriter, place: TreePlace, key: str) -> int | None:
    """Its bytes; None when it has been removed since it was listed."""
    if not key_is_safe(key):
        raise BackupFailed(f"{place.name}: {key!r} is no name of Offhook's. Nothing is left of the backup")
    try:
        found = obstore.get(place.store, key)
        size = found.meta["size"]
        with writer.part(f"{place.name}/{key}", size) as write:
            for piece in found.stream(min_chunk_size=READ_BYTES):
                write(bytes(piece))
    except FileNotFoundError:
        return None
    except (BaseError, OSError) as error:
        raise BackupFailed(f"{place.name}/{key} cannot be read: {error}. Nothing is left of the backup") from error
    return size
