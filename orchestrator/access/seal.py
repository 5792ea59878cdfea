"""What a row says only to who has the installation's key: a copy of the database does not tell it."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12  # NIST SP 800-38D, section 5.2.1.1


class Seal:
    """Marks and seals under keys derived from *key*, for one *purpose*. Source: HKDF, RFC 5869."""

    def __init__(self, key: bytes, purpose: str) -> None:
        derived = HKDF(SHA256(), 64, None, f"offhook {purpose}".encode()).derive(key)
        self._mark = derived[:32]
        self._cipher = AESGCM(derived[32:])

    def mark(self, *parts: bytes) -> bytes:
        """32 bytes that are the same for the same *parts*, and tell nothing of them."""
        told = hmac.new(self._mark, digestmod=hashlib.sha256)
        for part in parts:
            told.update(len(part).to_bytes(8, "big"))
            told.update(part)
        return told.digest()

    def close(self, content: bytes, place: bytes) -> bytes:
        """*content*, unreadable. place: where it is kept; nowhere else does it open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes | None:
        """What was closed at *place*; None when it was changed, moved, or closed under another key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            return None
