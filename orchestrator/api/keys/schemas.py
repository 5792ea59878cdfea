"""What is said about API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from orchestrator.access.roles import Permission
from orchestrator.api.schemas import Asked, Moment, Told


class KeyCreate(Asked):
    """permissions: what the key may do, which its maker must be allowed as well."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
    permissions: Annotated[list[Permission], Field(max_length=len(Permission))]
    expires_at: Moment | None = None


class KeyRead(Told):
    """A key. shown: its first characters; last_used_at: to the minute."""

    id: UUID
    name: str
    shown: str
    permissions: list[str]
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyGiven(KeyRead):
    """A key that was just made. key: the secret itself, which is shown this once."""

    key: str
