"""What the API says about users."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from orchestrator.access.roles import Role
from orchestrator.api.auth.schemas import Email, Password
from orchestrator.api.schemas import Asked, Told


class NewUser(Asked):
    """Somebody who signs in with a password."""

    email: Email
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    password: Password


class UserCreate(NewUser):
    """Somebody who is to sign in with a password."""

    role: Role


class UserRead(Told):
    """A member of the account."""

    id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime


class PasswordReset(Asked):
    """A password that an admin gives; locks are lifted, and all sessions of the user end."""

    password: Password
