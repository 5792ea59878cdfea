"""The Range header of a request (RFC 9110, section 14.2)."""

from __future__ import annotations

import re
from typing import Final

_SINGLE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Unsatisfiable(Exception):
    """The range begins where nothing is."""


def requested(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last, of *size*; None for all of it.

    What is no range, or more than one, is ignored, as the standard allows. Raises Unsatisfiable.
    """
    found = _SINGLE.fullmatch(header.strip()) if header else None
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if not first:
        start, stop = size - min(int(last), size), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise Unsatisfiable
    return start, stop
