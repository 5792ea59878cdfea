"""What the routes of agents and of their versions share: how one is found, and what is wrong with a draft."""

from __future__ import annotations

from uuid import UUID

from pydantic import ValidationError

from inference.complaint import explain
from orchestrator.agents import AgentDefinition
from orchestrator.core.errors import ApiError, ConfigError, EngineError
from orchestrator.roster import AgentRoster
from orchestrator.store.agents_repository import AgentsRepository, AgentVersion, Definition, StoredAgent


async def found_agent(agents: AgentsRepository, account: UUID, agent: UUID) -> StoredAgent:
    """One agent of *account*. Raises ApiError 404."""
    if (stored := await agents.get(account, agent)) is None:
        raise agent_not_found(agent)
    return stored


async def found_version(agents: AgentsRepository, account: UUID, agent: UUID, number: int) -> AgentVersion:
    """One version of an agent. Raises ApiError 404."""
    if number >= 2**31 or (version := await agents.version(account, agent, number)) is None:
        raise ApiError(404, "version_not_found", f"there is no version {number} of agent {agent}")
    return version


async def rehearsed(roster: AgentRoster, name: str, definition: Definition) -> None:
    """Return when *definition* can answer calls. Raises ApiError: 422 when it never can, 503 when not now."""
    try:
        await roster.rehearse(name, definition)
    except ConfigError as error:
        raise ApiError(422, "cannot_answer", str(error)) from error
    except EngineError as error:
        raise ApiError(503, "engine_failed", f"the agent cannot be prepared now: {error.engine}; try again") from error


def faults(draft: Definition) -> list[str]:
    """What keeps *draft* from being published, by field."""
    try:
        AgentDefinition.model_validate(draft)
    except ValidationError as error:
        return explain(error, "", AgentDefinition).splitlines()
    return []


def agent_not_found(agent: UUID) -> ApiError:
    """That the account has no such agent."""
    return ApiError(404, "agent_not_found", f"there is no agent {agent}")
