"""The keys of recordings: one a call, under one an account, under a master key."""

from __future__ import annotations

import os
from typing import Final
from uuid import UUID

from orchestrator.core.errors import RecordingUnavailable
from orchestrator.recordings.masters import MasterKey, opened_secret, sealed_secret
from orchestrator.store.account_keys_repository import AccountKey, AccountKeysRepository
from telephony.recording.sealing import KEY_BYTES, ContentKey

_ACCOUNT: Final = b"offhook account key 1"
_CONTENT: Final = b"offhook content key 1"


class Keyring:
    """Makes keys and finds them again. Account keys are looked up once and then kept in memory.

    older: master keys that some accounts' keys may still be wrapped with.
    """

    def __init__(self, master: MasterKey, accounts: AccountKeysRepository, older: tuple[MasterKey, ...] = ()) -> None:
        self._master = master
        self._masters = {one.id: one for one in (*older, master)}
        self._accounts = accounts
        self._known: dict[UUID, bytes] = {}

    async def new(self, account: UUID, call_id: UUID) -> tuple[ContentKey, bytes]:
        """A key for a recording, and the same wrapped. Raises StoreUnavailable, RecordingUnavailable."""
        secret = os.urandom(KEY_BYTES)
        wrapped = sealed_secret(await self.account_key(account), secret, _content(account, call_id))
        return ContentKey(account, secret), wrapped

    async def found(self, account: UUID, call_id: UUID, wrapped: bytes) -> ContentKey:
        """The key that was wrapped. Raises StoreUnavailable, RecordingUnavailable, RecordingDamaged."""
        key = await self.account_key(account)
        return ContentKey(account, opened_secret(key, wrapped, _content(account, call_id)))

    async def account_key(self, account: UUID) -> bytes:
        """The account's key, made when there is none."""
        if (known := self._known.get(account)) is None:
            kept = await self._accounts.find(account) or await self._made(account)
            known = self._known[account] = await self._opened(kept)
        return known

    async def rotate(self) -> int:
        """Wrap with the present master key what one of the older ones has wrapped; how many keys that were."""
        stale = [one for one in await self._accounts.all() if one.master in self._masters.keys() - {self._master.id}]
        for one in stale:
            key = await self._opened(one)
            wrapped = await self._master.wrap(key, _account(one.account))
            await self._accounts.replace(one, AccountKey(one.account, wrapped, self._master.id))
        return len(stale)

    async def _made(self, account: UUID) -> AccountKey:
        wrapped = await self._master.wrap(os.urandom(KEY_BYTES), _account(account))
        # Another process may be quicker: whatever is kept then is the key.
        return await self._accounts.keep(AccountKey(account, wrapped, self._master.id))

    async def _opened(self, kept: AccountKey) -> bytes:
        if (master := self._masters.get(kept.master)) is None:
            raise RecordingUnavailable(f"the account's key is under master key {kept.master}, which is not here")
        return await master.unwrap(kept.wrapped, _account(kept.account))


def _account(account: UUID) -> bytes:
    return _ACCOUNT + account.bytes


def _content(account: UUID, call_id: UUID) -> bytes:
    return _CONTENT + account.bytes + call_id.bytes
