"""Files of a hub repository, over plain HTTPS: <endpoint>/<org>/<repo>/resolve/<revision>/<path>."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from inference.sources.fetcher import FetchError, Report
from inference.sources.location import Member
from inference.sources.transfer import download, http_client

DEFAULT_ENDPOINT = "https://huggingface.co"

_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub of models. token: needed for gated repositories, such as Llama's, whose licence must be accepted first."""

    endpoint: str = DEFAULT_ENDPOINT
    token: str = ""

    @classmethod
    def from_environment(cls) -> Hub:
        """The hub that HF_ENDPOINT and HF_TOKEN name, as the hub's own tools read them."""
        endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
        return cls(endpoint or DEFAULT_ENDPOINT, os.environ.get("HF_TOKEN", ""))

    def fetch(self, member: Member, into: Path, report: Report) -> str | None:
        """Write *member* to *into*, resuming; the sha256 that the hub keeps of large files. Raises FetchError."""
        place = member.location
        url = f"{self.endpoint}/{place.name}/resolve/{place.version}/{member.path}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            with http_client(headers) as client:
                answer = download(client, url, into, report)
        except FetchError as error:
            if re.search(r": 40[13] ", str(error)):
                raise FetchError(f"{error}; accept the licence of {place.name} on the hub and set HF_TOKEN") from error
            raise
        etag = answer.get("X-Linked-Etag", "").strip('"')
        return etag if _SHA256.match(etag) else None
