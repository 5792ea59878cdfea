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
    """What a route may need."""

    READ_CALLS = "calls:read"
    CONTROL_CALLS = "calls:control"
    MANAGE_USERS = "users:manage"


GRANTED: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.ADMIN: frozenset(Permission),
    Role.CLIENT: frozenset({Permission.READ_CALLS, Permission.CONTROL_CALLS}),
    Role.SUPPORT: frozenset({Permission.READ_CALLS}),
}
