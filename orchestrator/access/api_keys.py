"""API keys: bearer tokens for programs, good until they expire or are revoked."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from orchestrator.access.roles import Permission, Role
from orchestrator.access.tokens import Identity, token_hash
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError
from orchestrator.store.keys_repository import ApiKey, KeysRepository, NewKey

PREFIX: Final = "ofk_"
# A program that could let people in, or make keys, could keep itself in for ever.
NEVER: Final = frozenset({Permission.MANAGE_USERS, Permission.MANAGE_KEYS})
# Seconds for which a key is believed without asking the database: so long a revoked one may still be good.
BELIEVED = 1.0
# Seconds for which one that was refused is refused without asking: a key never becomes good again.
_REFUSED = 60.0
_REMEMBERED = 1000
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key that was just made. secret: shown this once."""

    key: ApiKey
    secret: str


class ApiKeys:
    """Makes keys and reads them. now: seconds since 1970."""

    def __init__(self, repository: KeysRepository, now: Clock) -> None:
        self._repository = repository
        self._now = now
        self._believed: OrderedDict[bytes, tuple[Identity, float]] = OrderedDict()
        self._refused: OrderedDict[bytes, float] = OrderedDict()
        self._revocations = 0

    async def make(
        self, who: Identity, name: str, permissions: Collection[Permission], expires_at: datetime | None
    ) -> GivenKey:
        """A key of *who*'s account. Raises ApiError 422 for permissions that no key has, or that *who* lacks."""
        if never := sorted(NEVER.intersection(permissions)):
            raise ApiError(422, "not_for_keys", f"permissions: no key may have {', '.join(never)}")
        if lacking := sorted(one for one in permissions if not who.may(one)):
            raise ApiError(422, "not_yours_to_give", f"permissions: you do not have {', '.join(lacking)} yourself")
        secret = PREFIX + secrets.token_urlsafe(32)
        new = NewKey(name, token_hash(secret), secret[:_SHOWN], permissions, who.user, expires_at)
        return GivenKey(await self._repository.add(who.account, new), secret)

    def is_familiar(self, secret: str) -> bool:
        """Whether the key *secret* was good when it was last read."""
        return token_hash(secret) in self._believed

    def recall(self, secret: str) -> Identity | None:
        """Whom the key *secret* speaks for, if that was found out just now. Raises ApiError 401 if it was refused."""
        known, now = token_hash(secret), self._now()
        if 0 <= now - self._refused.get(known, -_REFUSED) < _REFUSED:
            raise _bad_key()
        identity, since = self._believed.get(known, (None, 0.0))
        return identity if 0 <= now - since < BELIEVED else None

    async def read(self, secret: str) -> Identity:
        """Whom the key *secret* speaks for. Raises ApiError 401 "bad_key"."""
        if (recalled := self.recall(secret)) is not None:
            return recalled
        known, now = token_hash(secret), self._now()
        revocations = self._revocations
        key = await self._repository.use(known, datetime.fromtimestamp(now, UTC))
        if key is None:
            self._believed.pop(known, None)
            self._refused[known] = now
            _forget_oldest(self._refused)
            raise _bad_key()
        identity = _identity(key)
        if revocations == self._revocations:  # otherwise it may be this very key that was revoked meanwhile
            self._believed[known] = identity, now
            self._believed.move_to_end(known)
            _forget_oldest(self._believed)
        return identity

    async def revoke(self, account: UUID, key: UUID) -> bool:
        """Let *key* be worth nothing: here at once, in other processes after BELIEVED seconds at most."""
        revoked = await self._repository.revoke(account, key, datetime.fromtimestamp(self._now(), UTC))
        self._revocations += 1
        self._believed = OrderedDict(
            (known, (identity, since)) for known, (identity, since) in self._believed.items() if identity.key != key
        )
        return revoked


def _forget_oldest(remembered: OrderedDict[bytes, Any]) -> None:
    if len(remembered) > _REMEMBERED:
        remembered.popitem(last=False)


def _bad_key() -> ApiError:
    return ApiError(401, "bad_key", "the API key is unknown, has expired, or was revoked")


def _identity(key: ApiKey) -> Identity:
    # A permission that a later release does not know any more is none.
    known = frozenset(Permission(name) for name in key.permissions if name in set(Permission))
    return Identity(None, key.account, Role.ADMIN, None, key.id, known - NEVER)
