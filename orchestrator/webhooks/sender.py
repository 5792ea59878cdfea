"""Sends a message once."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import httpx

from orchestrator.core.networks import Network
from orchestrator.webhooks.addresses import NowhereToGo, address_of

LIMIT: Final = 10.0
_LONGEST_REST: Final = 6 * 3600
_GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. status: of the answer, if there was one; error: a code, None when it was taken; after: when the
    receiver wants to be asked again.
    """

    status: int | None
    error: str | None
    seconds: float
    after: timedelta | None = None


class Sender:
    """Sends to addresses within *networks* alone. Redirects are not followed; of an answer's body nothing is read."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        # The machine's own authorities, among which a company may have put its own.
        self._trust = ssl.create_default_context()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """POST *body*; whatever happens is an Outcome."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(LIMIT):
                status, after = await self._post(httpx.URL(url), headers, body)
        except NowhereToGo as error:
            return Outcome(None, error.code, time.monotonic() - began)
        except TimeoutError:
            return Outcome(None, "too_slow", time.monotonic() - began)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            code = "bad_certificate" if _about_certificate(error) else "unreachable"
            return Outcome(None, code, time.monotonic() - began)
        failed = None if 200 <= status < 300 else "gone" if status == _GONE else "refused"
        return Outcome(status, failed, time.monotonic() - began, after)

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> tuple[int, timedelta | None]:
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await address_of(url.host, port, self._networks)
        # Connected to where the name was found to lead, and to nowhere else; the certificate is still the name's.
        asked = httpx.Request(
            "POST",
            url.copy_with(host=str(address)),
            headers={**headers, "Host": url.netloc.decode("ascii")},
            content=body,
            extensions={"sni_hostname": url.host},
        )
        async with httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=LIMIT) as client:
            answer = await client.send(asked, stream=True)
            await answer.aclose()
        return answer.status_code, _rest(answer.headers.get("retry-after", ""))


def _about_certificate(error: BaseException | None) -> bool:
    """httpx wraps what TLS says, and keeps it as the context."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _rest(text: str) -> timedelta | None:
    """Retry-After in seconds, within bounds; a date, which receivers hardly ever send, is not obeyed."""
    return (
        timedelta(seconds=min(int(text), _LONGEST_REST))
        if text.isascii() and text.isdigit() and len(text) < 9
        else None
    )
