"""`/api/v1/audit`: who did what, and whether anybody has changed what is written there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, paged
from orchestrator.api.schemas import Told
from orchestrator.core.audit import ActorKind, Entry
from orchestrator.store.audit_repository import AuditRepository

Head = Annotated[
    str | None, Query(pattern=r"^[1-9][0-9]{0,17}:[0-9a-f]{64}$", description="An earlier `head`, to be looked for.")
]


class EntryRead(Told):
    """Something that was done. actor: the user or key, null for the machine's operator; action: the operation's id."""

    seq: int
    at: datetime
    actor_kind: ActorKind
    actor: UUID | None
    action: str
    subject: dict[str, str]
    request: str
    hash: str


class Verification(Told):
    """What was found of the chain. head: `<number>:<hash>` of the last entry, to be kept where nobody changes it.

    broken_at: the first entry that is not as it was written; known: whether the earlier head is still there; null
    when it was erased for its age.
    """

    entries: int
    intact: bool
    broken_at: int | None
    head: str | None
    known: bool | None


def audit_router(audit: AuditRepository, door: Door) -> APIRouter:
    """The routes, for admins."""
    router = APIRouter(prefix="/api/v1/audit", tags=["audit"])
    reader = Depends(door.needs(Permission.READ_AUDIT))

    @router.get("")
    async def list_audit(limit: Limit = 50, after: Cursor = None, who: Identity = reader) -> Page[EntryRead]:
        """What was done in the account, the latest first."""
        found = await audit.page(who.account, limit + 1, key_of(after, _seq))
        return paged(found, limit, _told, lambda entry: (entry.seq,))

    @router.get("/verification")
    async def verify_audit(head: Head = None, who: Identity = reader) -> Verification:
        """Whether the log is as it was written. Compares every entry with the hash of the one before."""
        known = None
        if head is not None:
            number, _, digest = head.partition(":")
            known = int(number), bytes.fromhex(digest)
        found = await audit.verify(who.account, known)
        return Verification(
            entries=found.entries,
            intact=found.broken_at is None and found.known is not False,
            broken_at=found.broken_at,
            head=f"{found.entries}:{found.head.hex()}" if found.entries else None,
            known=found.known,
        )

    return router


def _told(entry: Entry) -> EntryRead:
    deed = entry.deed
    return EntryRead(
        seq=entry.seq,
        at=entry.at,
        actor_kind=deed.actor_kind,
        actor=deed.actor,
        action=deed.action,
        subject=dict(deed.subject),
        request=deed.request,
        hash=entry.digest().hex(),
    )


def _seq(text: str) -> int:
    seq = int(text)
    if not 0 < seq < 2**63:
        raise ValueError("no number of an entry")
    return seq
