"""What a kind of job is: who runs it, how long that may take, and when it is tried again."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from orchestrator.core.errors import VoiceError
from orchestrator.store.job_runs import Effect
from orchestrator.store.jobs import Job


class JobFailed(VoiceError):
    """This try of a job failed.

    code: why, in a word that says nothing of a caller; again: whether another try may succeed; after: when that is
    made, as the kind's Retries say when None.
    """

    def __init__(self, code: str, *, again: bool = True, after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.again = again
        self.after = after


async def _nothing(_: object) -> None:
    """No effect."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job. effect: its changes to the database, kept together with its success or not at all; result:
    shown in the API, so ids and numbers.
    """

    effect: Effect = _nothing
    result: Mapping[str, object] = field(default_factory=dict)


Run: TypeAlias = Callable[[Job], Awaitable[Done]]
"""Does the work of a job, which may begin anew: at any moment its worker may die. Raises JobFailed; EngineError,
StoreUnavailable and whatever else it raises are tried again too."""


@dataclass(frozen=True, slots=True)
class Retries:
    """attempts: tries in all; first, longest: seconds to the second try and between any two; each wait is twice the one
    before, a quarter more or less, so that what failed together is not tried together.
    """

    attempts: int = 5
    first: float = 10.0
    longest: float = 3600.0

    def wait(self, attempts: int) -> timedelta:
        """How long to wait after *attempts* tries."""
        seconds: float = min(self.longest, self.first * 2 ** min(attempts - 1, 30))
        return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load, hides nothing


class Lane(StrEnum):
    """Kinds of one lane share its places, so that what is slow does not hold up the rest."""

    ENGINES = "engines"
    """Asks engines, which callers need first: one at a time, and not during calls if it can wait."""
    RECORDINGS = "recordings"
    """Works through recordings: as those do, but for minutes, for which nothing else of theirs should wait."""
    MESSAGES = "messages"
    """Waits for programs of others, which may be slow."""
    QUICK = "quick"
    """Everything else."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job. limit: seconds that a try may take; cron: when one is queued for each account, in UTC."""

    name: str
    run: Run
    lane: Lane = Lane.QUICK
    retries: Retries = Retries()
    limit: float = 60.0
    cron: str | None = None
