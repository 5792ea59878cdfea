"""How long a page of calls and a search in their transcripts take among a million: `python -m benchmarks.call_lists`.

A PostgreSQL of its own with generated calls: one account has nearly all of them, another a thousand. Words follow a
skewed distribution, from some that occur in every third call to some that occur in one.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Annotated, Final, TypeAlias
from uuid import UUID

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from orchestrator.core.events import EndReason
from orchestrator.store.call_lists import CallFilter, CallLists, Place, looks
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database, PoolLimits
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.migrate import migrate

PAGE: Final = 50
WANTED: Final = 0.1  # seconds at p95
SMALL: Final = UUID(int=2)
SMALL_CALLS: Final = 1000
_BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)

_VOCABULARY: Final = 20_000
_LINES: Final = 6
_WORDS: Final = 8

# Loading a million rows one by one through the triggers would take an hour, and make the same rows.
_LOAD: Final = (
    "SELECT setseed(0.5)",
    "ALTER TABLE calls DISABLE TRIGGER USER",
    "ALTER TABLE transcripts DISABLE TRIGGER USER",
    "DROP INDEX calls_said",
    f"INSERT INTO accounts (id, name) VALUES ('{SMALL}', 'small')",
    f"""
    CREATE UNLOGGED TABLE said AS
    SELECT call, line, string_agg('word' || (1 + floor({_VOCABULARY} * power(random(), 4)))::int, ' ') AS text
    FROM generate_series(1, $calls) AS call, generate_series(1, {_LINES}) AS line, generate_series(1, {_WORDS}) AS word
    GROUP BY call, line
    """,
    f"""
    INSERT INTO calls (id, account_id, agent, direction, caller, callee, driver, started_at, ended_at, end_reason,
        duration, words, position)
    SELECT
        ('00000000-0000-7000-8000-' || lpad(to_hex(call), 12, '0'))::uuid,
        CASE WHEN call <= $calls - {SMALL_CALLS} THEN '{DEFAULT_ACCOUNT}' ELSE '{SMALL}' END::uuid,
        'agent-' || call % 20, CASE WHEN call % 10 = 0 THEN 'outbound' ELSE 'inbound' END,
        '+1555' || floor(100000 * random()), '+1800' || call % 20, 'sip',
        '2026-01-01T00:00:00Z'::timestamptz + make_interval(secs => call * 30.0),
        '2026-01-01T00:00:00Z'::timestamptz + make_interval(secs => call * 30.0 + 120),
        CASE WHEN call % 10000 = 7 THEN 'error' ELSE 'caller_hangup' END,
        120, to_tsvector('offhook_words', text), call
    FROM (SELECT call, string_agg(text, E'\\n') AS text FROM said GROUP BY call) AS spoken
    ORDER BY call
    """,
    """
    INSERT INTO transcripts (call_id, start_at, speaker, turn, end_at, account_id, text, position)
    SELECT calls.id, line * 10, CASE WHEN line % 2 = 0 THEN 'agent' ELSE 'caller' END, line / 2, line * 10 + 5,
        account_id, text, 0
    FROM said JOIN calls ON calls.position = said.call
    """,
    "DROP TABLE said",
    # Every second caller is known.
    f"""
    INSERT INTO contacts (account_id, number, shown, name)
    SELECT '{DEFAULT_ACCOUNT}', '1555' || caller, '+1555' || caller, 'Caller ' || caller
    FROM generate_series(0, 99999, 2) AS caller
    """,
    """
    CREATE INDEX calls_said
    ON calls USING gin (account_id, agent, ((started_at AT TIME ZONE 'UTC')::date), words, pairs_of(words))
    WITH (fastupdate = off)
    """,
    "VACUUM ANALYZE calls",
    "VACUUM ANALYZE transcripts",
    "VACUUM ANALYZE contacts",
)

Question: TypeAlias = tuple[UUID, CallFilter, Place | None]


def questions(calls: int) -> dict[str, Callable[[random.Random], Question]]:
    """What is asked, by name; each with other values every time."""

    def big(pick: Callable[[random.Random], CallFilter]) -> Callable[[random.Random], Question]:
        return lambda chance: (DEFAULT_ACCOUNT, pick(chance), None)

    def word(first: int, last: int) -> Callable[[random.Random], Question]:
        return big(lambda chance: CallFilter(words=f"word{chance.randint(first, last)}"))

    def phrase(words: int, last: int) -> Callable[[random.Random], Question]:
        def some(chance: random.Random) -> CallFilter:
            return CallFilter(words='"' + " ".join(f"word{chance.randint(1, last)}" for _ in range(words)) + '"')

        return big(some)

    def deep(chance: random.Random) -> Question:
        at = _BEGINNING + timedelta(seconds=30 * chance.randint(1000, calls))
        return DEFAULT_ACCOUNT, CallFilter(), (at, UUID(int=chance.getrandbits(128)))

    return {
        "latest": big(lambda _: CallFilter()),
        "any page": deep,
        "of an agent": big(lambda chance: CallFilter(agent=f"agent-{chance.randint(0, 19)}")),
        "of a caller": big(lambda chance: CallFilter(caller=f"+1555{chance.randint(0, 99999)}")),
        "of nobody": big(lambda _: CallFilter(caller="nobody")),
        "that failed": big(lambda _: CallFilter(reason=EndReason.ERROR)),
        "that go on": big(lambda _: CallFilter(live=True)),
        "of an agent in a day": big(
            lambda chance: CallFilter(
                agent=f"agent-{chance.randint(0, 19)}",
                since=(day := _BEGINNING + timedelta(days=chance.randint(0, calls // 2880))),
                until=day + timedelta(days=1),
            )
        ),
        "a word of every third call": word(1, 3),
        "a common word": word(10, 100),
        "a word now and then": word(300, 3000),
        "a rare word": word(15_000, _VOCABULARY),
        "a word that nobody said": big(lambda chance: CallFilter(words=f"unsaid{chance.randint(0, 99)}")),
        "two words": big(lambda chance: CallFilter(words=f"word{chance.randint(1, 20)} word{chance.randint(50, 500)}")),
        "two rare words": big(
            lambda chance: CallFilter(words=f"word{chance.randint(2000, 9000)} word{chance.randint(2000, 9000)}")
        ),
        "a phrase": phrase(2, 50),
        "a phrase of the commonest words": phrase(2, 5),
        "a phrase of three words": phrase(3, 50),
        "a phrase of rare words": phrase(2, 2000),
        "a phrase and a word": big(
            lambda chance: CallFilter(
                words=f'"word{chance.randint(1, 20)} word{chance.randint(1, 20)}" word{chance.randint(50, 500)}'
            )
        ),
        "a beginning": big(lambda chance: CallFilter(words=f"word{chance.randint(100, 999)}*")),
        "a word of an agent": big(
            lambda chance: CallFilter(agent=f"agent-{chance.randint(0, 19)}", words=f"word{chance.randint(100, 3000)}")
        ),
        "a common word in a small account": lambda chance: (
            SMALL,
            CallFilter(words=f"word{chance.randint(1, 9)}"),
            None,
        ),
        "a rare word in a small account": lambda chance: (
            SMALL,
            CallFilter(words=f"word{chance.randint(300, _VOCABULARY)}"),
            None,
        ),
        "a phrase in a small account": lambda chance: (
            SMALL,
            CallFilter(words=f'"word{chance.randint(1, 50)} word{chance.randint(1, 50)}"'),
            None,
        ),
    }


async def _load(dsn: str, calls: int, console: Console) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'; SET synchronous_commit = off"
        )
        for statement in _LOAD:
            started = time.perf_counter()
            await connection.execute(statement.replace("$calls", str(calls)))
            console.print(
                f"{time.perf_counter() - started:6.1f} s  {' '.join(statement.split())[:80]}", highlight=False
            )
    finally:
        await connection.close()


async def _asked(lists: CallLists, question: Question) -> float:
    account, wanted, after = question
    started = time.perf_counter()
    await lists.page(account, wanted, PAGE + 1, after)
    return time.perf_counter() - started


async def _plans(database: Database, question: Question) -> str:
    """How PostgreSQL answers each of the queries that may be asked for a page."""
    account, wanted, after = question
    told: list[str] = []
    async with database.transaction() as connection:
        async for look in looks(connection, account, wanted, PAGE + 1, after):
            await connection.execute(look.settings)
            explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, COSTS OFF) {look.query}"
            rows = await connection.fetch(explain, *look.arguments)
            told.append("\n".join(row[0] for row in rows))
    return "\n\n".join(told)


def figure(taken: list[float]) -> dict[str, float]:
    """What is told of the seconds *taken*, and the machine's load."""
    cuts = quantiles(taken, n=100)
    spread = {"p50": cuts[49], "p95": cuts[94], "p99": min(cuts[98], max(taken)), "max": max(taken)}
    return {"n": len(taken), **spread, "load": os.getloadavg()[0]}


async def measure(calls: int, times: int, plans: Path | None, console: Console) -> dict[str, dict[str, float]]:
    """By question: n, seconds as p50, p95, p99 and max, and load, how many processes wanted to run when it was over."""
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="offhook-lists-") as folder:
        async with EmbeddedPostgres(Path(folder)) as server, Database(server.dsn, PoolLimits(statement=60)) as database:
            await migrate(database)
            await _load(server.dsn, calls, console)
            lists = CallLists(database)
            for name, question in questions(calls).items():
                chance = random.Random(name)
                figures[name] = figure([await _asked(lists, question(chance)) for _ in range(times)])
                if plans is not None:
                    text = await _plans(database, question(random.Random(name)))
                    (plans / f"{name.replace(' ', '-')}.txt").write_text(text + "\n", encoding="utf-8")
    return figures


def main(
    calls: Annotated[int, typer.Option(help="How many are generated.", min=10_000)] = 1_000_000,
    times: Annotated[int, typer.Option(help="How often each question is asked.", min=20)] = 100,
    output: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
    plans: Annotated[Path | None, typer.Option(help="Folder for the query plans.")] = None,
) -> None:
    """Ask for pages of 50 calls in many ways; exit code 1 when one takes more than 100 ms at p95."""
    console = Console()
    if plans is not None:
        plans.mkdir(parents=True, exist_ok=True)
    figures = asyncio.run(measure(calls, times, plans, console))
    table = Table("page of 50 calls", "n", "p50 ms", "p95 ms", "p99 ms", "max ms", "load")
    for name, told in figures.items():
        shown = [f"{1000 * told[key]:.1f}" for key in ("p50", "p95", "p99", "max")]
        table.add_row(name, str(told["n"]), *shown, f"{told['load']:.1f}", style="red" if told["p95"] > WANTED else "")
    console.print(table)
    if output is not None:
        output.write_text(json.dumps({"calls": calls, "questions": figures}, indent=2) + "\n", encoding="utf-8")
    raise typer.Exit(int(any(told["p95"] > WANTED for told in figures.values())))


if __name__ == "__main__":
    typer.run(main)
