"""What all bodies of the API share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Asked(BaseModel):
    """A request: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """An answer, read from the attributes of whatever holds it."""

    model_config = ConfigDict(from_attributes=True)
