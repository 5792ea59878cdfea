"""What the API says about recordings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from orchestrator.api.schemas import Told


class RecordingRead(Told):
    """A recording. start_at: seconds after the answer at which it begins; seconds: how long it is.

    complete: it can be played; url is null until then. masked: what is personal in it is silenced before that. seconds
    and recovered are null until all of it is stored; recovered: the process that recorded it died, half a second may be
    missing at its end. url: plays it until expires_at, with `Range`, for whoever has the link.
    """

    call_id: UUID
    rate: int
    start_at: float
    complete: bool
    masked: bool
    recovered: bool | None
    seconds: float | None
    url: str | None
    expires_at: datetime | None
