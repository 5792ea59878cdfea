"""`/api/v1/keys`: keys for programs."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends

from orchestrator.access.api_keys import ApiKeys
from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.idempotency import shows_secret
from orchestrator.api.keys.schemas import KeyCreate, KeyGiven, KeyRead
from orchestrator.api.pages import Cursor, Limit, Page, key_of, moment_and_id, paged
from orchestrator.core.errors import ApiError
from orchestrator.store.keys_repository import KeysRepository


def keys_router(keys: ApiKeys, repository: KeysRepository, door: Door) -> APIRouter:
    """The routes, for admins."""
    router = APIRouter(prefix="/api/v1/keys", tags=["keys"])
    admin = Depends(door.needs(Permission.MANAGE_KEYS))

    @router.get("")
    async def list_keys(limit: Limit = 50, after: Cursor = None, who: Identity = admin) -> Page[KeyRead]:
        """The keys of the account, the newest first."""
        found = await repository.page(who.account, limit + 1, key_of(after, moment_and_id))
        return paged(found, limit, KeyRead.model_validate, lambda one: (one.created_at, one.id))

    @router.post("", status_code=201, dependencies=[Depends(shows_secret)])
    async def make_key(asked: KeyCreate, who: Identity = admin) -> KeyGiven:
        """A new key, which is shown this once."""
        given = await keys.make(who, asked.name, frozenset(asked.permissions), asked.expires_at)
        return KeyGiven.model_validate({**KeyRead.model_validate(given.key).model_dump(), "key": given.secret})

    @router.delete("/{key_id}", status_code=204)
    async def revoke_key(key_id: UUID, who: Identity = admin) -> None:
        """Let a key be worth nothing from now on."""
        if not await keys.revoke(who.account, key_id):
            raise ApiError(404, "key_not_found", f"there is no key {key_id}")

    return router
