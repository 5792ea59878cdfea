"""`/api/v1/numbers`: which agent answers which number. `/api/v1/accounts/{id}/numbers`: whose it is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.agents import NUMBER, route
from orchestrator.api.agents.schemas import NumberAssign, NumberRead
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, paged
from orchestrator.core.errors import ApiError
from orchestrator.store.numbers_repository import NumberNotGranted, NumbersRepository, NumberTaken, Numeral

Number = Annotated[
    str, Path(max_length=64, pattern=NUMBER, description="A phone number in any spelling, or a SIP user part.")
]


def numbers_router(numbers: NumbersRepository, door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/numbers", tags=["numbers"])
    reader, manager = (
        Depends(door.needs(permission)) for permission in (Permission.READ_AGENTS, Permission.MANAGE_NUMBERS)
    )

    @router.get("")
    async def list_numbers(limit: Limit = 50, after: Cursor = None, who: Identity = reader) -> Page[NumberRead]:
        """The numbers of the account, those that nobody answers as well."""
        return await _page(numbers, who.account, limit, after)

    @router.put("/{number}")
    async def assign_number(number: Number, asked: NumberAssign, who: Identity = manager) -> NumberRead:
        """Let an agent answer a number of the account from now on, whoever of it did before."""
        numeral = Numeral(route(number), number)
        try:
            assigned = await numbers.assign(who.account, numeral, asked.agent_id, by_operator=who.is_operator)
        except NumberNotGranted as error:
            why = "this number is not your account's; whoever runs the machine grants numbers"
            raise ApiError(409, "number_not_granted", why) from error
        except NumberTaken as error:
            raise _taken() from error
        if assigned is None:
            raise ApiError(404, "agent_not_found", f"there is no agent {asked.agent_id}")
        return NumberRead.model_validate(assigned)

    @router.delete("/{number}", status_code=204)
    async def free_number(number: Number, who: Identity = manager) -> None:
        """Let nobody answer a number: its callers hear that it does not exist."""
        if not await numbers.free(who.account, route(number)):
            raise _not_found()

    return router


def grants_router(numbers: NumbersRepository, door: Door) -> APIRouter:
    """The routes, for the operator's key alone."""
    router = APIRouter(prefix="/api/v1/accounts/{account_id}/numbers", tags=["accounts"])
    operator = Depends(door.needs_operator())

    @router.get("")
    async def list_granted_numbers(
        account_id: UUID, limit: Limit = 50, after: Cursor = None, who: Identity = operator
    ) -> Page[NumberRead]:
        """The numbers of an account."""
        return await _page(numbers, account_id, limit, after)

    @router.put("/{number}")
    async def grant_number(account_id: UUID, number: Number, who: Identity = operator) -> NumberRead:
        """Let an account have a number: its people say which of their agents answers it."""
        try:
            granted = await numbers.grant(account_id, Numeral(route(number), number))
        except NumberTaken as error:
            raise _taken() from error
        if granted is None:
            raise ApiError(404, "account_not_found", f"there is no account {account_id}")
        return NumberRead.model_validate(granted)

    @router.delete("/{number}", status_code=204)
    async def take_number_back(account_id: UUID, number: Number, who: Identity = operator) -> None:
        """Let an account have a number no more, and nobody answer it."""
        if not await numbers.take_back(account_id, route(number)):
            raise _not_found()

    return router


async def _page(numbers: NumbersRepository, account: UUID, limit: int, after: str | None) -> Page[NumberRead]:
    found = await numbers.page(account, limit + 1, key_of(after, str))
    return paged(found, limit, NumberRead.model_validate, lambda number: (number.number,))


def _taken() -> ApiError:
    return ApiError(409, "number_taken", "this number is another account's")


def _not_found() -> ApiError:
    return ApiError(404, "number_not_found", "the account has no such number")
