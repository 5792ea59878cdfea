"""Whose each trunk is, and which of them fail every call that is placed: those are left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from orchestrator.core.breaker import Breaker, BreakerState, BreakerTerms
from orchestrator.core.clock import Clock
from orchestrator.core.errors import CarrierRejected
from orchestrator.core.events import FIRST_ACCOUNT
from orchestrator.core.trunk import ADDED, AddedTrunk

TRUNK: Final = BreakerTerms(failures=3, lasting=0.0, rest=10.0, longest=300.0)
# RFC 3261, section 21. 408: nobody answered at all; 401 and 407: it does not know us. Every other 4xx or 6xx is about
# who was called, and says that the carrier is well.
_OURS: Final = frozenset({401, 407, 408})
_SERVER_FAILURES: Final = range(500, 600)


class Trunks:
    """A breaker for each trunk that a call was ever placed through.

    owners: of those in the operator's file that are one account's, by their names; the first account calls out through
    the others, and any account is called through them. clock: of the breakers.
    """

    def __init__(self, owners: Mapping[str, UUID] | None = None, clock: Clock = time.monotonic) -> None:
        self._owners = dict(owners or {})
        self._added: tuple[AddedTrunk, ...] = ()
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}

    def know(self, added: Iterable[AddedTrunk]) -> None:
        """The trunks that accounts have made, from now on. How those fare that are gone is forgotten."""
        self._added = tuple(added)
        known = {one.key for one in self._added}
        for key in [key for key in self._breakers if key.startswith(ADDED) and key not in known]:
            del self._breakers[key]

    def of(self, account: UUID) -> bool:
        """Whether *account* may call out at all."""
        made = any(one.account == account for one in self._added)
        return made or account == FIRST_ACCOUNT or account in self._owners.values()

    def called(self, account: UUID, name: str) -> str | None:
        """What gateways know the trunk by that *account* calls *name*; None where it has none.

        Whoever calls out through another's trunk calls on somebody else's bill.
        """
        made = next((one.key for one in self._added if (one.account, one.name) == (account, name)), None)
        if made is not None or name.startswith(ADDED):
            return made
        return name if self._owners.get(name, FIRST_ACCOUNT) == account else None

    def may_be_called(self, account: UUID, trunk: str) -> bool:
        """Whether calls that come in by *trunk*, as gateways know it, may reach *account*."""
        if trunk.startswith(ADDED):
            return any((one.account, one.key) == (account, trunk) for one in self._added)
        return self._owners.get(trunk, account) == account

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
