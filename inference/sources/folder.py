"""Files of a folder on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference.sources.archive import copy
from inference.sources.fetcher import Report
from inference.sources.location import Member


@dataclass(frozen=True, slots=True)
class Folder:
    """The local disk. models_dir: what locations beginning with ./ are relative to."""

    models_dir: Path

    def fetch(self, member: Member, into: Path, report: Report) -> str | None:
        """Copy *member* to *into*. Raises FetchError."""
        copy(self.models_dir / member.location.name / member.path, into, report)
        return None
