"""`WS /ws/calls` and `WS /ws/calls/{call_id}`: calls as they happen."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from orchestrator.access.roles import Permission
from orchestrator.api.audit.middleware import Audit
from orchestrator.api.door import Door
from orchestrator.api.live.hub import LiveHub, TooSlow
from orchestrator.api.live.messages import message
from orchestrator.api.sockets import TRY_AGAIN
from orchestrator.core.errors import StoreUnavailable

_SIGN_IN_AGAIN = 4001
# Whoever lost a right keeps a view for so long at most.
_LONGEST = 3600.0
_READY = '{"type":"ready"}'

log = structlog.get_logger(__name__)

Ticket = Annotated[str, Query(max_length=128)]
After = Annotated[int | None, Query(ge=0, le=2**63 - 1)]


@dataclass(frozen=True, slots=True)
class LiveDoor:
    """Where live viewers come in, with a ticket that was given to somebody who may read calls."""

    hub: LiveHub
    door: Door
    audit: Audit

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter()

        @router.websocket("/ws/calls")
        async def watch_calls(socket: WebSocket, ticket: Ticket, after: After = None) -> None:
            await self._show(socket, ticket, after, None)

        @router.websocket("/ws/calls/{call_id}")
        async def watch_call(socket: WebSocket, call_id: UUID, ticket: Ticket, after: After = None) -> None:
            await self._show(socket, ticket, after, call_id)

        return router

    async def _show(self, socket: WebSocket, ticket: str, after: int | None, call: UUID | None) -> None:
        who = await self.door.admitted(socket, ticket, Permission.READ_CALLS)
        if who is None:
            return
        socket.state.identity = who
        await self.audit.keep(socket.scope)
        await socket.accept()
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._tell(socket, who.account, after, call))
            # Viewers have nothing to say; hearing tells when they go.
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass
            telling.cancel()

    async def _tell(self, socket: WebSocket, account: UUID, after: int | None, call: UUID | None) -> None:
        try:
            async with asyncio.timeout(_LONGEST), aclosing(self.hub.follow(account, after, call)) as feed:
                async for changes in feed:
                    for change in changes:
                        await socket.send_text(message(change))
                    if not changes:
                        await socket.send_text(_READY)
        except TooSlow as error:
            await socket.close(TRY_AGAIN, str(error))
        except StoreUnavailable:
            await socket.close(TRY_AGAIN, "the database does not answer; try again soon")
        except TimeoutError:
            await socket.close(_SIGN_IN_AGAIN, "take another ticket, and go on after the last id")
        except (WebSocketDisconnect, RuntimeError):
            log.debug("viewer_gone", account=str(account))
