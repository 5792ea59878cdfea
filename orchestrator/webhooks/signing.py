"""Signatures of messages. Source: Standard Webhooks 1.0, symmetric signatures (standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A secret as receivers keep it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed(message: str, at: int, body: bytes, keys: Iterable[str]) -> dict[str, str]:
    """The headers of the message with that id, sent at *at* (UNIX seconds), under each of the secrets *keys*."""
    signatures = " ".join(f"v1,{_signature(message, at, body, key)}" for key in keys)
    return {"webhook-id": message, "webhook-timestamp": str(at), "webhook-signature": signatures}


def verified(headers: Mapping[str, str], body: bytes, secret: str, now: float, tolerance: float = 300.0) -> bool:
    """Whether *body* came from who has *secret*, within *tolerance* seconds. headers: names in lower case."""
    try:
        at = int(headers["webhook-timestamp"])
        wanted = _signature(headers["webhook-id"], at, body, secret)
    except (KeyError, ValueError, binascii.Error):
        return False
    shown = [part.partition(",")[2] for part in headers.get("webhook-signature", "").split() if part.startswith("v1,")]
    return abs(now - at) <= tolerance and any(hmac.compare_digest(wanted.encode(), one.encode()) for one in shown)


def _signature(message: str, at: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    return base64.b64encode(hmac.digest(key, f"{message}.{at}.".encode() + body, hashlib.sha256)).decode()
