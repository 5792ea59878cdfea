"""SIP as text, for peers of few words that are not a phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A request or a response. start: the first line; headers: by name in lower case, the last of each."""

    start: str
    headers: dict[str, str]
    body: str

    @classmethod
    def parsed(cls, data: bytes) -> Self:
        """The message in a datagram."""
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(start, {name.strip().lower(): value.strip() for name, _, value in pairs}, body)

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Of a request, or of the one that a response answers."""
        return self.start.split()[0] if self.status == 0 else self.headers["cseq"].split()[1]
