"""`/api/v1/agents` and `/api/v1/templates`: agents and their drafts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.agents.schemas import AgentCreate, AgentDetail, AgentSummary, DraftSave
from orchestrator.api.agents.service import agent_not_found, faults, found_agent
from orchestrator.api.agents.templates import Template, templates
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, paged
from orchestrator.core.errors import ApiError
from orchestrator.store.agents_repository import AgentsRepository, Draft, NameTaken, StaleRevision, StoredAgent


def agents_router(agents: AgentsRepository, door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1", tags=["agents"])
    reader, editor = (
        Depends(door.needs(permission)) for permission in (Permission.READ_AGENTS, Permission.EDIT_AGENTS)
    )

    @router.get("/templates")
    async def list_templates(who: Identity = reader) -> list[Template]:
        """Agents to start from."""
        return list(templates())

    @router.get("/agents")
    async def list_agents(limit: Limit = 50, after: Cursor = None, who: Identity = reader) -> Page[AgentSummary]:
        """The agents of the account, by name."""
        found = await agents.page(who.account, limit + 1, key_of(after, str))
        return paged(found, limit, AgentSummary.model_validate, lambda agent: (agent.name,))

    @router.post("/agents", status_code=201)
    async def create_agent(asked: AgentCreate, who: Identity = editor) -> AgentDetail:
        """A new agent, which answers nothing before it is published and has a number."""
        draft = asked.definition if asked.definition is not None else _template(asked.template)
        try:
            return _detail(await agents.create(who.account, asked.name, draft))
        except NameTaken as error:
            raise _name_taken(asked.name) from error

    @router.get("/agents/{agent_id}")
    async def get_agent(agent_id: UUID, who: Identity = reader) -> AgentDetail:
        """One agent with its draft."""
        return _detail(await found_agent(agents, who.account, agent_id))

    @router.put("/agents/{agent_id}/draft")
    async def save_draft(agent_id: UUID, asked: DraftSave, who: Identity = editor) -> AgentDetail:
        """Another draft, complete or not. Calls go on with what is published."""
        try:
            draft = Draft(asked.definition, asked.revision, asked.name)
            saved = await agents.save(who.account, agent_id, draft)
        except StaleRevision as error:
            raise ApiError(409, "stale_revision", f"somebody else has saved meanwhile: {error}") from error
        except NameTaken as error:
            raise _name_taken(asked.name or "") from error
        if saved is None:
            raise agent_not_found(agent_id)
        return _detail(saved)

    @router.delete("/agents/{agent_id}", status_code=204)
    async def delete_agent(agent_id: UUID, who: Identity = editor) -> None:
        """Forget an agent that is not published, with its versions. Its calls stay."""
        await found_agent(agents, who.account, agent_id)
        if not await agents.delete(who.account, agent_id):
            raise ApiError(409, "published", "the agent answers calls; unpublish it first")

    return router


def _template(name: str | None) -> dict[str, Any]:
    for template in templates():
        if template.name == name:
            return template.definition
    known = ", ".join(template.name for template in templates())
    raise ApiError(422, "no_such_template", f"template: there is no {name}; there are {known}")


def _detail(stored: StoredAgent) -> AgentDetail:
    summary = AgentSummary.model_validate(stored)
    return AgentDetail(**summary.model_dump(), draft=dict(stored.draft), faults=faults(stored.draft))


def _name_taken(name: str) -> ApiError:
    return ApiError(409, "name_taken", f"another agent is called {name}")
