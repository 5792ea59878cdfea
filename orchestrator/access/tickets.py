"""Tickets: what a browser shows to open a WebSocket, whose URL ends up in logs and so must not hold a token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.access.roles import Permission, Role
from orchestrator.access.tokens import Identity, new_refresh_token, token_hash
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError
from orchestrator.store.tickets_repository import TicketHolder, TicketsRepository

TICKET_SECONDS = 30


class Tickets:
    """Gives tickets and takes them back. now: seconds since 1970."""

    def __init__(self, repository: TicketsRepository, now: Clock) -> None:
        self._repository = repository
        self._now = now

    async def give(self, identity: Identity) -> str:
        """A ticket that speaks for *identity* once, within TICKET_SECONDS."""
        ticket, now = new_refresh_token(), self._time()
        permissions = None if identity.permissions is None else tuple(identity.permissions)
        holder = TicketHolder(
            identity.account, identity.user, identity.session, identity.role.value, identity.key, permissions
        )
        await self._repository.keep(token_hash(ticket), holder, now + timedelta(seconds=TICKET_SECONDS), now)
        return ticket

    async def take(self, ticket: str) -> Identity:
        """Whom *ticket* speaks for; it is worth nothing from now on. Raises ApiError 401 "bad_ticket"."""
        holder = await self._repository.take(token_hash(ticket), self._time())
        if holder is None:
            raise ApiError(401, "bad_ticket", "the ticket is unknown, was used, or has expired; take another")
        permissions = None if holder.permissions is None else frozenset(map(Permission, holder.permissions))
        return Identity(holder.user, holder.account, Role(holder.role), holder.session, holder.key, permissions)

    def _time(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)
