"""Puts a backup into an empty place: all of it, or nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import obstore
from obstore.exceptions import BaseError

from orchestrator.backup.archive import Part
from orchestrator.backup.aside import set_aside
from orchestrator.backup.checking import checked, files, tables
from orchestrator.backup.errors import ArchiveRefused, BackupFailed
from orchestrator.backup.manifest import Contents, Header, Manifest
from orchestrator.backup.places import TreePlace, database_of_ours, trees
from orchestrator.core.errors import ConfigError
from orchestrator.settings import Settings
from orchestrator.store.audit_repository import AuditRepository
from orchestrator.store.db import Database
from orchestrator.store.migrate import migrate, read_migrations
from orchestrator.store.reload import Reload, refuse_what_is_not_empty, reload

# A larger file is sent in parts, so that it never is in memory as a whole.
_WHOLE_BYTES: Final = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Restored:
    """contents: of the backup; aside: what was there before, where it is now; broken: entries of audit logs that are
    not as they were written, as `account: number`.
    """

    contents: Contents
    aside: Sequence[Path]
    broken: Sequence[str]


async def restore_backup(settings: Settings, file: IO[bytes], *, replace: bool = False) -> Restored:
    """Put the backup in *file* into the place that *settings* name, once all of *file* has been checked.

    replace: an embedded database and folders of this machine that hold something are renamed, objects in S3 written
    over; a PostgreSQL of your own has to be empty whatever it says. Raises ArchiveRefused, ConfigError, BackupFailed,
    StoreUnavailable, RecordRefused; the place is as before then, but for objects in S3 that were there already.
    """
    contents = checked(file)
    _refuse_other_schema(contents.header)
    async with AsyncExitStack() as stack:
        aside: list[Path] = []
        if replace:
            folders = [place.folder for place in _places(settings, contents) if place.folder is not None]
            aside = await stack.enter_async_context(set_aside(settings, folders))
        places = _places(settings, contents)
        for place in places:
            if not replace and await asyncio.to_thread(_holds_something, place):
                raise ConfigError(f"{place.name} are not empty; --replace sets aside what is there")
        async with database_of_ours(settings) as dsn:
            await _refuse_full_database(settings, dsn, contents.header)
            async with _put(places, file, keep=replace), reload(dsn, contents.header.schema_version) as loading:
                await _fill(loading, file, contents.manifest)
            async with Database(dsn) as database:
                await migrate(database)
                broken = await _broken_logs(database)
    return Restored(contents, aside, broken)


async def _fill(loading: Reload, file: IO[bytes], manifest: Manifest) -> None:
    loading.refuse_other_tables({name: table.columns for name, table in manifest.tables.items()})
    for name, text in tables(file):
        table = manifest.tables[name]
        if await loading.fill(name, table.columns, text) != table.rows:
            raise ArchiveRefused(f"table {name} has other rows than its manifest tells")
    await loading.continue_sequences(manifest.sequences)


def _places(settings: Settings, contents: Contents) -> list[TreePlace]:
    return [place for name, place in trees(settings).items() if name in contents.manifest.trees]


def _refuse_other_schema(header: Header) -> None:
    known = {migration.version: migration.checksum for migration in read_migrations()}
    if newer := sorted(header.migrations.keys() - known.keys()):
        raise ArchiveRefused(
            f"its schema has migration {newer[-1]}, which this release does not know: restore it with Offhook "
            f"{header.product} or a newer one"
        )
    if other := [version for version, checksum in header.migrations.items() if known[version] != checksum]:
        raise ArchiveRefused(f"its migration {other[0]} is not the one of this release")
    if sorted(header.migrations) != sorted(known)[: len(header.migrations)] or not header.migrations:
        raise ArchiveRefused("its schema lacks migrations in between")


async def _refuse_full_database(settings: Settings, dsn: str, header: Header) -> None:
    try:
        await refuse_what_is_not_empty(dsn, header.migrations)
    except ConfigError as error:
        way = "make an empty one for it" if settings.database_url else "--replace sets aside what is there"
        raise ConfigError(f"{error}; {way}") from error


def _holds_something(place: TreePlace) -> bool:
    try:
        return any(obstore.list(place.store, chunk_size=1))
    except (BaseError, OSError) as error:
        raise BackupFailed(f"{place.name} cannot be listed: {error}") from error


@asynccontextmanager
async def _put(places: Sequence[TreePlace], file: IO[bytes], *, keep: bool) -> AsyncIterator[None]:
    """During the block, the files of *file* are in *places*; when it raises they are removed, unless *keep*."""
    try:
        for place in places:
            for key, part in files(file, place.name):
                await asyncio.to_thread(_put_one, place, key, part)
        # LocalStore leaves that to the kernel, and the database is about to say that all of it is there.
        os.sync()
        yield
    except BaseException:
        if not keep:
            for place in places:
                await asyncio.to_thread(_removed, place, file)
        raise


def _put_one(place: TreePlace, key: str, part: Part) -> None:
    try:
        if part.size > _WHOLE_BYTES:
            obstore.put(place.store, key, part.read())
        else:
            obstore.put(place.store, key, part.whole(_WHOLE_BYTES))
    except (BaseError, OSError) as error:
        raise BackupFailed(f"{place.name}/{key} cannot be written: {error}. Nothing was restored") from error


def _removed(place: TreePlace, file: IO[bytes]) -> None:
    for key, _ in files(file, place.name):
        with suppress(BaseError, OSError):
            obstore.delete(place.store, key)


async def _broken_logs(database: Database) -> list[str]:
    audit = AuditRepository(database)
    found = [(account, await audit.verify(account)) for account in await audit.accounts()]
    return [f"{account}: {one.broken_at}" for account, one in found if one.broken_at is not None]
