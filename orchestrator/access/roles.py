"""What each role may do. A permission is asked for by name at every route; nothing else compares roles."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Of a user in one account."""

    ADMIN = "admin"
    CLIENT = "client"
    SUPPORT = "support"


class Permission(StrEnum):
    """What a route may need, and what an API key may be limited to."""

    READ_CALLS = "calls:read"
    CONTROL_CALLS = "calls:control"
    PLACE_CALLS = "calls:place"
    READ_RECORDINGS = "recordings:read"
    READ_AGENTS = "agents:read"
    EDIT_AGENTS = "agents:edit"
    PUBLISH_AGENTS = "agents:publish"
    READ_CONTACTS = "contacts:read"
    MANAGE_CONTACTS = "contacts:manage"
    MANAGE_NUMBERS = "numbers:manage"
    MANAGE_TRUNKS = "trunks:manage"
    READ_JOBS = "jobs:read"
    MANAGE_JOBS = "jobs:manage"
    MANAGE_WEBHOOKS = "webhooks:manage"
    MANAGE_USERS = "users:manage"
    MANAGE_KEYS = "keys:manage"
    MANAGE_PRIVACY = "privacy:manage"
    READ_AUDIT = "audit:read"


_SUPPORT: Final = frozenset({Permission.READ_CALLS, Permission.READ_AGENTS, Permission.READ_CONTACTS})
_CLIENT: Final = _SUPPORT | {
    Permission.CONTROL_CALLS,
    Permission.PLACE_CALLS,
    Permission.READ_RECORDINGS,
    Permission.EDIT_AGENTS,
    Permission.PUBLISH_AGENTS,
    Permission.MANAGE_CONTACTS,
    Permission.MANAGE_NUMBERS,
    Permission.READ_JOBS,
}

GRANTED: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.ADMIN: frozenset(Permission),
    Role.CLIENT: _CLIENT,
    Role.SUPPORT: _SUPPORT,
}
