"""Which addresses are asked, and to which a browser is sent."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode, urlsplit

from orchestrator.core.errors import ApiError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Browsers read a backslash as a slash, and drop tabs and line ends.
_ODD = re.compile(r"[\x00-\x20\\\x7f-\uffff]")


def is_secure(url: str, loopback: bool) -> bool:
    """Whether *url* is https with a host, no password and no fragment; loopback: or http to this machine."""
    parts = _split(url)
    if parts is None or parts.username is not None or parts.password is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK)


def host_of_url(url: str) -> str:
    """Host and port of *url* as they are compared; "" for what has none."""
    parts = _split(url)
    return parts.netloc.lower() if parts is not None else ""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where a browser may go on after signing in: to a path of *own*, or to a page of *others*.

    own: origin under which people reach this installation; others: origins that settings allow.
    """

    own: str
    others: Collection[str] = ()

    def checked(self, target: str) -> str:
        """*target* as a whole address. Raises ApiError 422 "bad_redirect"."""
        parts = (
            None
            if _ODD.search(target) or target.startswith("//")
            else _split(self.own + target if target.startswith("/") else target)
        )
        if parts is None or parts.fragment or f"{parts.scheme}://{parts.netloc}" not in {self.own, *self.others}:
            raise ApiError(
                422, "bad_redirect", "redirect: a path of this site, or a page of an origin in OFFHOOK_ORIGINS"
            )
        return parts.geturl()


def with_query(url: str, **added: str) -> str:
    """*url* with more parameters."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(added)}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return None
    return parts if parts.hostname and not _ODD.search(url) else None
