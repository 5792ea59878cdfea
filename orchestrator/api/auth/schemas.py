"""What is said when signing in."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, SecretStr

from orchestrator.access.roles import Permission, Role
from orchestrator.api.schemas import Asked, Told

# PostgreSQL keeps no zero byte.
Email = Annotated[str, Field(max_length=320, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Password = Annotated[SecretStr, Field(max_length=1024)]
RefreshToken = Annotated[SecretStr, Field(max_length=256)]


class SignIn(Asked):
    """account: for users of several; the oldest membership's when absent."""

    email: Email
    password: Password
    account: UUID | None = None


class Refresh(Asked):
    """The refresh token of the latest answer."""

    refresh_token: RefreshToken


class PasswordChange(Asked):
    """Ends all sessions of the user."""

    current: Password
    new: Password


class Tokens(Told):
    """expires_in: seconds of the access token; the refresh token is good once, for 14 days."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a kind, not a secret
    expires_in: int


class Me(Told):
    """Who asks. user: null for a key and for the machine's operator; key: the API key; allowed: permissions."""

    user: UUID | None
    account: UUID
    role: Role
    key: UUID | None
    allowed: list[Permission]


class TicketRead(Told):
    """Opens one WebSocket, as its parameter `ticket`, within expires_in seconds."""

    ticket: str
    expires_in: int
