"""How much each user or key, and each account, may ask of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from orchestrator.access.rate_limit import Draw, RateLimit
from orchestrator.access.tokens import Identity
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError

_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a minute, as many of them at once. asker: of a user or key; account: of all of them together."""

    asker: int = 600
    account: int = 3000


class Quotas:
    """Counts requests in this process. now: seconds since 1970."""

    def __init__(self, rates: Rates, now: Clock) -> None:
        self._askers = RateLimit(rates.asker, _SECONDS, now)
        self._accounts = RateLimit(rates.account, _SECONDS, now)

    def take(self, who: Identity) -> Mapping[str, str]:
        """Count a request of *who*, unless it is the machine's operator; what to tell them of what is left, as headers.

        Headers: draft-ietf-httpapi-ratelimit-headers-10. Raises ApiError 429 "too_many_requests".
        """
        if who.asker is None:
            return {}
        own = self._askers.draw(who.asker)
        if own.wait:
            raise _too_many("you have", own, "asker", self._askers)
        shared = self._accounts.draw(str(who.account))
        if shared.wait:
            raise _too_many("the account has", shared, "account", self._accounts)
        if shared.left < own.left:
            return _headers("account", shared, self._accounts)
        return _headers("asker", own, self._askers)


def _headers(name: str, draw: Draw, limit: RateLimit) -> dict[str, str]:
    return {
        "RateLimit-Policy": f'"{name}";q={limit.most};w={_SECONDS}',
        "RateLimit": f'"{name}";r={draw.left};t={ceil(draw.full)}',
    }


def _too_many(whose: str, draw: Draw, name: str, limit: RateLimit) -> ApiError:
    why = f"{whose} {limit.most} requests a minute; try again in {ceil(draw.wait)} s"
    headers = _headers(name, draw, limit) | {"Retry-After": str(ceil(draw.wait))}
    return ApiError(429, "too_many_requests", why, headers)
