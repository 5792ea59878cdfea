"""What a gateway process says on its standard output: one line, once."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

REFUSED = 2  # exit code of a process whose settings cannot work, so that starting it again is pointless


class Ready(BaseModel):
    """It listens for SIP on *port*, and for its parent on *control_port*. most_users: trunks with a user it holds."""

    model_config = ConfigDict(frozen=True)

    event: Literal["ready"] = "ready"
    port: int
    control_port: int
    most_users: int


class RefusedToStart(BaseModel):
    """Its settings do not work: why."""

    model_config = ConfigDict(frozen=True)

    event: Literal["refused"] = "refused"
    error: str


Announcement: TypeAlias = Ready | RefusedToStart
ANNOUNCEMENT: TypeAdapter[Announcement] = TypeAdapter(Annotated[Announcement, Field(discriminator="event")])
