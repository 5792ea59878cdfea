"""What the processes of an Offhook hold and use, by what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.processes import cpu_seconds, tree

_PARTS = {
    "telephony.sip.gateway": "gateways",
    "inference.local": "engines",
    "postgres": "database",
}
ORCHESTRATOR = "orchestrator"


@dataclass(frozen=True, slots=True)
class Holding:
    """What some processes hold together. cpu: seconds used so far."""

    processes: int = 0
    rss_bytes: int = 0
    threads: int = 0
    descriptors: int = 0
    sockets: int = 0
    cpu: float = 0.0

    def __add__(self, other: Holding) -> Holding:
        ours, theirs = asdict(self), asdict(other)
        return Holding(**{name: ours[name] + theirs[name] for name in ours})


def holdings(root: int) -> dict[str, Holding]:
    """What the processes below *root*, and it, hold now: orchestrator, gateways, engines, database."""
    found: dict[str, Holding] = {}
    for pid in tree(root):
        part = ORCHESTRATOR if pid == root else part_of(_command(pid))
        found[part] = found.get(part, Holding()) + _holding(pid)
    return found


def part_of(command: str) -> str:
    """The part of the product that a process of this *command* line is."""
    return next((part for sign, part in _PARTS.items() if sign in command), "other")


def cpu_between(before: Mapping[str, Holding], after: Mapping[str, Holding]) -> dict[str, float]:
    """CPU seconds that each part has used."""
    return {part: round(after[part].cpu - before.get(part, Holding()).cpu, 2) for part in sorted(after)}


def slope(points: Iterable[tuple[float, float]]) -> float:
    """How much y grows for each x, by least squares; 0 for fewer than two points."""
    pairs = list(points)
    if len(pairs) < 2:
        return 0.0
    middle_x = sum(x for x, _ in pairs) / len(pairs)
    middle_y = sum(y for _, y in pairs) / len(pairs)
    spread = sum((x - middle_x) ** 2 for x, _ in pairs)
    return sum((x - middle_x) * (y - middle_y) for x, y in pairs) / spread if spread else 0.0


def _holding(pid: int) -> Holding:
    """All zero when the process is gone."""
    folder = Path("/proc") / str(pid)
    try:
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        kinds = [_kind(entry) for entry in (folder / "fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return Holding()
    return Holding(
        processes=1,
        rss_bytes=int(status.get("VmRSS", "0 kB").split()[0]) * 1024,
        threads=int(status["Threads"]),
        descriptors=len(kinds),
        sockets=sum(kind.startswith("socket:") for kind in kinds),
        cpu=cpu_seconds(pid),
    )


def _kind(entry: Path) -> str:
    """What a descriptor is open on; empty when it has just been closed."""
    try:
        return str(entry.readlink())
    except FileNotFoundError:
        return ""


def _command(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_text(errors="replace").replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""
