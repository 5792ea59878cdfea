"""What is said about contacts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from orchestrator.agents import NUMBER
from orchestrator.api.schemas import Asked, Told

Number = Annotated[str, Field(max_length=64, pattern=NUMBER)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Notes = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")]


class ContactCreate(Asked):
    """number: in any spelling, best with its country code; language: BCP 47, such as fr or en-GB."""

    number: Number
    name: Name
    language: Language | None = None
    notes: Notes = ""


class ContactChange(Asked):
    """What is absent stays as it is; a language of null is forgotten."""

    name: Name = ""
    language: Language | None = None
    notes: Notes = ""


class ContactRead(Told):
    """A contact. number: E.164 when its country is known."""

    id: UUID
    number: str
    name: str
    language: str | None
    notes: str
    created_at: datetime
    updated_at: datetime
