"""What is said about webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool

from orchestrator.api.schemas import Asked, Told
from orchestrator.store.webhook_events import EventType


def _postable(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("is no URL") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.fragment or port == 0:
        raise ValueError("must be http:// or https:// with a host, without a user and a #fragment")
    return url


Url = Annotated[str, Field(max_length=2000, pattern=r"^https?://[!-~]+$"), AfterValidator(_postable)]
Events = Annotated[
    list[Literal["call.started", "call.ended", "call.analysed", "recording.ready", "agent.published"]],
    Field(min_length=1, max_length=len(EventType)),
]
Description = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class WebhookCreate(Asked):
    """url: where messages go; events: which."""

    url: Url
    events: Events
    description: Description = ""


class WebhookChange(Asked):
    """What is absent stays as it is."""

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    enabled: StrictBool | None = None


class WebhookRead(Told):
    """A webhook. disabled_by: `somebody`, `gone` (it answered 410), `failing` (for five days), or null."""

    id: UUID
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_by: str | None
    failing_since: datetime | None
    created_at: datetime


class WebhookGiven(WebhookRead):
    """secret: what messages are signed with, shown this once."""

    secret: str


class SecretGiven(Told):
    """The one before signs as well for a day."""

    secret: str


class DeliveryMade(Told):
    """A delivery that waits to be sent."""

    id: UUID


class DeliveryRead(Told):
    """A message. state: waiting, delivered or failed; status, error, seconds: of the latest try."""

    id: UUID
    event_id: UUID
    type: str
    data: Mapping[str, object]
    happened_at: datetime
    state: str
    attempts: int
    status: int | None
    error: str | None
    seconds: float | None
    tried_at: datetime | None
