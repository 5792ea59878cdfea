"""What the API says about users."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.access.roles import Role
from orchestrator.api.auth.schemas import Email, Password


class UserCreate(BaseModel):
    """Somebody who is to sign in with a password."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    password: Password
    role: Role


class UserRead(BaseModel):
    """A member of the account."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime


class PasswordReset(BaseModel):
    """A password that an admin gives; locks are lifted, and all sessions of the user end."""

    model_config = ConfigDict(extra="forbid")

    password: Password
