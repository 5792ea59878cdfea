"""Finding calls among many: by what they are and by what was said in them, newest first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TypeAlias
from uuid import UUID

import asyncpg

from orchestrator.core.events import Direction, EndReason
from orchestrator.store.call_rows import CALL_COLUMNS, to_call, to_line
from orchestrator.store.calls import Call, RecordedLine
from orchestrator.store.db import Database
from orchestrator.store.words_query import WordsQuery

Place: TypeAlias = tuple[datetime, UUID]
"""Where a call stands in the list: when it started, and its id."""

LINES_A_CALL = 3


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls are wanted; what is None does not matter.

    since, until: of the start, the second excluded; live: whether the call goes on; words: as WordsQuery.of reads them.
    """

    agent: str | None = None
    direction: Direction | None = None
    driver: str | None = None
    caller: str | None = None
    callee: str | None = None
    reason: EndReason | None = None
    live: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call, and the first lines of it that hold any of the words that were looked for."""

    call: Call
    lines: tuple[RecordedLine, ...]


# Of the latest calls, so many are looked through for words before the index is asked; it is asked for the days that
# hold so many first, and for all of them last.
NEAR = 1000
RECENT = 20_000

# What is asked for all day is in memory, and the best way depends on the values.
_PLANNING = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL random_page_cost = 1.1"
# How many calls a word is in is beyond PostgreSQL's guessing when they are few: it would look through a million.
_BY_WORDS = "SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = off"

# As the index has it.
_DAY = "((started_at AT TIME ZONE 'UTC')::date)"
_RECENT = f"""
    SELECT started_at FROM calls WHERE account_id = $1 ORDER BY started_at DESC, id DESC OFFSET {RECENT} LIMIT 1
"""  # noqa: S608 - a number of ours

# What the index is asked for a term's words. One may be several to PostgreSQL, such as a hyphenated one, or none.
_PAIRS = """
    SELECT term, array_agg(DISTINCT pair) FILTER (WHERE pair IS NOT NULL) AS pairs
    FROM (
        SELECT term, word, word || lead(word, 1, '') OVER (PARTITION BY term ORDER BY place) AS neighbours
        FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS typed (term, text, place),
            to_tsvector('offhook_words', text) AS word
    ) AS words LEFT JOIN unnest(pairs_of(neighbours)) AS pair ON true
    WHERE word <> ''
    GROUP BY term
"""

_CONDITIONS = {
    "agent": "agent = {}",
    "direction": "direction = {}",
    "driver": "driver = {}",
    "caller": "caller = {}",
    "callee": "callee = {}",
    "reason": "end_reason = {}",
    "since": "started_at >= {}",
    "until": "started_at < {}",
}

_CALLS = f"""
    SELECT {CALL_COLUMNS} FROM calls WHERE id = ANY ($1) ORDER BY started_at DESC, id DESC
"""  # noqa: S608 - columns of ours

_LINES = f"""
    SELECT line.* FROM unnest($1::uuid[]) AS wanted (id), LATERAL (
        SELECT * FROM transcripts
        WHERE call_id = wanted.id
            AND to_tsvector('offhook_words', concat_ws(E'\\n', text, transcription)) @@ to_tsquery('offhook_words', $2)
        ORDER BY start_at LIMIT {LINES_A_CALL}
    ) AS line
"""  # noqa: S608 - a number of ours


class CallLists:
    """The calls of any account, a page at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, account: UUID, wanted: CallFilter, limit: int, after: Place | None = None) -> list[FoundCall]:
        """The latest *limit* calls of *account* that are *wanted*; older than *after* when it is given."""
        words = _words(wanted)
        if words is not None and not words.terms:
            return []
        found = await self.found(account, wanted, limit, after)
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(_CALLS, found)
            calls = [to_call(row) for row in rows]
            lines = await _lines(connection, calls, words)
        return [FoundCall(call, tuple(lines.get(call.id, ()))) for call in calls]

    async def found(self, account: UUID, wanted: CallFilter, limit: int, after: Place | None = None) -> list[UUID]:
        """The ids of a page."""
        ids: list[UUID] = []
        async with self._database.transaction() as connection:
            async for look in looks(connection, account, wanted, limit, after):
                await connection.execute(look.settings)
                ids = [row["id"] for row in await connection.fetch(look.query, *look.arguments)]
                if len(ids) == limit:
                    break
        return ids


@dataclass(frozen=True, slots=True)
class Look:
    """A query for the ids of a page, and how PostgreSQL is to plan it."""

    settings: str
    query: str
    arguments: Sequence[object]


async def looks(
    connection: asyncpg.Connection, account: UUID, wanted: CallFilter, limit: int, after: Place | None = None
) -> AsyncIterator[Look]:
    """The queries for a page, each of which finds all of it; the first to find *limit* ids is the last to be asked.

    A common word's page is among the latest calls; a rare word's are few, and the index has them. In between it is
    asked for recent days first. It is no use under row-level security, where PostgreSQL cannot know that comparing
    words leaks nothing: so the ids are found without it, by account, and what is shown of the calls is read under it.
    """
    conditions, arguments = _conditions(account, wanted, after)
    words = _words(wanted)
    among = f"FROM calls WHERE {' AND '.join(conditions)}"
    order = "ORDER BY started_at DESC, id DESC"
    number = len(arguments) + 1
    if words is None:
        yield Look(_PLANNING, f"SELECT id {among} {order} LIMIT ${number}", (*arguments, limit))
        return
    said, last = f"words @@ to_tsquery('offhook_words', ${number})", f"{order} LIMIT ${number + 1}"
    near = f"SELECT id FROM (SELECT id, started_at, words {among} {order} LIMIT {NEAR}) AS near WHERE {said} {last}"  # noqa: S608
    given: tuple[object, ...] = (*arguments, words.whole, limit)
    yield Look(_PLANNING, near, given)
    beside, pairs = await _beside(connection, words, number + 2)
    given = (*given, *pairs)
    found = f"SELECT id {among}{{days}} AND {said} {last}"
    if beside:
        # Fenced off, or every row that is found would have its pairs made anew, to be compared with the phrase's.
        held = f"SELECT id, started_at, words {among}{{days}} AND {beside} OFFSET 0"
        found = f"SELECT id FROM ({held}) AS held WHERE {said} {last}"  # noqa: S608
    recent = await connection.fetchval(_RECENT, account)
    # The index looks at every call of a range: it has no use for wide ones, nor for any that ends before the last day.
    if recent is not None and (after is None or after[0] > recent):
        days = f" AND {_DAY} >= ${len(given) + 1}"
        yield Look(_BY_WORDS, found.format(days=days), (*given, recent.astimezone(UTC).date()))
    yield Look(_BY_WORDS, found.format(days=""), given)


async def _beside(connection: asyncpg.Connection, words: WordsQuery, number: int) -> tuple[str, list[object]]:
    """What holds of the calls wanted, of words that are neighbours, and its arguments from $*number* on.

    Empty when no words have to be neighbours. It is exact but for pairs that share a number, and for longer phrases.
    """
    wanted = words.wanted
    typed = [(index, word) for index, term in enumerate(wanted) for word in term.words]
    rows = await connection.fetch(_PAIRS, [index for index, _ in typed], [word for _, word in typed])
    pairs = {row["term"]: row["pairs"] for row in rows if row["pairs"] and not wanted[row["term"]].begun}
    if not pairs:
        return "", []
    condition, arguments = f"pairs_of(words) @> ${number}", list[object]([sorted(set(chain(*pairs.values())))])
    # PostgreSQL finds no call at all with a query in which it sees no word.
    if others := [wanted[row["term"]].query for row in rows if row["term"] not in pairs]:
        condition += f" AND words @@ to_tsquery('offhook_words', ${number + 1})"
        arguments.append(" & ".join(others))
    return condition, arguments


def _conditions(account: UUID, wanted: CallFilter, after: Place | None) -> tuple[list[str], list[object]]:
    """What must hold of a call whatever was said in it, and the arguments for that."""
    conditions, arguments = ["account_id = $1"], list[object]([account])

    def hold(condition: str, *values: object) -> None:
        numbers = [f"${len(arguments) + index}" for index in range(1, len(values) + 1)]
        arguments.extend(values)
        conditions.append(condition.format(*numbers))

    for name, condition in _CONDITIONS.items():
        if (value := getattr(wanted, name)) is not None:
            hold(condition, value)
    if wanted.live is not None:
        hold("ended_at IS NULL" if wanted.live else "ended_at IS NOT NULL")
    if after is not None:
        hold("(started_at, id) < ({}, {})", *after)
    return conditions, arguments


def _words(wanted: CallFilter) -> WordsQuery | None:
    return WordsQuery.of(wanted.words) if wanted.words is not None else None


async def _lines(
    connection: asyncpg.Connection, calls: list[Call], words: WordsQuery | None
) -> dict[UUID, list[RecordedLine]]:
    lines: dict[UUID, list[RecordedLine]] = {}
    if words is None or not words.wanted:
        return lines
    for row in await connection.fetch(_LINES, [call.id for call in calls], words.parts):
        lines.setdefault(row["call_id"], []).append(to_line(row))
    return lines
