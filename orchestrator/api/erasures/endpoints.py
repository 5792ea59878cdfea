"""`/api/v1/erasures`: callers who want to be forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.agents import NUMBER
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, moment_and_id, paged
from orchestrator.api.schemas import Asked, Told
from orchestrator.compliance.erasure import Requests
from orchestrator.core.errors import ApiError
from orchestrator.store.erasures_repository import ErasuresRepository, StoredErasure


class ErasureAsk(Asked):
    """caller: a number with its country, such as +33612345678, or what the list of calls shows of them."""

    caller: Annotated[str, Field(max_length=64, pattern=NUMBER)]


class ErasureRead(Told):
    """One. state: asked, waiting for what `waits_for` says, or finished; receipt: what was erased, signed."""

    id: UUID
    state: Literal["asked", "waiting", "finished"]
    waits_for: Literal["call", "spool"] | None
    asked_at: datetime
    finished_at: datetime | None
    receipt: dict[str, Any] | None


def erasures_router(erasures: ErasuresRepository, requests: Requests, door: Door) -> APIRouter:
    """The routes, for admins."""
    router = APIRouter(prefix="/api/v1/erasures", tags=["privacy"])
    admin = Depends(door.needs(Permission.MANAGE_PRIVACY))

    @router.get("")
    async def list_erasures(limit: Limit = 50, after: Cursor = None, who: Identity = admin) -> Page[ErasureRead]:
        """The erasures of the account, the latest first."""
        found = await erasures.page(who.account, limit + 1, key_of(after, moment_and_id))
        return paged(found, limit, _told, lambda one: (one.asked_at, one.id))

    @router.post("", status_code=202)
    async def forget_caller(asked: ErasureAsk, who: Identity = admin) -> ErasureRead:
        """Erase every call with somebody, and all that is kept of it, for good.

        A call that goes on is erased at its end. The number itself is not kept: the receipt says it by a hash.
        """
        try:
            return _told(await requests.ask(who.account, asked.caller))
        except ValueError as error:
            raise ApiError(422, "no_caller", f"caller: {error}") from error

    @router.get("/{erasure_id}")
    async def get_erasure(erasure_id: UUID, who: Identity = admin) -> ErasureRead:
        """One erasure, with its receipt once it is finished."""
        found = await erasures.get(who.account, erasure_id)
        if found is None:
            raise ApiError(404, "erasure_not_found", f"there is no erasure {erasure_id}")
        return _told(found)

    return router


def _told(erasure: StoredErasure) -> ErasureRead:
    waiting: Literal["waiting", "asked"] = "waiting" if erasure.waits_for is not None else "asked"
    return ErasureRead(
        id=erasure.id,
        state="finished" if erasure.finished_at is not None else waiting,
        waits_for=erasure.waits_for,
        asked_at=erasure.asked_at,
        finished_at=erasure.finished_at,
        receipt=None if erasure.receipt is None else dict(erasure.receipt),
    )
