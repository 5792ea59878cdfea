"""Who asks, and whether they may: what every route under /api/v1 but signing in begins with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from secrets import compare_digest
from typing import Final

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from orchestrator.access.api_keys import PREFIX, ApiKeys
from orchestrator.access.roles import Permission, Role
from orchestrator.access.tickets import Tickets
from orchestrator.access.tokens import AccessTokens, Identity
from orchestrator.core.errors import ApiError
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT

_OPERATOR: Final = Identity(None, DEFAULT_ACCOUNT, Role.ADMIN, None)

Guard = Callable[..., Awaitable[Identity]]


class Door:
    """Reads bearer tokens. operator_key: speaks for whoever runs the machine, an admin of the first account."""

    def __init__(self, tokens: AccessTokens, keys: ApiKeys, tickets: Tickets, operator_key: str) -> None:
        self._tokens = tokens
        self._keys = keys
        self._tickets = tickets
        self._operator_key = operator_key.encode()
        self._bearer = HTTPBearer(auto_error=False, description="An access token, an API key, or the operator's key.")

    def needs(self, permission: Permission | None = None) -> Guard:
        """A dependency that gives who asks, if they have *permission*. Raises ApiError 401, 403."""

        bearer = Depends(self._bearer)

        async def identity(credentials: HTTPAuthorizationCredentials | None = bearer) -> Identity:
            found = await self._identity(credentials)
            if permission is not None:
                _check(found, permission)
            return found

        return identity

    async def give_ticket(self, who: Identity) -> str:
        """What *who* shows to open a WebSocket, once."""
        return await self._tickets.give(who)

    async def take_ticket(self, ticket: str, permission: Permission) -> Identity:
        """Who opens a WebSocket, if they have *permission*. Raises ApiError 401, 403."""
        found = await self._tickets.take(ticket)
        _check(found, permission)
        return found

    async def _identity(self, credentials: HTTPAuthorizationCredentials | None) -> Identity:
        if credentials is None:
            raise ApiError(401, "not_signed_in", "send an access token: Authorization: Bearer <token>")
        if compare_digest(credentials.credentials.encode(), self._operator_key):
            return _OPERATOR
        if credentials.credentials.startswith(PREFIX):
            return await self._keys.read(credentials.credentials)
        return self._tokens.read(credentials.credentials)


def _check(found: Identity, permission: Permission) -> None:
    if not found.may(permission):
        who = "this key" if found.key is not None else found.role.value
        raise ApiError(403, "forbidden", f"{who} may not do this; it needs {permission.value}")
