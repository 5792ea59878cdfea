"""Every kind of job, and what they work with."""

from __future__ import annotations

from dataclasses import dataclass

from inference.reach import ReachedEngines
from orchestrator.jobs.kinds import JobKind
from orchestrator.jobs.rollup import rollup
from orchestrator.jobs.sentiment import sentiment
from orchestrator.jobs.summary import summary
from orchestrator.settings import Settings
from orchestrator.store.call_analysis import SpokenCalls
from orchestrator.store.db import Database


@dataclass(frozen=True, slots=True)
class Means:
    """What kinds of jobs may use."""

    settings: Settings
    database: Database
    engines: ReachedEngines


def kinds(means: Means) -> tuple[JobKind, ...]:
    """All kinds. A new one is a module beside this one with a function that makes its JobKind, and a line here."""
    spoken = SpokenCalls(means.database)
    return (rollup(), summary(spoken, means.engines), sentiment(spoken, means.engines))
