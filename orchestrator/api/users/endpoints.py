"""`/api/v1/users`: who is in the account."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from orchestrator.access.passwords import Passwords
from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.users.schemas import UserCreate, UserRead
from orchestrator.core.errors import ApiError
from orchestrator.store.users_repository import EmailTaken, UsersRepository


def users_router(users: UsersRepository, passwords: Passwords, door: Door) -> APIRouter:
    """The routes, for admins."""
    router = APIRouter(prefix="/api/v1/users", tags=["users"])
    admin = Depends(door.needs(Permission.MANAGE_USERS))

    @router.get("")
    async def list_users(who: Identity = admin) -> list[UserRead]:
        """The members of the account, the oldest first."""
        return [UserRead.model_validate(member) for member in await users.members(who.account)]

    @router.post("", status_code=201)
    async def add_user(asked: UserCreate, who: Identity = admin) -> UserRead:
        """A new user in the account."""
        hashed = await passwords.hash(asked.password.get_secret_value())
        try:
            added = await users.add(asked.email, asked.name, hashed, who.account, asked.role.value)
        except EmailTaken as error:
            raise ApiError(409, "email_taken", "somebody has this address already") from error
        return UserRead.model_validate(added)

    return router
