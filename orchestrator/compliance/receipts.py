"""Receipts of erasures: what was erased, signed with a key of the installation, for whoever asked and for auditors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from orchestrator.core.errors import VoiceError

Document: TypeAlias = Mapping[str, Any]

ALGORITHM: Final = "Ed25519"
# A number has ten digits or so: whoever tries them all pays for each. 16 MiB and some 50 ms; RFC 7914, section 2.
_SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1}
_SALT_BYTES, _HASH_BYTES = 16, 32


class BadReceipt(VoiceError):
    """It is no receipt, was changed since it was signed, or was signed by somebody else."""


class ReceiptKey:
    """Signs receipts. key: as orchestrator.access.keys keeps it."""

    def __init__(self, key: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(
            hashlib.sha256(f"offhook receipts {key}".encode()).digest()
        )

    @property
    def public(self) -> str:
        """What verifies its signatures, in base64."""
        return _text(self._private.public_key().public_bytes_raw())

    def sign(self, receipt: Document) -> Document:
        """*receipt* with its signature. Source: RFC 8032."""
        signature = self._private.sign(_canonical(receipt))
        return {"receipt": receipt, "algorithm": ALGORITHM, "public_key": self.public, "signature": _text(signature)}


def verify(document: Any, public: str) -> Document:
    """The receipt in *document*, signed by the key *public*. Raises BadReceipt that says what is wrong."""
    try:
        receipt, key, signature = document["receipt"], document["public_key"], document["signature"]
        if document["algorithm"] != ALGORITHM or not isinstance(receipt, dict):
            raise BadReceipt(f"it is not signed with {ALGORITHM}")
        if key != public:
            raise BadReceipt("it was signed with another key than this installation's")
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(
            base64.b64decode(signature), _canonical(receipt)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadReceipt("it is no receipt") from error
    except InvalidSignature as error:
        raise BadReceipt("it is not what was signed") from error
    return receipt


def hashed(number: str) -> Document:
    """What a receipt says of *number*: whoever knows it can tell that it is this one."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return {"scheme": "scrypt", **_SCRYPT, "salt": _text(salt), "hash": _text(_hash(number, salt))}


def is_of(receipt: Document, number: str) -> bool:
    """Whether *receipt* is of *number*."""
    try:
        told = receipt["caller"]
        return hmac.compare_digest(_hash(number, base64.b64decode(told["salt"])), base64.b64decode(told["hash"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadReceipt("it names no caller") from error


def _hash(number: str, salt: bytes) -> bytes:
    return hashlib.scrypt(number.encode(), salt=salt, dklen=_HASH_BYTES, maxmem=2**26, **_SCRYPT)


def _canonical(receipt: Document) -> bytes:
    return json.dumps(receipt, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
