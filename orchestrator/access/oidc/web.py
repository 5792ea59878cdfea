"""Asking an identity provider, which may be away, slow, endless or hostile."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import quote_plus

import httpx

from orchestrator.core.errors import ApiError

SECONDS = 5.0
LONGEST_BYTES = 2**18
# RFC 6750, section 2.1. A longer one than most servers take in a header is not sent.
_BEARER: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,8000}=*")


class Web(Protocol):
    """The way to providers."""

    async def get(self, url: str, token: str | None = None) -> dict[str, Any]:
        """The JSON object at *url*. token: a bearer's (RFC 6750).

        Raises ApiError 502 "provider_unreachable" or "bad_provider_answer".
        """
        ...

    async def post(self, url: str, form: Mapping[str, str], login: tuple[str, str] | None) -> dict[str, Any]:
        """What *url* answers to *form*; login: of HTTP Basic, as it was given. Raises like get()."""
        ...


class BoundedWeb:
    """The real one: SECONDS for a whole answer, LONGEST_BYTES of it, no redirect, nothing from the environment."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    async def get(self, url: str, token: str | None = None) -> dict[str, Any]:
        """See Web."""
        if token is not None and not _BEARER.fullmatch(token):
            raise bad_answer("its access token is none that can be shown")
        return await self._ask("GET", url, headers={"Authorization": f"Bearer {token}"} if token is not None else {})

    async def post(self, url: str, form: Mapping[str, str], login: tuple[str, str] | None) -> dict[str, Any]:
        """See Web."""
        # RFC 6749, section 2.3.1: both are form-encoded before they become a user and a password of HTTP Basic.
        auth = httpx.BasicAuth(quote_plus(login[0]), quote_plus(login[1])) if login is not None else None
        return await self._ask("POST", url, form=form, auth=auth)

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        auth: httpx.BasicAuth | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, Any]:
        # A proxy or a .netrc of the environment would see, or send, what is for the provider alone.
        client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=self._seconds)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        try:
            async with (
                asyncio.timeout(self._seconds),
                client,
                client.stream(method, url, data=form, auth=auth, headers=headers) as answer,
            ):
                body = await _bounded(answer)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            why = f"the identity provider does not answer: {type(error).__name__}"
            raise ApiError(502, "provider_unreachable", why) from error
        if answer.status_code != 200:
            raise bad_answer(f"it answers with status {answer.status_code}")
        try:
            told = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise bad_answer("it does not answer in JSON") from error
        if not isinstance(told, dict):
            raise bad_answer("it does not answer with an object")
        return told


async def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    # Undecoded, so that few bytes never become many.
    async for part in answer.aiter_raw():
        body += part
        if len(body) > LONGEST_BYTES:
            raise bad_answer(f"it answers with more than {LONGEST_BYTES} bytes")
    return bytes(body)


def bad_answer(why: str) -> ApiError:
    """The provider said what cannot be used."""
    return ApiError(502, "bad_provider_answer", f"the identity provider is of no use: {why}")
