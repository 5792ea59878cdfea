"""Which trunks fail every call that is placed through them: they are left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from orchestrator.core.breaker import Breaker, BreakerState, BreakerTerms
from orchestrator.core.clock import Clock
from orchestrator.core.errors import CarrierRejected

TRUNK: Final = BreakerTerms(failures=3, lasting=0.0, rest=10.0, longest=300.0)
# RFC 3261, section 21. 408: nobody answered at all; 401 and 407: it does not know us. Every other 4xx or 6xx is about
# who was called, and says that the carrier is well.
_OURS: Final = frozenset({401, 407, 408})
_SERVER_FAILURES: Final = range(500, 600)


class Trunks:
    """A breaker for each trunk that a call was ever placed through. clock: of the breakers."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}

    def wait(self, trunk: str) -> float:
        """Seconds for which no call should be placed through *trunk*, 0 when one may."""
        breaker = self._breakers.get(trunk)
        return 0.0 if breaker is None else breaker.wait

    @contextmanager
    def dialled(self, trunk: str) -> Iterator[None]:
        """A call through *trunk*, until it is answered. What the carrier says, a CarrierRejected, passes through."""
        breaker = self._breakers.setdefault(trunk, Breaker(TRUNK, self._clock))
        with breaker.attempt() as attempt:
            try:
                yield
            except CarrierRejected as error:
                if error.status in _OURS or error.status in _SERVER_FAILURES:
                    attempt.fail()
                else:
                    attempt.answer(self._clock())
                raise

    def failing(self) -> Mapping[str, bool]:
        """Which of them are left alone now."""
        return {trunk: breaker.state is BreakerState.OPEN for trunk, breaker in self._breakers.items()}
