"""`offhook backup` and `offhook restore` with the embedded database, as somebody at a terminal has them."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from orchestrator.backup.making import make_backup
from orchestrator.backup.restoring import restore_backup
from orchestrator.core.errors import RecordRefused
from orchestrator.settings import Settings
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import migrate
from tests.integration.backup.conftest import Original, add_call
from tests.integration.backup.test_refused import members, with_rows, written
from tests.integration.conftest import fresh_folder


def offhook(*arguments: str) -> tuple[int, str]:
    """Exit code, and all that was said."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OFFHOOK_", "DATABASE_URL"))}
    command = [Path(sys.executable).with_name("offhook"), *arguments]
    run = subprocess.run(command, check=False, capture_output=True, text=True, env=plain, timeout=120)
    return run.returncode, run.stdout + run.stderr


async def calls_in(folder: Path) -> int:
    async with EmbeddedPostgres(folder) as server:
        connection = await asyncpg.connect(server.dsn)
        try:
            count: int = await connection.fetchval("SELECT count(*) FROM calls")
            return count
        finally:
            await connection.close()


async def test_a_running_installation_is_backed_up_and_put_back_into_an_empty_folder() -> None:
    with fresh_folder() as here, fresh_folder() as there, fresh_folder() as backups:
        data = ["--data", str(here)]
        async with EmbeddedPostgres(here) as server, Database(server.dsn) as database:
            await migrate(database)
            await add_call(database, DEFAULT_ACCOUNT)
            (here / "objects").mkdir()
            (here / "objects" / "of-no-call").write_bytes(b"there")
            code, said = await asyncio.to_thread(offhook, "backup", "--to", str(backups), *data)
            assert code == 0, said
            assert "Not in it: the keys in" in said
            code, said = await asyncio.to_thread(offhook, "restore", *map(str, backups.iterdir()), "--replace", *data)
            assert (code, "already runs the database" in said) == (2, True), said
            await add_call(database, DEFAULT_ACCOUNT)
        [backup] = backups.iterdir()
        assert offhook("backup", "verify", str(backup))[0] == 0

        code, said = await asyncio.to_thread(offhook, "restore", str(backup), "--data", str(there))
        assert code == 0, said
        assert "before `offhook up`: it makes new keys otherwise" in said
        assert (there / "objects" / "of-no-call").read_bytes() == b"there"
        assert await calls_in(there) == 1

        code, said = await asyncio.to_thread(offhook, "restore", str(backup), *data)
        assert (code, "--replace sets aside" in said) == (2, True), said
        assert await calls_in(here) == 2

        spoil(backup)
        code, said = await asyncio.to_thread(offhook, "restore", str(backup), "--replace", *data)
        assert (code, "database/accounts/000000.gz is not as it was written" in said) == (1, True), said
        assert offhook("backup", "verify", str(backup))[0] == 1
        assert await calls_in(here) == 2


def test_a_backup_that_is_stopped_leaves_nothing(tmp_path: Path, original: Original) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
    settings = {
        "DATABASE_URL": original.place.dsn,
        "OFFHOOK_DATA": str(tmp_path / "data"),
        "OFFHOOK_OBJECTS": "s3://calls",
        "OFFHOOK_OBJECTS_ENDPOINT": endpoint,
        "OFFHOOK_OBJECTS_KEY_ID": "x",
        "OFFHOOK_OBJECTS_SECRET": "x",
    }
    folder = tmp_path / "backups"
    folder.mkdir()
    command = [Path(sys.executable).with_name("offhook"), "backup", "--to", folder]
    with subprocess.Popen(command, env={**os.environ, **settings}) as running, silent:
        asked, _ = silent.accept()
        assert [path.suffix for path in folder.iterdir()] == [".unfinished"]
        running.terminate()
        asked.close()
        silent.close()
        assert running.wait(60) == 1
    assert list(folder.iterdir()) == []


def spoil(backup: Path) -> None:
    """Change a byte of the first table."""
    content = bytearray(backup.read_bytes())
    content[content.index(b"\x1f\x8b") + 12] ^= 1
    backup.write_bytes(content)


async def test_what_is_replaced_is_set_aside_and_comes_back_when_the_restore_fails(tmp_path: Path) -> None:
    with fresh_folder() as here:
        settings = Settings(data=here)
        async with EmbeddedPostgres(here) as server, Database(server.dsn) as database:
            await migrate(database)
            await add_call(database, DEFAULT_ACCOUNT)
            await make_backup(settings, tmp_path / "backup.tar")
            await add_call(database, DEFAULT_ACCOUNT)
        (here / "objects" / "theirs").write_bytes(b"kept")
        found = members(tmp_path / "backup.tar")
        with_rows(found, "calls", lambda _: b"")

        with written(found, tmp_path / "bad.tar").open("rb") as file, pytest.raises(RecordRefused, match="foreign key"):
            await restore_backup(settings, file, replace=True)
        assert await calls_in(here) == 2
        assert (here / "objects" / "theirs").read_bytes() == b"kept"
        assert not list(here.glob("*.replaced-*"))

        with (tmp_path / "backup.tar").open("rb") as file:
            done = await restore_backup(settings, file, replace=True)
        assert await calls_in(here) == 1
        assert not list((here / "objects").iterdir())
        assert [path.name.split(".")[0] for path in done.aside] == ["postgres", "objects"]
        assert (done.aside[1] / "theirs").read_bytes() == b"kept"
