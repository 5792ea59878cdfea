"""Access tokens (JWT, RFC 7519) and refresh tokens.

An access token is believed without asking the database, so it lives for minutes; a refresh token is random, good once,
and known to the database by its hash alone.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from uuid import UUID

import jwt

from orchestrator.access.roles import GRANTED, Permission, Role
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError

ACCESS_SECONDS = 600
_ALGORITHM = "HS256"
_ISSUER = "offhook"
_KEY_BYTES = 32  # RFC 7518, section 3.2: at least as long as the hash


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. user, session: None for a program, and for an operator on the machine itself, who has not signed in.

    key: the API key that a program showed; permissions: what it may do, None for everything that the role may.
    """

    user: UUID | None
    account: UUID
    role: Role
    session: UUID | None
    key: UUID | None = None
    permissions: frozenset[Permission] | None = None

    @property
    def is_operator(self) -> bool:
        """Whether it is whoever runs the machine."""
        return self.user is None and self.key is None

    def may(self, permission: Permission) -> bool:
        """Whether this is allowed."""
        return permission in GRANTED[self.role] and (self.permissions is None or permission in self.permissions)

    @property
    def asker(self) -> str | None:
        """A name for the user or key, among all; None for the machine's operator."""
        if self.key is not None:
            return f"key:{self.key}"
        return f"user:{self.user}" if self.user is not None else None

    @property
    def allowed(self) -> frozenset[Permission]:
        """Everything that is."""
        return frozenset(permission for permission in Permission if self.may(permission))


class AccessTokens:
    """Signs identities with *key*, at least 32 bytes, and reads them back."""

    def __init__(self, key: bytes, now: Clock = time.time) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError(f"a token key has at least {_KEY_BYTES} bytes")
        self._key = key
        self._now = now

    def issue(self, identity: Identity) -> str:
        """A token that says so for ACCESS_SECONDS."""
        now = int(self._now())
        claims = {
            "iss": _ISSUER,
            "sub": str(identity.user),
            "account": str(identity.account),
            "role": identity.role.value,
            "session": str(identity.session),
            "iat": now,
            "exp": now + ACCESS_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> Identity:
        """Whom *token* speaks for. Raises ApiError 401, "token_expired" or "bad_token"."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                # The expiry is compared below, with the clock that issued it.
                options={
                    "require": ["exp", "sub", "account", "role", "session"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            identity = Identity(
                UUID(claims["sub"]), UUID(claims["account"]), Role(claims["role"]), UUID(claims["session"])
            )
            expires = int(claims["exp"])
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
            raise ApiError(401, "bad_token", "the access token was not issued here") from error
        if expires <= self._now():
            raise ApiError(401, "token_expired", "the access token has expired; refresh it")
        return identity


def new_refresh_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is kept of a refresh token. It is random, so one round is enough."""
    return hashlib.sha256(token.encode()).digest()
