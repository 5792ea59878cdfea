"""A circuit breaker: whatever fails again and again is left alone for a while, so that nobody waits for it.

Source: M. Nygard, Release It!, 2nd edition, "Circuit Breaker". Asking it is a comparison of numbers; it has no task.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.clock import Clock


class BreakerState(StrEnum):
    """closed: everything passes; open: nothing does; half_open: one request may try, or tries, whether it is well."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerTerms:
    """failures: in a row, after which it opens, if they were going on for *lasting* seconds at least; rest, longest:
    first and longest seconds in which nothing passes, twice as many after each try that failed.
    """

    failures: int
    lasting: float
    rest: float
    longest: float


class Attempt:
    """A request under way. since: when it was made, or last given something."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.answered = False
        self.failed = False

    def answer(self, now: float) -> None:
        """Something came back."""
        self.since, self.answered = now, True

    def fail(self) -> None:
        """It came to nothing, by the fault of whoever was asked."""
        self.failed = True


class Breaker:
    """Of one thing that may fail. clock: any that does not go back."""

    def __init__(self, terms: BreakerTerms, clock: Clock) -> None:
        self._terms = terms
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget what failed: it is another thing by now."""
        self._failures = 0
        self._failing_since = 0.0
        self._rest = self._terms.rest
        self._opens_at: float | None = None
        self._trying = False

    @property
    def state(self) -> BreakerState:
        """See BreakerState."""
        if self._opens_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._opens_at else BreakerState.HALF_OPEN

    @property
    def wait(self) -> float:
        """Seconds for which nothing passes, 0 when the next request may. While one tries, as long as it had to wait."""
        if self._opens_at is None:
            return 0.0
        return self._rest if self._trying else max(0.0, self._opens_at - self._clock())

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """A request, which ends with the block: well, unless it says that it failed; of one that was given up before
        anything came back nothing is known. Ask *wait* first.
        """
        attempt = Attempt(self._clock())
        trial = self._trying = self._opens_at is not None
        ended = False
        try:
            yield attempt
            ended = True
        finally:
            if trial:
                self._trying = False
            if attempt.failed:
                self._fail(attempt.since, trial=trial)
            elif ended or attempt.answered:
                self.reset()

    def _fail(self, since: float, *, trial: bool) -> None:
        now = self._clock()
        if not self._failures:
            self._failing_since = since
        self._failures += 1
        if trial:
            self._rest = min(2 * self._rest, self._terms.longest)
            self._opens_at = now + self._rest
            return
        lasted = now - self._failing_since >= self._terms.lasting
        # What was on its way when the others failed says nothing new.
        if self._opens_at is None and self._failures >= self._terms.failures and lasted:
            self._opens_at = now + self._rest
