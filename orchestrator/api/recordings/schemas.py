"""What the API says about recordings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from orchestrator.api.schemas import Told


class RecordingRead(Told):
    """A recording. start_at: seconds after the answer at which it begins; seconds: how long it is.

    seconds and url are null until it is complete. recovered: the process that recorded it died, half a second may be
    missing at its end. url: plays it until expires_at, with `Range`, for whoever has the link.
    """

    call_id: UUID
    rate: int
    start_at: float
    complete: bool
    recovered: bool | None
    seconds: float | None
    url: str | None
    expires_at: datetime | None
