"""`/api/v1/contacts`: whom the account knows by their number. Calls say which contact they are with."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.agents import NUMBER
from orchestrator.api.contacts.schemas import ContactChange, ContactCreate, ContactRead
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, moment_and_id, paged
from orchestrator.compliance.callers import Caller, caller_of
from orchestrator.core.errors import ApiError
from orchestrator.store.contacts_repository import ContactsRepository, NewContact

_Number = Annotated[str | None, Query(max_length=64, pattern=NUMBER, description="That one, in any spelling.")]
_Name = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="A part of it.")]


def contacts_router(contacts: ContactsRepository, door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/contacts", tags=["contacts"])
    reader, manager = (
        Depends(door.needs(permission)) for permission in (Permission.READ_CONTACTS, Permission.MANAGE_CONTACTS)
    )

    @router.get("")
    async def list_contacts(
        number: _Number = None, name: _Name = None, limit: Limit = 50, after: Cursor = None, who: Identity = reader
    ) -> Page[ContactRead]:
        """The contacts of the account, the newest first."""
        routed = None if number is None else _of(number).forms[0]
        place = key_of(after, moment_and_id)
        found = await contacts.page(who.account, limit + 1, place, number=routed, name=name)
        return paged(found, limit, ContactRead.model_validate, lambda one: (one.created_at, one.id))

    @router.post("", status_code=201)
    async def make_contact(asked: ContactCreate, who: Identity = manager) -> ContactRead:
        """Know somebody by a number: calls from it and to it say so, those that are over too."""
        person = _of(asked.number)
        new = NewContact(person.forms[0], person.name, asked.name, asked.language, asked.notes)
        made = await contacts.add(who.account, new)
        if made is None:
            raise ApiError(409, "contact_exists", "the account has a contact with this number; change that one")
        return ContactRead.model_validate(made)

    @router.get("/{contact_id}")
    async def get_contact(contact_id: UUID, who: Identity = reader) -> ContactRead:
        """One."""
        found = await contacts.find(who.account, contact_id)
        if found is None:
            raise _not_found(contact_id)
        return ContactRead.model_validate(found)

    @router.patch("/{contact_id}")
    async def change_contact(contact_id: UUID, asked: ContactChange, who: Identity = manager) -> ContactRead:
        """Change what is given. Somebody with another number is another contact."""
        changed = await contacts.change(who.account, contact_id, asked.model_dump(exclude_unset=True))
        if changed is None:
            raise _not_found(contact_id)
        return ContactRead.model_validate(changed)

    @router.delete("/{contact_id}", status_code=204)
    async def remove_contact(contact_id: UUID, who: Identity = manager) -> None:
        """Know them no more. Calls with them stay: an erasure forgets those as well."""
        if not await contacts.remove(who.account, contact_id):
            raise _not_found(contact_id)

    return router


def _of(number: str) -> Caller:
    try:
        return caller_of(number)
    except ValueError as error:
        raise ApiError(422, "bad_number", f"number: {error}") from error


def _not_found(contact: UUID) -> ApiError:
    return ApiError(404, "contact_not_found", f"there is no contact {contact}")
