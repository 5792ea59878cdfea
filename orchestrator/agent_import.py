"""Agents from files, at every start: what changed in a file since the last one is published.

What somebody edited since over the API is not overwritten: then the file is left alone, and the log says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from orchestrator.agents import AgentFile, route
from orchestrator.core.errors import ConfigError
from orchestrator.roster import AgentRoster
from orchestrator.store.agents_repository import AgentsRepository, Definition, Draft, StoredAgent
from orchestrator.store.numbers_repository import NumbersRepository, NumberTaken, Numeral

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Importing:
    """Where agents of files go: *account* has them."""

    account: UUID
    agents: AgentsRepository
    numbers: NumbersRepository
    roster: AgentRoster


async def import_agents(files: Sequence[AgentFile], to: Importing) -> None:
    """Let an account have the agents of *files*, published, with their numbers.

    Raises ConfigError for one that cannot be prepared, EngineError and StoreUnavailable.
    """
    for file in files:
        stored = await to.agents.named(to.account, file.name)
        if stored is not None and stored.imported == _whole(file):
            continue
        if stored is not None and _edited(stored, file):
            log.warning("agent_file_left_alone", agent=file.name, hint="it was edited since: docs/agents.md")
            continue
        await _import(file, stored, to)


async def _import(file: AgentFile, stored: StoredAgent | None, to: Importing) -> None:
    account, agents, definition = to.account, to.agents, file.definition()
    try:
        await to.roster.rehearse(file.name, definition)
    except ConfigError as error:
        raise ConfigError(f"agent {file.name}: {error}") from error
    if stored is None:
        stored = await agents.create(account, file.name, definition)
    elif stored.draft != definition:
        await agents.save(account, stored.id, Draft(definition, stored.revision))
    version = await agents.publish(account, stored.id, definition, "imported from its file")
    for number in file.numbers:
        try:
            await to.numbers.assign(account, Numeral(route(number), number), stored.id, by_operator=True)
        except NumberTaken:
            log.warning("number_taken", agent=file.name, number=number)
    # Last, so that an import that was cut is made again.
    await agents.note_import(account, stored.id, _whole(file))
    log.info("agent_imported", agent=file.name, version=version.number if version is not None else None)


def _edited(stored: StoredAgent, file: AgentFile) -> bool:
    """Whether the draft is neither what was imported last nor what is to be imported now."""
    before = {name: value for name, value in (stored.imported or {}).items() if name not in {"name", "numbers"}}
    return stored.draft not in (before, file.definition())


def _whole(file: AgentFile) -> Definition:
    return file.model_dump(mode="json")
