"""Master keys: what the data keys of accounts are wrapped with. One of this installation's own, or one in Vault."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from orchestrator.core.errors import ConfigError, RecordingDamaged, RecordingUnavailable

_NONCE_BYTES: Final = 12
_LEAST: Final = 32
_PATIENCE: Final = 5.0


class MasterKey(Protocol):
    """Wraps small secrets. id: tells it from others."""

    id: str

    async def wrap(self, secret: bytes, context: bytes) -> bytes:
        """*secret*, good under the same *context* alone. Raises RecordingUnavailable."""
        ...

    async def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """What was wrapped. Raises RecordingDamaged, RecordingUnavailable."""
        ...


def sealed_secret(key: bytes, secret: bytes, context: bytes) -> bytes:
    """*secret* under AES-256-GCM: a random nonce, then the rest."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, context)


def opened_secret(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """What sealed_secret was given. Raises RecordingDamaged for another key, context or content."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise RecordingDamaged("a wrapped key does not open with this master key") from error


class LocalMaster:
    """A key that this installation keeps. text: at least 32 random characters. Raises ConfigError for fewer."""

    def __init__(self, text: str) -> None:
        if len(text) < _LEAST:
            raise ConfigError(f"the master key has {len(text)} characters; it needs at least {_LEAST} random ones")
        # RFC 5869: the text may be any string of enough entropy.
        self._key = HKDF(SHA256(), 32, salt=None, info=b"offhook master key").derive(text.encode())
        self.id = f"local:{hashlib.sha256(b'offhook master id' + self._key).hexdigest()[:12]}"

    async def wrap(self, secret: bytes, context: bytes) -> bytes:
        """See MasterKey."""
        return sealed_secret(self._key, secret, context)

    async def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """See MasterKey."""
        return opened_secret(self._key, wrapped, context)


@dataclass(frozen=True, slots=True)
class Vault:
    """Where the key is. address: URL; token: a file, read at each use, for agents renew it; mount: of transit."""

    address: str
    token: Path
    key: str = "offhook"
    mount: str = "transit"


class VaultMaster:
    """A key that never leaves Vault's transit engine.

    Source: Vault's HTTP API, /v1/<mount>/encrypt/<key> and decrypt/<key>, with associated_data for AEAD keys.
    """

    def __init__(self, vault: Vault) -> None:
        self.id = f"vault:{vault.mount}/{vault.key}"
        self._vault = vault

    async def wrap(self, secret: bytes, context: bytes) -> bytes:
        """See MasterKey."""
        answer = await self._ask("encrypt", {"plaintext": _text(secret), "associated_data": _text(context)})
        return answer["ciphertext"].encode()

    async def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """See MasterKey."""
        asked = {"ciphertext": wrapped.decode("ascii", "replace"), "associated_data": _text(context)}
        return base64.b64decode((await self._ask("decrypt", asked))["plaintext"])

    async def _ask(self, verb: str, asked: dict[str, str]) -> dict[str, str]:
        url = f"{self._vault.address.rstrip('/')}/v1/{self._vault.mount}/{verb}/{self._vault.key}"
        try:
            token = self._vault.token.read_text(encoding="utf-8").strip()
            async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as client:
                answer = await client.post(url, json=asked, headers={"X-Vault-Token": token})
            if answer.status_code == httpx.codes.BAD_REQUEST:
                raise RecordingDamaged(f"Vault does not {verb} it with {self.id}")
            data: dict[str, str] = answer.raise_for_status().json()["data"]
        except (OSError, httpx.HTTPError, ValueError, KeyError) as error:
            raise RecordingUnavailable(f"Vault does not answer: {type(error).__name__}") from error
        return data


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
