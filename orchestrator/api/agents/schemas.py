"""What is said about agents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from orchestrator.agents import AGENT_NAME
from orchestrator.api.agents.differences import Difference
from orchestrator.api.schemas import Asked, Told


def _storable(value: object) -> object:
    """*value*, in which no text has what PostgreSQL cannot keep."""
    match value:
        case str() if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("a text has a zero byte or half a character")
        case dict():
            for name, inner in value.items():
                _storable(name)
                _storable(inner)
        case list():
            for inner in value:
                _storable(inner)
        case _:
            pass
    return value


AgentName = Annotated[str, Field(pattern=AGENT_NAME, max_length=64)]
Draft = Annotated[dict[str, Any], AfterValidator(_storable)]
Note = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Place = Annotated[str, Field(pattern=r"^(draft|[1-9][0-9]{0,8})$", description="`draft`, or the number of a version.")]


class AgentCreate(Asked):
    """A new agent, from a *template* by name or from a *definition*."""

    name: AgentName
    template: Annotated[str, Field(max_length=64)] | None = None
    definition: Draft | None = None

    @model_validator(mode="after")
    def _from_one(self) -> Self:
        if (self.template is None) == (self.definition is None):
            raise ValueError("say either template or definition")
        return self


class DraftSave(Asked):
    """Another draft. revision: of the draft that was changed; name: another name for the agent, if it gets one."""

    definition: Draft
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]
    name: AgentName | None = None


class Publish(Asked):
    """revision: of the draft to publish, so that nobody publishes what they have not seen."""

    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]
    note: Note = ""


class Rollback(Asked):
    """version: that answers calls from now on."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class AgentSummary(Told):
    """An agent. published: the version that answers calls; null when none does."""

    id: UUID
    name: str
    revision: int
    published: int | None
    numbers: list[str]
    created_at: datetime
    updated_at: datetime


class AgentDetail(AgentSummary):
    """An agent with its draft. faults: what keeps the draft from being published, by field."""

    draft: dict[str, Any]
    faults: list[str]


class VersionSummary(Told):
    """A version, which never changes."""

    number: int
    note: str
    published_by: UUID | None
    published_at: datetime


class VersionDetail(VersionSummary):
    """A version with its definition."""

    definition: dict[str, Any]


class Comparison(Told):
    """What is different from one version, or the draft, to another."""

    differences: list[Difference]


class NumberAssign(Asked):
    """Who answers a number from now on."""

    agent_id: UUID


class NumberRead(Told):
    """A number. number: as calls are routed; shown: as it was written; agent_id: null when nobody answers it."""

    number: str
    shown: str
    agent_id: UUID | None
    assigned_at: datetime | None
