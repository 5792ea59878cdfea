"""`Idempotency-Key`: a POST that is sent again gets the answer of the first, and takes no effect a second time.

Source: draft-ietf-httpapi-idempotency-key-header-07. Plain ASGI; what carries no key passes untouched.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.access.seal import Seal
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door, check
from orchestrator.api.errors import http_problem, is_outcome_unknown, problem
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError, StoreUnavailable
from orchestrator.store.idempotency_repository import IdempotencyRepository, Kept, Place

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEY_PATTERN: Final = r"^[!-~]{1,255}$"
# Tokens and tickets are never kept, not even sealed.
NEVER: Final = "/api/v1/auth/"
KEPT_FOR: Final = timedelta(hours=24)
# Longer than any request takes: one without an answer by then was cut.
LONGEST: Final = timedelta(seconds=60)
_KEPT_HEADERS: Final = {b"content-type", b"content-length", b"location"}

log = structlog.get_logger(__name__)


def shows_secret(request: Request) -> None:
    """A dependency of routes whose answer holds a secret that is shown once: it is not kept."""
    request.state.secret = True


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What keeps requests. seal: so that the database does not tell their content; now: seconds since 1970."""

    door: Door
    repository: IdempotencyRepository
    seal: Seal
    now: Clock

    def place(self, who: Identity, key: str) -> Place:
        """Where the request of *who* under *key* is kept: nobody else's key is ever the same."""
        return Place(who.account, self.seal.mark((who.asker or "operator").encode(), key.encode()))

    def time(self) -> datetime:
        """This moment."""
        return datetime.fromtimestamp(self.now(), UTC)


@dataclass(slots=True)
class _Answer:
    """What the application said. needs: what who asks must have, as of Door; secret: whether none of it may be kept."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    needs: str | None = None
    secret: bool = False

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def give(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})

    def packed(self) -> bytes:
        if self.secret:
            return json.dumps({"needs": self.needs, "secret": True}).encode()
        kept = [(name.decode(), value.decode()) for name, value in self.headers if name in _KEPT_HEADERS]
        body = b64encode(self.body).decode()
        return json.dumps({"needs": self.needs, "status": self.status, "headers": kept, "body": body}).encode()

    @classmethod
    def unpacked(cls, packed: bytes) -> _Answer:
        said = json.loads(packed)
        if said.get("secret"):
            return cls(needs=said["needs"], secret=True)
        headers = [(name.encode(), value.encode()) for name, value in said["headers"]]
        headers.append((REPLAYED.lower().encode(), b"true"))
        return cls(said["status"], headers, b64decode(said["body"]), said["needs"])


@dataclass(frozen=True, slots=True)
class IdempotentPosts:
    """The middleware. Whoever is not let in, or has no key, is left to the application."""

    app: ASGIApp
    idempotency: Idempotency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        key = Headers(scope=scope).get(HEADER) if scope["type"] == "http" and scope["method"] == "POST" else None
        if key is None or scope["path"].startswith(NEVER):
            await self.app(scope, receive, send)
            return
        try:
            who = await self.idempotency.door.enter(Request(scope))
        except (ApiError, StoreUnavailable):
            await self.app(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive, who, key)
        except ApiError as error:
            await problem(error.status, error.code, str(error), error.headers)(scope, receive, send)
        except HTTPException as error:
            await http_problem(error)(scope, receive, send)
        except StoreUnavailable:
            await problem(503, "store_unavailable", "the database does not answer; try again soon")(
                scope, receive, send
            )
        else:
            await answer.give(send)

    async def _answer(self, scope: Scope, receive: Receive, who: Identity, key: str) -> _Answer:
        if not re.fullmatch(KEY_PATTERN, key):
            raise ApiError(422, "bad_idempotency_key", f"{HEADER}: 1 to 255 visible ASCII characters, such as a UUID")
        body = await _read(receive)
        keep, now = self.idempotency, self.idempotency.time()
        place = keep.place(who, key)
        kind = Headers(scope=scope).get("content-type", "")
        request = keep.seal.mark(scope["path"].encode(), scope["query_string"], kind.encode(), body)
        before = await keep.repository.claim(place, Kept(request, now + LONGEST, None), now + KEPT_FOR, now)
        if before is None:
            return await self._run(scope, receive, body, place)
        answer = self._again(before, request, place)
        # What they might then, they may not be allowed any more.
        check(who, answer.needs)
        if answer.secret:
            raise ApiError(409, "answer_not_kept", "it took effect, and its answer held a secret, which is shown once")
        return answer

    def _again(self, before: Kept, request: bytes, place: Place) -> _Answer:
        """The answer that *before* got. Raises ApiError 409, 422."""
        if before.request != request:
            raise ApiError(422, "idempotency_key_reused", f"this {HEADER} came with another request; take a new one")
        if before.answer is None and before.running_until > self.idempotency.time():
            why = "the first request with this key is going on; try again soon"
            raise ApiError(409, "request_in_progress", why, {"Retry-After": "1"})
        packed = self.idempotency.seal.open(before.answer, place.key) if before.answer is not None else None
        if packed is None:
            why = "the first request with this key was cut; look whether it took effect, and take a new key if not"
            raise ApiError(409, "outcome_unknown", why)
        return _Answer.unpacked(packed)

    async def _run(self, scope: Scope, receive: Receive, body: bytes, place: Place) -> _Answer:
        """What the application answers, kept before anybody sees it."""
        given, answer = False, _Answer()

        async def give() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            await self.app(scope, give, answer.take)
        except Exception:  # the outer edge tells it as 500
            await self._keep(scope, answer, place)
            raise
        await self._keep(scope, answer, place)
        return answer

    async def _keep(self, scope: Scope, answer: _Answer, place: Place) -> None:
        keep = self.idempotency
        try:
            if 200 <= answer.status < 300:
                state = scope.get("state", {})
                answer.needs, answer.secret = state.get("needs"), state.get("secret", False)
                await keep.repository.answer(place, keep.seal.close(answer.packed(), place.key))
            elif answer.status == 0 or is_outcome_unknown(scope):
                await keep.repository.lose(place, keep.time())
            else:
                await keep.repository.let_go(place)
        except StoreUnavailable as error:
            # The row stays as one that was cut: the request is not done again.
            log.warning("answer_not_kept", error=str(error))


async def _read(receive: Receive) -> bytes:
    """The whole body. Its length has its limit further out."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "the body was cut")
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)
