"""Recordings in PostgreSQL: their keys, and how long they are."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

import asyncpg

from orchestrator.store.after_call import take_turn
from orchestrator.store.db import Database
from orchestrator.store.job_runs import Effect
from orchestrator.store.jobs import RECORDING_MASKING, TRANSCRIPTION, Work, put
from orchestrator.store.replaced_objects import sweeping
from orchestrator.store.webhook_events import EventType, tell_of_call

_COLUMNS = "call_id, account_id, wrapped_key, rate, start_at, samples, recovered, completed_at, masked, edition"


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """One. start_at: seconds on the call's media clock; samples: of each channel, None until it is complete; masked:
    what is personal is to be silenced; edition: of the objects that are played, None for those of the call itself.
    """

    call_id: UUID
    account_id: UUID
    wrapped_key: bytes = field(repr=False)
    rate: int
    start_at: float
    samples: int | None
    recovered: bool | None
    completed_at: datetime | None
    masked: bool
    edition: UUID | None

    @property
    def playable(self) -> bool:
        """Whether anybody may hear it: all of it is there, and what is personal is silent if it is to be."""
        return self.samples is not None and (not self.masked or self.edition is not None)


class RecordingsRepository:
    """The recordings of all accounts, for who completes them, and those of one, for who plays them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, account: UUID, call_id: UUID) -> StoredRecording | None:
        """The recording of a call of *account*."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM recordings WHERE call_id = $1", call_id)  # noqa: S608
        return None if row is None else _recording(row)

    async def incomplete(self, since: datetime | None, limit: int = 10_000) -> list[StoredRecording]:
        """Those whose call has ended, after *since* if given, and whose length nobody knows yet; the oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"""
                SELECT {", ".join(f"recordings.{name}" for name in _COLUMNS.split(", "))} FROM recordings
                JOIN calls ON calls.id = recordings.call_id
                WHERE completed_at IS NULL AND ended_at IS NOT NULL AND ($1::timestamptz IS NULL OR ended_at > $1)
                ORDER BY ended_at LIMIT $2
                """,  # noqa: S608 - columns are our own
                since,
                limit,
            )
        return [_recording(row) for row in rows]

    async def complete(self, call_id: UUID, samples: int, *, recovered: bool) -> None:
        """Say how long it is, and have it masked or transcribed; a second time changes nothing."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "UPDATE recordings SET samples = $2, recovered = $3, completed_at = now() "
                "WHERE call_id = $1 AND completed_at IS NULL RETURNING account_id, masked",
                call_id,
                samples,
                recovered,
            )
            if row is None:
                return
            kind = RECORDING_MASKING if row["masked"] else TRANSCRIPTION
            await put(connection, Work(row["account_id"], kind, call=call_id, id=uuid5(call_id, kind)))
            if not row["masked"]:
                await tell_of_call(connection, call_id, EventType.RECORDING_READY)

    async def play_instead(
        self, job: UUID, recording: StoredRecording, edition: UUID, wrapped_key: bytes, also: Effect
    ) -> bool:
        """Let *edition*, which *wrapped_key* opens, be what is played of *recording*, and tell that it can be heard.

        also: written in the same transaction; job: that does this. False, and nothing is written, when the recording
        was erased, or has another edition.
        """
        async with self._database.transaction() as connection:
            await take_turn(connection, job)
            changed = await connection.execute(
                "UPDATE recordings SET edition = $2, wrapped_key = $3 WHERE call_id = $1 AND edition IS NULL",
                recording.call_id,
                edition,
                wrapped_key,
            )
            if changed == "UPDATE 0":
                return False
            await also(connection)
            await tell_of_call(connection, recording.call_id, EventType.RECORDING_READY)
        return True

    def sweeping(self) -> AbstractAsyncContextManager[bool]:
        """A block; whether objects that others took the place of may be swept in it. Raises StoreUnavailable."""
        return sweeping(self._database)

    async def delete(self, account: UUID, call_id: UUID) -> bool:
        """Forget it, and with its key whatever is left of it anywhere; whether there was one."""
        async with self._database.tenant(account) as connection:
            done: str = await connection.execute("DELETE FROM recordings WHERE call_id = $1", call_id)
        return done == "DELETE 1"


def _recording(row: asyncpg.Record) -> StoredRecording:
    return StoredRecording(**dict(row))
