"""What a program and its children use, from /proc."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class _Stat:
    """One line of /proc/<pid>/stat (proc_pid_stat(5)). cpu: seconds, with those of its reaped children."""

    parent: int
    cpu: float
    rss_bytes: int


@dataclass(slots=True)
class Usage:
    """Of a process tree. cpu: seconds of all cores together; peak_rss_bytes: the highest sum of resident sets seen."""

    cpu: float = 0.0
    peak_rss_bytes: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)


def tree(root: int) -> set[int]:
    """*root* and everything below it; empty when it is gone."""
    parents = {pid: stat.parent for pid, stat in _all_stats()}
    if root not in parents:
        return set()
    found = {root}
    grown = True
    while grown:
        below = {pid for pid, parent in parents.items() if parent in found} - found
        found |= below
        grown = bool(below)
    return found


def named(root: int, part: str) -> list[int]:
    """The processes below *root* whose command line contains *part*, oldest first."""
    return [pid for pid in sorted(tree(root) - {root}) if part in _command(pid)]


def mapping(root: int, part: str) -> list[int]:
    """The processes below *root* that have a file mapped whose path contains *part*, such as a model's weights."""
    return [pid for pid in sorted(tree(root) - {root}) if part in _read(pid, "maps")]


def cpu_seconds(pid: int) -> float:
    """CPU seconds that *pid* has used, all cores together; 0 when it is gone."""
    stat = _stat(pid)
    return 0.0 if stat is None else stat.cpu


@contextmanager
def usage(root: int, every: float = 1.0) -> Iterator[Usage]:
    """The use of the tree under *root* from here to the end of the block, looked at *every* so many seconds."""
    used = Usage()
    before = _sample(root, used)
    watcher = threading.Thread(target=_watch, args=(root, used, every), name="usage")
    watcher.start()
    try:
        yield used
    finally:
        used._stop.set()
        watcher.join()
        used.cpu = _sample(root, used) - before


def _watch(root: int, used: Usage, every: float) -> None:
    while not used._stop.wait(every):
        _sample(root, used)


def _sample(root: int, used: Usage) -> float:
    """Note the memory of the tree; its CPU seconds so far."""
    stats = [stat for pid in tree(root) if (stat := _stat(pid)) is not None]
    used.peak_rss_bytes = max(used.peak_rss_bytes, sum(stat.rss_bytes for stat in stats))
    return sum(stat.cpu for stat in stats)


def _all_stats() -> Iterator[tuple[int, _Stat]]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            yield int(entry.name), stat


def _stat(pid: int) -> _Stat | None:
    """None when the process is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may hold blanks and parentheses of its own.
    fields = text.rpartition(")")[2].split()
    return _Stat(int(fields[1]), sum(map(int, fields[11:15])) / _TICKS, int(fields[21]) * _PAGE_BYTES)


def _command(pid: int) -> str:
    return _read(pid, "cmdline").replace("\0", " ")


def _read(pid: int, name: str) -> str:
    """A file of a process; empty when it is gone."""
    try:
        return (_PROC / str(pid) / name).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
