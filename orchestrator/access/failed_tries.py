"""Where tries to be let in come from that fail: so many a minute are looked up, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

from orchestrator.access.rate_limit import RateLimit
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError

_SECONDS: Final = 60.0


class FailedTries:
    """Counts the failures of each network, in this process. most: a minute; now: seconds since 1970."""

    def __init__(self, most: int, now: Clock) -> None:
        self._limit = RateLimit(most, _SECONDS, now)

    def check(self, host: str) -> None:
        """Raises ApiError 429 "too_many_tries" when too much of what came from *host* was refused."""
        if wait := self._limit.wait(network(host)):
            raise too_many_tries(wait)

    def failed(self, host: str) -> None:
        """Count a failure."""
        self._limit.take(network(host))

    @contextmanager
    def counted(self, host: str) -> Iterator[Callable[[], None]]:
        """A try from *host*, which has failed if ApiError 401 comes out of the block, or it calls what it is given.

        Raises as check() does.
        """
        self.check(host)
        try:
            yield lambda: self.failed(host)
        except ApiError as error:
            if error.status == 401:
                self.failed(host)
            raise


def too_many_tries(wait: float) -> ApiError:
    """Told to whoever may try again after *wait* seconds."""
    why = f"too many tries from this address; try again in {wait:.0f} s"
    return ApiError(429, "too_many_tries", why, {"Retry-After": str(ceil(wait))})


def network(host: str) -> str:
    """What one customer of a provider has: an IPv4 address, or 64 bits of IPv6 ones."""
    try:
        address = ip_address(host)
    except ValueError:  # the name of a Unix socket's peer
        return host
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else host
