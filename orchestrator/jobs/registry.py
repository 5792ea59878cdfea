"""Every kind of job, and what they work with."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.jobs.kinds import JobKind
from orchestrator.jobs.rollup import rollup
from orchestrator.settings import Settings
from orchestrator.store.db import Database


@dataclass(frozen=True, slots=True)
class Means:
    """What kinds of jobs may use."""

    settings: Settings
    database: Database


def kinds(means: Means) -> tuple[JobKind, ...]:
    """All kinds. A new one is a module beside this one with a function that makes its JobKind, and a line here."""
    del means
    return (rollup(),)
