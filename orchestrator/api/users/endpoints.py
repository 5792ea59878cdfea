"""`/api/v1/users`: who is in the account."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends

from orchestrator.access.passwords import Passwords
from orchestrator.access.roles import Permission
from orchestrator.access.sessions import Sessions
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.users.schemas import PasswordReset, UserCreate, UserRead
from orchestrator.core.errors import ApiError
from orchestrator.store.users_repository import EmailTaken, UsersRepository


def users_router(users: UsersRepository, passwords: Passwords, sessions: Sessions, door: Door) -> APIRouter:
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

    @router.post("/{user_id}/password", status_code=204)
    async def reset_password(user_id: UUID, asked: PasswordReset, who: Identity = admin) -> None:
        """Give a user of the account another password, and let them in again at once if they were locked out."""
        if not await sessions.reset_password(user_id, who.account, asked.password.get_secret_value()):
            raise ApiError(404, "user_not_found", f"there is no user {user_id}")

    return router
