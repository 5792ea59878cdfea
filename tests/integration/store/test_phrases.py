"""Words side by side are found through the index, and exactly those that PostgreSQL itself holds to be side by side."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from orchestrator.core.events import FIRST_ACCOUNT, CallEnded, EndReason, Record, Spoken
from orchestrator.store.call_lists import CallFilter, CallLists, Look, looks
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database
from orchestrator.store.migrate import migrate, read_migrations
from orchestrator.store.words_query import WordsQuery
from tests.fakes.records import started

# What PostgreSQL makes several words of, one with another accent, one that it sees no word in, and plain ones.
TOKENS = (
    "well-known",
    "well",
    "known",
    "anna@example.org",
    "example.org/a-b",
    "café",
    "Cafe",
    "4.50",
    "½",
    "it's",
    "a",
)
PAIRS = "0024"


NO_OTHER = """
    UPDATE pg_index SET indisvalid = false
    WHERE indrelid = 'calls'::regclass AND indexrelid <> 'calls_said'::regclass
"""


async def say(database: Database, *lines: str, account: UUID = FIRST_ACCOUNT, at: float = 1_800_000_000.0) -> UUID:
    """A call in which *lines* were said."""
    call = uuid4()
    spoken = [Spoken(call, 0, "caller", line, float(index), index + 0.5) for index, line in enumerate(lines)]
    ended = CallEnded(call, EndReason.CALLER_HANGUP, at + 60, 60.0)
    records: list[Record] = [started(call, at, account), *spoken, ended]
    await CallsRepository(database).write(records)
    return call


async def asked(database: Database, typed: str, account: UUID = FIRST_ACCOUNT) -> list[Look]:
    """The queries for what is *typed*: the first compares the words, the last asks the index."""
    async with database.transaction() as connection:
        return [look async for look in looks(connection, account, CallFilter(words=typed), 1000, None)]


@asynccontextmanager
async def one_index(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection for which calls are found by their words alone: among a few of them any index does."""
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(NO_OTHER)
            yield connection
        finally:
            await transaction.rollback()


async def answers(database: Database, typed: str) -> list[list[UUID]]:
    """What each of the queries finds."""
    found = []
    for look in await asked(database, typed):
        async with one_index(database) as connection:
            await connection.execute(look.settings)
            found.append([row["id"] for row in await connection.fetch(look.query, *look.arguments)])
    return found


async def indexed(database: Database, typed: str) -> list[UUID]:
    """What the index finds."""
    return (await answers(database, typed))[-1]


async def held(database: Database, typed: str, account: UUID = FIRST_ACCOUNT) -> int:
    """How many calls the index gives to be compared with what is *typed*."""
    look = (await asked(database, typed, account))[-1]
    async with one_index(database) as connection:
        await connection.execute(look.settings)
        plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {look.query}", *look.arguments)
    (scan,) = [node for node in _nodes(json.loads(plan)[0]["Plan"]) if node["Node Type"] == "Bitmap Index Scan"]
    assert scan["Index Name"] == "calls_said"
    return int(scan["Actual Rows"])


def _nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


async def test_only_calls_with_the_words_side_by_side_are_read(database: Database) -> None:
    for _ in range(20):
        await say(database, "you said no thank heaven")
    wanted = await say(database, "well thank you so much")
    assert await indexed(database, '"thank you"') == [wanted]
    assert await held(database, '"thank you"') == 1
    assert await held(database, "thank you") == 21


async def test_a_longer_phrase_is_compared_with_the_words(database: Database) -> None:
    await say(database, "thank you for nothing", "I know you so well", "you know thank you so")
    wanted = await say(database, "I thank you so much")
    assert await indexed(database, '"thank you so much"') == [wanted]
    await say(database, "so much", "thank you", "you so")
    assert await indexed(database, '"thank you so much"') == [wanted]
    assert await held(database, '"thank you so much"') == 2, "its pairs are in both"


async def test_phrases_go_with_all_else_that_can_be_asked(database: Database) -> None:
    one = await say(database, "le café est fermé", at=1_800_000_000.0)
    other = await say(database, "the cafe est closed for refunds", at=1_800_000_060.0)
    for typed, wanted in {
        '"cafe est"': [other, one],
        '"Café Est" -fermé': [other],
        '"café est" refund*': [other],
        '"cafe est" -refund*': [one],
        '"cafe est" "est fermé"': [one],
        '"cafe est" -"est fermé"': [other],
        '"cafe est" "closed"': [other],
        '"cafe est" <b>': [other, one],
        '"est cafe"': [],
        'closed -"cafe est"': [],
        '-"le café"': [other],
    }.items():
        found = await answers(database, typed)
        assert found == [wanted] * len(found), typed


async def test_the_beginning_of_several_words_is_no_pair(database: Database) -> None:
    wanted = await say(database, "a well-known face")
    assert await answers(database, "well-kn*") == [[wanted], [wanted]]
    assert await answers(database, '"a well-known" well-kn*') == [[wanted], [wanted]]


async def test_the_index_finds_what_comparing_finds(database: Database) -> None:
    chance = random.Random(7)

    def some(longest: int) -> str:
        return " ".join(chance.choice(TOKENS) for _ in range(chance.randint(1, longest)))

    for _ in range(150):
        await say(database, some(8), some(8))
    several = 0
    for _ in range(400):
        terms = [f'"{some(4)}"' if chance.random() < 0.7 else some(1) + chance.choice(("", "*")) for _ in range(2)]
        typed = " ".join(chance.choice(("", "", "", "-")) + term for term in terms)
        if not WordsQuery.of(typed).terms:
            continue
        first, *others = await answers(database, typed)
        assert all(other == first for other in others), typed
        several += len(first) > 1
    assert several > 40, "there is something to be found"


async def test_words_beyond_what_positions_can_tell_are_found_as_before(database: Database) -> None:
    """PostgreSQL counts positions to 16383 and 255 of them a word; what lies beyond has the last place, or none."""
    await say(database, " ".join(f"word{number}" for number in range(16_380)) + " a b c d e f g", "yes no " * 300)
    for typed in ('"a b"', '"b c"', '"b d"', '"c d"', '"f g"', '"word1 word2"', '"yes no"', '"no yes"', '"g yes"'):
        found = await answers(database, typed)
        assert found == found[:1] * len(found), typed


async def test_a_phrase_finds_nothing_of_another_account(database: Database) -> None:
    theirs = uuid4()
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, 'theirs')", theirs)
    ours, other = await say(database, "thank you"), await say(database, "thank you", account=theirs)
    lists, wanted = CallLists(database), CallFilter(words='"thank you"')
    assert [found.call.id for found in await lists.page(FIRST_ACCOUNT, wanted, 10)] == [ours]
    assert [found.call.id for found in await lists.page(theirs, wanted, 10)] == [other]
    assert await held(database, '"thank you"') == await held(database, '"thank you"', theirs) == 1


async def test_pairs_are_forgotten_with_the_words(database: Database) -> None:
    call = await say(database, "thank you")
    assert await held(database, '"thank you"') == 1
    async with database.transaction() as connection:
        await connection.execute("UPDATE calls SET words = NULL WHERE id = $1", call)
    assert await indexed(database, '"thank you"') == []
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT pairs_of(words) FROM calls WHERE id = $1", call) is None


@pytest.mark.parametrize("interrupted", [False, True])
async def test_calls_from_before_have_their_pairs_after_the_migration(empty_dsn: str, interrupted: bool) -> None:
    async with Database(empty_dsn) as database:
        await migrate(database, last=f"{int(PAIRS) - 1:04}")
        wanted = await say(database, "well thank you so much")
        await say(database, "you said no thank heaven")
        if interrupted:
            await _begin(database)
        await migrate(database)
        assert await indexed(database, '"thank you"') == [wanted]
        assert await held(database, '"thank you"') == 1
        async with database.connection() as connection:
            invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
            assert await connection.fetch(invalid) == []
            assert await connection.fetchval("SELECT to_regclass('calls_words')") is None


async def _begin(database: Database) -> None:
    """Make the function, and leave the index as a crash does: there, and not to be used."""
    (pairs,) = [migration for migration in read_migrations() if migration.version == PAIRS]
    async with database.connection() as connection:
        await connection.execute(pairs.statements[0])
        await connection.execute("CREATE INDEX calls_said ON calls (agent)")
        await connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'calls_said'::regclass")
