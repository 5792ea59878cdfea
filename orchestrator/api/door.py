"""Who asks, and whether they may: what every route under /api/v1 but signing in begins with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from secrets import compare_digest
from typing import Final

from fastapi import Depends, Request, WebSocket
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from orchestrator.access.api_keys import PREFIX, ApiKeys
from orchestrator.access.failed_tries import FailedTries
from orchestrator.access.quotas import Quotas
from orchestrator.access.roles import Permission, Role
from orchestrator.access.tickets import Tickets
from orchestrator.access.tokens import AccessTokens, Identity
from orchestrator.api.edge import answer_headers
from orchestrator.api.parameters import refuse_unknown
from orchestrator.api.sockets import refuse, refuse_for_now
from orchestrator.core.errors import ApiError, StoreUnavailable
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT

OPERATOR_ALONE: Final = "operator"
"""What a route needs that is for whoever runs the machine."""
_OPERATOR: Final = Identity(None, DEFAULT_ACCOUNT, Role.ADMIN, None)

Guard = Callable[..., Awaitable[Identity]]


@dataclass(frozen=True, slots=True)
class Bearers:
    """All that may stand after "Bearer". operator_key: speaks for whoever runs the machine; failed: of keys."""

    tokens: AccessTokens
    keys: ApiKeys
    operator_key: str
    failed: FailedTries

    async def identity(self, token: str | None, host: str) -> Identity:
        """Whom *token* from *host* speaks for. Raises ApiError 401, 429."""
        if token is None:
            raise ApiError(401, "not_signed_in", "send an access token: Authorization: Bearer <token>")
        if compare_digest(token.encode(), self.operator_key.encode()):
            return _OPERATOR
        if token.startswith(PREFIX):
            return self.keys.recall(token) or await self._look_up(token, host)
        return self.tokens.read(token)

    async def _look_up(self, key: str, host: str) -> Identity:
        if self.keys.is_familiar(key):  # whoever guesses next to it does not keep it out
            return await self.keys.read(key)
        with self.failed.counted(host):
            return await self.keys.read(key)


class Door:
    """Lets in whoever shows a bearer token or a ticket, and counts requests."""

    def __init__(self, bearers: Bearers, tickets: Tickets, quotas: Quotas) -> None:
        self._bearers = bearers
        self._tickets = tickets
        self._quotas = quotas
        self._bearer = HTTPBearer(auto_error=False, description="An access token, an API key, or the operator's key.")

    def needs(self, permission: Permission | None = None) -> Guard:
        """A dependency that gives who asks, if they have *permission*. Raises ApiError 401, 403, 422, 429."""

        bearer = Depends(self._bearer)  # tells the OpenAPI document, and reads the header

        async def identity(request: Request, credentials: HTTPAuthorizationCredentials | None = bearer) -> Identity:
            found = await self._enter(request, credentials)
            request.state.needs = permission
            check(found, permission)
            refuse_unknown(request)
            return found

        return identity

    def needs_operator(self) -> Guard:
        """A dependency that gives who asks, if they run the machine. Raises ApiError 401, 403, 422, 429."""

        bearer = Depends(self._bearer)

        async def identity(request: Request, credentials: HTTPAuthorizationCredentials | None = bearer) -> Identity:
            found = await self._enter(request, credentials)
            request.state.needs = OPERATOR_ALONE
            check(found, OPERATOR_ALONE)
            refuse_unknown(request)
            return found

        return identity

    def tried(self, connection: HTTPConnection) -> AbstractContextManager[Callable[[], None]]:
        """A block in which somebody shows what may be unknown, as FailedTries has it. Raises ApiError 429."""
        return self._bearers.failed.counted(host_of(connection))

    async def give_ticket(self, who: Identity) -> str:
        """What *who* shows to open a WebSocket, once."""
        return await self._tickets.give(who)

    async def admitted(self, socket: WebSocket, ticket: str, permission: Permission) -> Identity | None:
        """Who opens *socket*, if they have *permission*; None when it has been refused."""
        try:
            return await self._take_ticket(socket, ticket, permission)
        except ApiError as error:
            await refuse(socket, error)
        except StoreUnavailable:
            await refuse_for_now(socket)
        return None

    async def _take_ticket(self, socket: HTTPConnection, ticket: str, permission: Permission) -> Identity:
        with self.tried(socket):
            found = await self._tickets.take(ticket)
        check(found, permission)
        return found

    async def enter(self, request: Request) -> Identity:
        """Who sends *request*, counted once however often it is asked. Raises ApiError 401, 429."""
        return await self._enter(request, await self._bearer(request))

    async def entered(self, request: Request, access_token: str) -> None:
        """Who sent *request* has just been given *access_token*."""
        request.state.identity = await self._bearers.identity(access_token, host_of(request))

    async def _enter(self, request: Request, credentials: HTTPAuthorizationCredentials | None) -> Identity:
        known: Identity | None = getattr(request.state, "identity", None)
        if known is not None:
            return known
        token = credentials.credentials if credentials is not None else None
        found = await self._bearers.identity(token, host_of(request))
        answer_headers(request.scope).update(self._quotas.take(found))
        request.state.identity = found
        return found


def host_of(connection: HTTPConnection) -> str:
    """The address that *connection* comes from."""
    return connection.client.host if connection.client is not None else ""


def check(found: Identity, needs: str | None) -> None:
    """Raises ApiError 403 unless *found* has the permission *needs*, runs the machine if that is OPERATOR_ALONE."""
    if needs == OPERATOR_ALONE:
        if not found.is_operator:
            raise ApiError(403, "forbidden", "only the operator's key may do this")
    elif needs is not None and not found.may(Permission(needs)):
        who = "this key" if found.key is not None else found.role.value
        raise ApiError(403, "forbidden", f"{who} may not do this; it needs {needs}")
