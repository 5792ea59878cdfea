"""What the API says about users."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from orchestrator.access.roles import Role

Email = Annotated[str, Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]


class UserCreate(BaseModel):
    """Somebody who is to sign in with a password."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(max_length=1024)]
    role: Role


class UserRead(BaseModel):
    """A member of the account."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
