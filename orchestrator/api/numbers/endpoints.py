"""`/api/v1/numbers`: which agent answers which number."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.agents import NUMBER, route
from orchestrator.api.agents.schemas import NumberAssign, NumberRead
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, paged
from orchestrator.core.errors import ApiError
from orchestrator.store.agents_repository import AgentsRepository, NumberTaken

Number = Annotated[
    str, Path(max_length=64, pattern=NUMBER, description="A phone number in any spelling, or a SIP user part.")
]


def numbers_router(agents: AgentsRepository, door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/numbers", tags=["numbers"])
    reader, manager = (
        Depends(door.needs(permission)) for permission in (Permission.READ_AGENTS, Permission.MANAGE_NUMBERS)
    )

    @router.get("")
    async def list_numbers(limit: Limit = 50, after: Cursor = None, who: Identity = reader) -> Page[NumberRead]:
        """The numbers of the account."""
        found = await agents.numbers(who.account, limit + 1, key_of(after, str))
        return paged(found, limit, NumberRead.model_validate, lambda number: (number.number,))

    @router.put("/{number}")
    async def assign_number(number: Number, asked: NumberAssign, who: Identity = manager) -> NumberRead:
        """Let an agent answer a number from now on, whoever of the account did before."""
        try:
            assigned = await agents.assign(who.account, route(number), number, asked.agent_id)
        except NumberTaken as error:
            raise ApiError(409, "number_taken", "this number is not yours to assign") from error
        if assigned is None:
            raise ApiError(404, "agent_not_found", f"there is no agent {asked.agent_id}")
        return NumberRead.model_validate(assigned)

    @router.delete("/{number}", status_code=204)
    async def free_number(number: Number, who: Identity = manager) -> None:
        """Let nobody answer a number: its callers hear that it does not exist."""
        if not await agents.free(who.account, route(number)):
            raise ApiError(404, "number_not_found", "you have no such number")

    return router
