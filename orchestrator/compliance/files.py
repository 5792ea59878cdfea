"""Lines of files that somebody else goes on writing, made unreadable in place."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.agents import route


def blank_lines(path: Path, names: Sequence[str]) -> int:
    """Overwrite every line of *path* that holds one of *names* with spaces; how many.

    The file keeps its length, so whoever appends to it notices nothing. A file that is not there has no such line.
    Raises OSError.
    """
    if not names or not path.is_file():
        return 0
    wanted = _any_of(names)
    with path.open("r+b") as file:
        found = [(start, len(line.rstrip(b"\r\n"))) for start, line in _lines(file) if wanted.search(line)]
        for start, length in found:
            os.pwrite(file.fileno(), b" " * length, start)
        os.fsync(file.fileno())
    return len(found)


def names_any(path: Path, names: Sequence[str]) -> bool:
    """Whether a line of *path* holds one of *names*."""
    if not names or not path.is_file():
        return False
    wanted = _any_of(names)
    with path.open("rb") as file:
        return any(wanted.search(line) for line in file)


def calls_in(path: Path, forms: Sequence[str]) -> list[str]:
    """The ids of the calls whose beginning is in *path*, a file of records, with somebody who has one of *forms*."""
    if not path.is_file():
        return []
    found = []
    with path.open("rb") as file:
        for line in file:
            try:
                record = json.loads(line)
                started = record.get("kind") == "call_started"
                other = record["caller" if record["direction"] == "inbound" else "callee"] if started else ""
            except (ValueError, KeyError, AttributeError):
                continue
            if started and route(other) in forms:
                found.append(str(record["call_id"]))
    return found


def _any_of(names: Sequence[str]) -> re.Pattern[bytes]:
    # A number is not found in a longer one.
    return re.compile(rb"(?<![\w])(?:" + b"|".join(re.escape(name.encode()) for name in names) + rb")(?![\w])")


def _lines(file: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    start = 0
    for line in file:
        yield start, line
        start += len(line)
