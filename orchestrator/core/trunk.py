"""What gateways know the trunks of accounts by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

# Before their ids: two accounts may use one name, and the operator's file any other.
ADDED: Final = "trunk:"


@dataclass(frozen=True, slots=True)
class AddedTrunk:
    """A trunk that an account has made. key: what gateways know it by; name: what the account does."""

    account: UUID
    name: str
    key: str
