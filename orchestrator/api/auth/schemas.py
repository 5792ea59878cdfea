"""What is said when signing in."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from orchestrator.access.roles import Role

# PostgreSQL keeps no zero byte.
Email = Annotated[str, Field(max_length=320, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Password = Annotated[SecretStr, Field(max_length=1024)]
RefreshToken = Annotated[SecretStr, Field(max_length=256)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Asked):
    """account: for users of several; the oldest membership's when absent."""

    email: Email
    password: Password
    account: UUID | None = None


class Refresh(_Asked):
    """The refresh token of the latest answer."""

    refresh_token: RefreshToken


class PasswordChange(_Asked):
    """Ends all sessions of the user."""

    current: Password
    new: Password


class Tokens(BaseModel):
    """expires_in: seconds of the access token; the refresh token is good once, for 14 days."""

    model_config = ConfigDict(from_attributes=True)

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a kind, not a secret
    expires_in: int


class Me(BaseModel):
    """Who asks; no user for the machine's operator."""

    model_config = ConfigDict(from_attributes=True)

    user: UUID | None
    account: UUID
    role: Role
