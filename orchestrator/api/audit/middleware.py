"""Whatever changes something over the API is in the audit log, without its route having to think of it.

Plain ASGI. What failed, and what was only read, is not there, but for reading what a caller said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.access.tokens import Identity
from orchestrator.core.audit import ActorKind, Deed
from orchestrator.core.clock import Clock
from orchestrator.core.errors import StoreUnavailable
from orchestrator.store.audit_repository import AuditRepository

_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Reads that show what a caller said.
READS: Final = frozenset({"get_call", "get_recording"})
# A list shows no words, unless some were looked for.
SEARCH: Final = "list_calls"
# Nothing is done by these, and they come all the time.
UNTOLD: Final = frozenset({"refresh", "give_ticket"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Audit:
    """Where deeds are kept. now: seconds since 1970."""

    repository: AuditRepository
    now: Clock

    async def keep(self, scope: Scope) -> None:
        """Note what the request in *scope* did. A database that is away keeps nobody from what is done already."""
        state = scope.get("state", {})
        who: Identity | None = state.get("identity")
        endpoint = scope.get("endpoint")
        if who is None or endpoint is None:
            return
        kind: ActorKind = "key" if who.key is not None else "user" if who.user is not None else "operator"
        deed = Deed(
            account=who.account,
            actor_kind=kind,
            actor=who.key or who.user,
            action=endpoint.__name__,
            subject={name: str(value) for name, value in scope.get("path_params", {}).items()} | state.get("noted", {}),
            request=str(structlog.contextvars.get_contextvars().get("request", "")),
        )
        try:
            await self.repository.append(deed, datetime.fromtimestamp(self.now(), UTC))
        except StoreUnavailable as error:
            log.error("deed_not_kept", action=deed.action, reason=str(error))  # noqa: TRY400 - the database's fault


def note_values(request: Request, values: Mapping[str, object]) -> None:
    """Let the entry of *request* say what it has set. values: never a caller's name or words."""
    request.state.noted = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class AuditedRequests:
    """The middleware."""

    app: ASGIApp
    audit: Audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what it did is kept before anybody is told."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400 and _is_told(scope):
                await self.audit.keep(scope)
            await send(message)

        await self.app(scope, receive, tell)


def _is_told(scope: Scope) -> bool:
    name = getattr(scope.get("endpoint"), "__name__", "")
    if name == SEARCH:
        return "q" in parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return name in READS or (scope["method"] in _CHANGING and name not in UNTOLD)
