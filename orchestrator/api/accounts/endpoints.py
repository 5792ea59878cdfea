"""`/api/v1/accounts`: the tenants of the installation, for whoever runs the machine."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from orchestrator.access.passwords import Passwords
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, moment_and_id, paged
from orchestrator.api.schemas import Asked, Told
from orchestrator.api.users.schemas import NewUser
from orchestrator.core.errors import ApiError
from orchestrator.store.accounts_repository import AccountsRepository, FirstAdmin
from orchestrator.store.users_repository import EmailTaken


class AccountCreate(Asked):
    """A new account, and who runs it."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    admin: NewUser


class AccountRead(Told):
    """An account."""

    id: UUID
    name: str
    created_at: datetime


def accounts_router(accounts: AccountsRepository, passwords: Passwords, door: Door) -> APIRouter:
    """The routes, for the operator's key alone."""
    router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])
    operator = Depends(door.needs_operator())

    @router.get("")
    async def list_accounts(limit: Limit = 50, after: Cursor = None, who: Identity = operator) -> Page[AccountRead]:
        """The accounts, the oldest first."""
        found = await accounts.page(limit + 1, key_of(after, moment_and_id))
        return paged(found, limit, AccountRead.model_validate, lambda one: (one.created_at, one.id))

    @router.post("", status_code=201)
    async def add_account(asked: AccountCreate, who: Identity = operator) -> AccountRead:
        """A new account. Its admin signs in, adds others, and sees nothing of any other account."""
        admin = asked.admin
        hashed = await passwords.hash(admin.password.get_secret_value())
        try:
            added = await accounts.add(asked.name, FirstAdmin(admin.email, admin.name, hashed))
        except EmailTaken as error:
            raise ApiError(409, "email_taken", "somebody has this address already") from error
        return AccountRead.model_validate(added)

    return router
