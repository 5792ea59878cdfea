"""`/api/v1/trunks`: carriers and PBXs that an account is called by, and calls out through."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends

from orchestrator.access.roles import Permission
from orchestrator.access.seal import Seal
from orchestrator.access.tokens import Identity
from orchestrator.account_trunks import AccountTrunks
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, paged
from orchestrator.api.trunks.rules import MOST_TRUNKS, altered, check, find_room, made, refusals
from orchestrator.api.trunks.schemas import TrunkChange, TrunkCreate, TrunkRead
from orchestrator.api.trunks.shown import OperatorTrunks, own
from orchestrator.core.errors import ApiError
from orchestrator.store.trunks_repository import TrunksRepository


def trunks_router(
    stored: TrunksRepository, trunks: AccountTrunks, operator: OperatorTrunks, seal: Seal, door: Door
) -> APIRouter:
    """The routes, for admins."""
    router = APIRouter(prefix="/api/v1/trunks", tags=["trunks"])
    manager = Depends(door.needs(Permission.MANAGE_TRUNKS))

    @router.get("")
    async def list_trunks(limit: Limit = 50, after: Cursor = None, who: Identity = manager) -> Page[TrunkRead]:
        """The trunks of the account: the operator's, which are read only, then its own, by their names."""
        registrations = await trunks.registrations()
        found = [
            *(operator.read(one, registrations) for one in operator.of(who.account)),
            *(own(one, trunks, registrations) for one in await stored.all_of(who.account)),
        ]
        found.sort(key=_place)
        behind = key_of(after, _place_in)
        rest = [one for one in found if behind is None or _place(one) > behind]
        return paged(rest[: limit + 1], limit, lambda one: one, _place)

    @router.post("", status_code=201)
    async def make_trunk(asked: TrunkCreate, who: Identity = manager) -> TrunkRead:
        """Register at a carrier, or let a PBX call in, from now on. The password is never told again."""
        one = made(asked, who.account, seal)
        check(one, trunks, operator)
        find_room(one, None, trunks)
        with refusals(one):
            return own(await stored.add(one, MOST_TRUNKS), trunks, {})

    @router.get("/{trunk_id}")
    async def get_trunk(trunk_id: UUID, who: Identity = manager) -> TrunkRead:
        """One of the account's own."""
        found = await stored.find(who.account, trunk_id)
        if found is None:
            raise _not_found(trunk_id)
        return own(found, trunks, await trunks.registrations())

    @router.patch("/{trunk_id}")
    async def change_trunk(trunk_id: UUID, asked: TrunkChange, who: Identity = manager) -> TrunkRead:
        """Change what is given. Calls that run go on. Whoever sends its password elsewhere must know it."""
        found = await stored.find(who.account, trunk_id)
        if found is None:
            raise _not_found(trunk_id)
        one = altered(found, asked, seal)
        check(one, trunks, operator)
        find_room(one, found, trunks)
        with refusals(one):
            changed = await stored.change(one)
        if changed is None:
            raise _not_found(trunk_id)
        return own(changed, trunks, await trunks.registrations())

    @router.delete("/{trunk_id}", status_code=204)
    async def remove_trunk(trunk_id: UUID, who: Identity = manager) -> None:
        """Unregister, and take no call by it any more. Those that run go on."""
        if not await stored.remove(who.account, trunk_id):
            raise _not_found(trunk_id)

    return router


def _place(one: TrunkRead) -> tuple[bool, str]:
    """Where it stands in the list."""
    return one.origin == "account", one.name


def _place_in(own: str, name: str) -> tuple[bool, str]:
    return own == str(True), name


def _not_found(trunk: UUID) -> ApiError:
    return ApiError(404, "trunk_not_found", f"there is no trunk {trunk}")
