"""Which failures of an engine open a breaker, and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from orchestrator.core.breaker import Attempt, Breaker, BreakerTerms
from orchestrator.core.errors import BadOutput, EngineError, EngineOverloaded, EngineUnavailable

# Two, as of the process that is held to be stuck (inference.local.patience). A replica that dies fails all of its
# requests at once, while the others go on: what has not lasted two seconds is no engine that fails. The rest is longer
# than the apology and what the caller says to it, or each turn would try again.
ENGINE: Final = BreakerTerms(failures=2, lasting=2.0, rest=8.0, longest=60.0)


@contextmanager
def guarded(engine: str, operation: str, breaker: Breaker) -> Iterator[Attempt]:
    """A request for *operation*. Raises EngineUnavailable at once while the breaker is open.

    An engine that refuses work now, or answers what cannot be used, is neither well nor broken.
    """
    if wait := breaker.wait:
        raise EngineUnavailable(engine, f"{operation} has failed again and again; it is tried again in {wait:.1f} s")
    with breaker.attempt() as attempt:
        try:
            yield attempt
        except (EngineOverloaded, BadOutput):
            raise
        except EngineError:
            attempt.fail()
            raise
