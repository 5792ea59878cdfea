"""Downloads over HTTP that pick up where the last one broke off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx

from inference.sources.fetcher import FetchError, Report

_TIMEOUT = httpx.Timeout(30.0)


def download(client: httpx.Client, url: str, into: Path, report: Report) -> Mapping[str, str]:
    """Fetch *url* to *into*, continuing a partial file there; the first response's headers, redirects included.

    A broken connection is continued as long as each try brings at least one more byte. The partial file's ETag lies
    beside it, so that a file that has changed on the server meanwhile is fetched anew. Raises FetchError.
    """
    while True:
        before = into.stat().st_size if into.exists() else 0
        try:
            return _attempt(client, url, into, report)
        except httpx.HTTPStatusError as error:
            raise FetchError(f"{url}: {error.response.status_code} {error.response.reason_phrase}") from error
        except httpx.TransportError as error:
            after = into.stat().st_size if into.exists() else 0
            if after <= before:
                raise FetchError(f"{url}: {error or type(error).__name__}") from error


def http_client(headers: Mapping[str, str] | None = None) -> httpx.Client:
    """A client that follows redirects and gives up on a silent server after 30 s."""
    return httpx.Client(follow_redirects=True, timeout=_TIMEOUT, headers=dict(headers or {}))


def _attempt(client: httpx.Client, url: str, into: Path, report: Report) -> Mapping[str, str]:
    tag = into.with_name(into.name + ".etag")
    have = into.stat().st_size if into.exists() and tag.exists() else 0
    ask = {"Accept-Encoding": "identity"}
    if have:
        ask |= {"Range": f"bytes={have}-", "If-Range": tag.read_text()}
    with client.stream("GET", url, headers=ask) as response:
        first = response.history[0] if response.history else response
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and have == _whole_size(response):
            return first.headers
        response.raise_for_status()
        continued = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if continued else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        if not continued:
            _remember(tag, response.headers.get("ETag"))
        with into.open("ab" if continued else "wb") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                done += len(chunk)
                report(done, total)
    tag.unlink(missing_ok=True)
    return first.headers


def _remember(tag: Path, etag: str | None) -> None:
    """Keep a strong ETag only: a weak one does not promise the same bytes (RFC 9110, 13.1.5)."""
    if etag and not etag.startswith("W/"):
        tag.write_text(etag)
    else:
        tag.unlink(missing_ok=True)


def _whole_size(response: httpx.Response) -> int | None:
    _, _, size = response.headers.get("Content-Range", "").partition("*/")
    return int(size) if size.isdigit() else None
