"""Links that play one recording for a while, without any other proof."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError

SECONDS: Final = 900
_BODY: Final = struct.Struct(">16s16sQ")


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link is good for."""

    account: UUID
    call_id: UUID
    expires: int


class Links:
    """Signs with a key that is derived from *key*, for nothing else. now: seconds since 1970."""

    def __init__(self, key: bytes, now: Clock) -> None:
        self._key = hmac.digest(key, b"offhook recording links 1", hashlib.sha256)
        self._now = now

    def issue(self, account: UUID, call_id: UUID) -> tuple[str, int]:
        """A link, as URL-safe text, and when it expires."""
        expires = int(self._now()) + SECONDS
        body = _BODY.pack(account.bytes, call_id.bytes, expires)
        return base64.urlsafe_b64encode(body + self._sign(body)).decode().rstrip("="), expires

    def read(self, link: str) -> Linked:
        """What it is good for. Raises ApiError 401, "bad_link" or "link_expired"."""
        try:
            data = base64.b64decode(link.encode("ascii") + b"=" * (-len(link) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            data = b""
        body, signature = data[: _BODY.size], data[_BODY.size :]
        if not hmac.compare_digest(self._sign(body), signature):
            raise ApiError(401, "bad_link", "the link was not made here; ask for the recording of the call again")
        account, call_id, expires = _BODY.unpack(body)
        if expires <= self._now():
            raise ApiError(401, "link_expired", "the link has expired; ask for the recording of the call again")
        return Linked(UUID(bytes=account), UUID(bytes=call_id), expires)

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)
