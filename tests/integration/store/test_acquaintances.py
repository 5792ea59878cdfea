"""Whom a call is with, in a real PostgreSQL: contacts and what came of earlier calls."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from orchestrator.acquaintances import Acquaintances
from orchestrator.core.acquaintance import Acquaintance, Memory
from orchestrator.core.events import FIRST_ACCOUNT, CallEnded, CallStarted, Direction, EndReason
from orchestrator.core.privacy import Masking, MaskingPolicy
from orchestrator.store.acquaintances_repository import AcquaintancesRepository
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.contacts_repository import ContactsRepository, NewContact
from orchestrator.store.db import Database

ANN = "+33 6 12 34 56 78"
NOW = 1_800_000_000.0


def call(agent: UUID | None, other: str = ANN, direction: Direction = "inbound", at: float = NOW) -> CallStarted:
    ends = (other, "100") if direction == "inbound" else ("100", other)
    return CallStarted(uuid4(), "desk", direction, *ends, "sip", at, agent_id=agent)


async def over(database: Database, started: CallStarted, summary: str) -> None:
    """A call that is over, and summed up."""
    await CallsRepository(database).write(
        [started, CallEnded(started.call_id, EndReason.CALLER_HANGUP, started.started_at + 9.0, 9.0)]
    )
    async with database.connection() as connection:
        await connection.execute("UPDATE calls SET summary = $2 WHERE id = $1", started.call_id, summary)


async def agent_of(database: Database, account: UUID = FIRST_ACCOUNT) -> UUID:
    async with database.connection() as connection:
        return UUID(
            str(
                await connection.fetchval(
                    "INSERT INTO agents (account_id, name, draft) VALUES ($1, $2, '{}') RETURNING id",
                    account,
                    f"desk-{uuid4().hex[:8]}",
                )
            )
        )


def known_to(database: Database, masking: Masking = Masking.NONE) -> Acquaintances:
    return Acquaintances(AcquaintancesRepository(database), lambda account: MaskingPolicy(masking))


async def contact(database: Database, account: UUID = FIRST_ACCOUNT) -> None:
    new = NewContact("33612345678", "+33612345678", "Ann Lebrun", "fr", "Prefers mornings.")
    await ContactsRepository(database).add(account, new)


def summaries(found: Acquaintance | None) -> list[str]:
    assert found is not None
    return [one.summary for one in found.earlier]


@pytest.mark.parametrize("number", ["+33612345678", "0033612345678", "33612345678", ANN])
@pytest.mark.parametrize("direction", ["inbound", "outbound"])
async def test_a_contact_is_known_by_any_spelling(database: Database, number: str, direction: Direction) -> None:
    await contact(database)
    found = await known_to(database).recall(call(None, number, direction), Memory.CONTACT)
    assert found == Acquaintance("Ann Lebrun", "fr", "Prefers mornings.")


async def test_the_latest_calls_with_this_agent_are_known_and_no_others(database: Database) -> None:
    agent, other = await agent_of(database), await agent_of(database)
    number = "+33612345678"
    for day in range(4):
        await over(database, call(agent, number, at=NOW + day * 86_400), f"inbound {day}")
    await over(database, call(agent, number, "outbound", NOW + 2.5 * 86_400), "outbound")
    await over(database, call(agent, number, at=NOW + 9 * 86_400), "")
    await over(database, call(other, number, at=NOW + 9 * 86_400), "of another agent")
    await over(database, call(agent, "+33612345679", at=NOW + 9 * 86_400), "of another caller")
    now = call(agent, number)
    assert summaries(await known_to(database).recall(now, Memory.CALLS)) == ["inbound 3", "outbound", "inbound 2"]
    assert await known_to(database).recall(now, Memory.CONTACT) is None


async def test_another_account_knows_nobody_of_it(database: Database) -> None:
    await contact(database)
    async with database.connection() as connection:
        account = await connection.fetchval("INSERT INTO accounts (name) VALUES ('Other') RETURNING id")
    repository = AcquaintancesRepository(database)
    assert await repository.find(account, "33612345678", None) is None
    await contact(database, account)
    found = await repository.find(account, "33612345678", None)
    assert found is not None and found.name == "Ann Lebrun"


@pytest.mark.parametrize("number", ["", "anonymous", "Anonymous", "Unavailable"])
async def test_whoever_shows_no_number_is_nobody(database: Database, number: str) -> None:
    agent = await agent_of(database)
    await over(database, call(agent, number), "somebody else's")
    assert await known_to(database).recall(call(agent, number), Memory.CALLS) is None


async def test_an_agent_that_remembers_nobody_or_masks_names_knows_nobody(database: Database) -> None:
    await contact(database)
    assert await known_to(database).recall(call(None), Memory.OFF) is None
    assert await known_to(database, Masking.ALL).recall(call(None), Memory.CONTACT) is None
    assert await known_to(database, Masking.NUMBERS).recall(call(None), Memory.CONTACT) is not None
