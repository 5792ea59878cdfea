"""What changed in an account's calls, in the order in which it became visible: what live views follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg

from orchestrator.core.events import Happened
from orchestrator.store.call_rows import CALL_COLUMNS, to_call, to_event, to_line, to_turn
from orchestrator.store.calls import Call, RecordedLine, RecordedTurn
from orchestrator.store.db import Database

# What the triggers of migration 0003 notify: the account that something changed in.
LIVE_CHANNEL = "offhook_live"

Kind: TypeAlias = Literal["call", "turn", "line", "event"]
Changed: TypeAlias = Call | RecordedTurn | RecordedLine | Happened


@dataclass(frozen=True, slots=True)
class Change:
    """A row of *call* as it is now. position: of the change; a later one of the same account has a higher one."""

    position: int
    kind: Kind
    call: UUID
    what: Changed


_READ: Mapping[Kind, tuple[str, str, str, Callable[[asyncpg.Record], Changed]]] = {
    "call": ("calls", "id", CALL_COLUMNS, to_call),
    "turn": ("turns", "call_id", "*", to_turn),
    "line": ("transcripts", "call_id", "*", to_line),
    "event": ("events", "call_id", "*", to_event),
}

_LATEST = """
    SELECT greatest(
        (SELECT max(position) FROM calls WHERE account_id = $1),
        (SELECT max(position) FROM turns WHERE account_id = $1),
        (SELECT max(position) FROM transcripts WHERE account_id = $1),
        (SELECT max(position) FROM events WHERE account_id = $1),
        0
    )
"""


class LiveFeed:
    """The changes of any account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def live_calls(self, account: UUID) -> tuple[int, list[Change]]:
        """The calls that go on, and the position up to which that is true."""
        async with self._database.tenant(account, "repeatable_read") as connection:
            rows = await connection.fetch(
                f"""
                SELECT {CALL_COLUMNS}, position FROM calls WHERE account_id = $1 AND ended_at IS NULL
                ORDER BY position
                """,  # noqa: S608 - columns of ours
                account,
            )
            position = await connection.fetchval(_LATEST, account)
        return position, [Change(row["position"], "call", row["id"], to_call(row)) for row in rows]

    async def since(self, account: UUID, position: int, limit: int, call: UUID | None = None) -> list[Change]:
        """The changes after *position*, the oldest first, *limit* at most; those of one *call* when it is given."""
        changes: list[Change] = []
        # What became visible between two statements would be told by the second, and what lies before it by neither.
        async with self._database.tenant(account, "repeatable_read") as connection:
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            for kind, (table, key, columns, read) in _READ.items():
                query = _changes(table, key, columns, of_call=call is not None)
                rows = await connection.fetch(query, account, position, limit, *([call] if call is not None else []))
                changes += [Change(row["position"], kind, row[key], read(row)) for row in rows]
        return sorted(changes, key=lambda change: change.position)[:limit]


def _changes(table: str, key: str, columns: str, *, of_call: bool) -> str:
    position = "" if columns == "*" else ", position"
    wanted = f" AND {key} = $4" if of_call else ""
    return (
        f"SELECT {columns}{position} FROM {table} WHERE account_id = $1 AND position > $2{wanted} "  # noqa: S608
        "ORDER BY position LIMIT $3"
    )
