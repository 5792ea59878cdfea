"""An entry of the audit log, and the chain that entries form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

ActorKind: TypeAlias = Literal["user", "key", "operator"]

# What stands for the hash of the entry before the first.
BEGINNING: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done. subject: what to, such as the ids in a path, never a caller's name or words."""

    account: UUID
    actor_kind: ActorKind
    actor: UUID | None
    action: str
    subject: Mapping[str, str]
    request: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in the log. seq: 1, 2, 3 … in its account; previous: the hash of the entry before."""

    deed: Deed
    seq: int
    at: datetime
    previous: bytes

    def digest(self) -> bytes:
        """SHA-256 of the entry before's and of everything in this one."""
        deed = self.deed
        told = [
            str(deed.account),
            self.seq,
            self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            deed.actor_kind,
            None if deed.actor is None else str(deed.actor),
            deed.action,
            dict(deed.subject),
            deed.request,
        ]
        text = json.dumps(told, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(self.previous + text.encode()).digest()
