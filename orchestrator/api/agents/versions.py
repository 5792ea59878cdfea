"""`/api/v1/agents/{agent_id}`: publishing, going back, and comparing versions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ValidationError

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.agents import AgentDefinition
from orchestrator.api.agents.differences import differences
from orchestrator.api.agents.schemas import Comparison, Place, Publish, Rollback, VersionDetail, VersionSummary
from orchestrator.api.agents.service import agent_not_found, faults, found_agent, found_version, rehearsed
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, paged
from orchestrator.core.errors import ApiError
from orchestrator.roster import AgentRoster
from orchestrator.store.agents_repository import AgentsRepository, Definition

VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


def versions_router(agents: AgentsRepository, roster: AgentRoster, door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1", tags=["agents"])
    reader, publisher = (
        Depends(door.needs(permission)) for permission in (Permission.READ_AGENTS, Permission.PUBLISH_AGENTS)
    )

    @router.post("/agents/{agent_id}/publish")
    async def publish_agent(agent_id: UUID, asked: Publish, who: Identity = publisher) -> VersionDetail:
        """Let the draft answer calls, as a version that never changes. Calls that are on keep theirs."""
        stored = await found_agent(agents, who.account, agent_id)
        if stored.revision != asked.revision:
            raise ApiError(409, "stale_revision", f"the draft has revision {stored.revision} by now")
        if wrong := faults(stored.draft):
            raise ApiError(422, "not_an_agent", "; ".join(wrong))
        definition = AgentDefinition.model_validate(stored.draft).model_dump(mode="json")
        await rehearsed(roster, stored.name, definition)
        version = await agents.publish(who.account, agent_id, definition, asked.note, who.user)
        if version is None:
            raise agent_not_found(agent_id)
        return VersionDetail.model_validate(version)

    @router.post("/agents/{agent_id}/rollback")
    async def roll_back_agent(agent_id: UUID, asked: Rollback, who: Identity = publisher) -> VersionDetail:
        """Let an earlier version, or a later one, answer calls. The draft stays as it is."""
        stored = await found_agent(agents, who.account, agent_id)
        version = await found_version(agents, who.account, agent_id, asked.version)
        await rehearsed(roster, stored.name, version.definition)
        await agents.point(who.account, agent_id, asked.version)
        return VersionDetail.model_validate(version)

    @router.post("/agents/{agent_id}/unpublish", status_code=204)
    async def unpublish_agent(agent_id: UUID, who: Identity = publisher) -> None:
        """Let the agent answer no more calls. Those that are on go on."""
        if not await agents.point(who.account, agent_id, None):
            raise agent_not_found(agent_id)

    @router.get("/agents/{agent_id}/versions")
    async def list_versions(
        agent_id: UUID, limit: Limit = 50, after: Cursor = None, who: Identity = reader
    ) -> Page[VersionSummary]:
        """The versions of an agent, the latest first."""
        await found_agent(agents, who.account, agent_id)
        found = await agents.versions(who.account, agent_id, limit + 1, key_of(after, _number))
        return paged(found, limit, VersionSummary.model_validate, lambda version: (version.number,))

    @router.get("/agents/{agent_id}/versions/{number}")
    async def get_version(agent_id: UUID, number: VersionNumber, who: Identity = reader) -> VersionDetail:
        """One version with its definition."""
        return VersionDetail.model_validate(await found_version(agents, who.account, agent_id, number))

    @router.get("/agents/{agent_id}/diff")
    async def compare_versions(
        agent_id: UUID,
        before: Annotated[Place, Query(alias="from")],
        after: Annotated[Place, Query(alias="to")] = "draft",
        who: Identity = reader,
    ) -> Comparison:
        """What is different from one version to another, or to the draft."""
        stored = await found_agent(agents, who.account, agent_id)
        old, new = [
            stored.draft
            if place == "draft"
            else (await found_version(agents, who.account, agent_id, int(place))).definition
            for place in (before, after)
        ]
        return Comparison(differences=differences(_completed(old), _completed(new)))

    return router


def _completed(definition: Definition) -> Definition:
    """*definition* with what it leaves open, so that a draft differs from a version by what was changed alone."""
    try:
        return AgentDefinition.model_validate(definition).model_dump(mode="json")
    except ValidationError:
        return definition


def _number(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**31:
        raise ValueError("no number of a version")
    return number
