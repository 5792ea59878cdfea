"""What all placements of engines take and give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from inference.loading import BUILD_ENGINE, HostedEngine
from inference.local.patience import Patience
from inference.manifest import Kind
from inference.operations import OPERATIONS, Operation
from inference.remote import Channel, Gauge

Placement: TypeAlias = Literal["direct", "local", "ray"]
RayCluster: TypeAlias = str
"""An address; "auto" for $RAY_ADDRESS or the one on this machine; "local" to start one that ends with us; "testing" for
Serve's own imitation of a cluster, in this process."""
Hosted: TypeAlias = Mapping[Kind, HostedEngine]


@dataclass(frozen=True, slots=True)
class Terms:
    """How engines are placed.

    placement: the profile's own when None; ray: which cluster, at placement "ray"; operations: deadlines; patience,
    on_restart: of supervised processes, the latter told the process and the reason; loader: see BUILD_ENGINE.
    """

    placement: Placement | None = None
    ray: RayCluster = "auto"
    operations: Mapping[Kind, Mapping[str, Operation]] = field(default_factory=lambda: OPERATIONS)
    patience: Patience = field(default_factory=Patience)
    on_restart: Callable[[str, str], None] = lambda process, reason: None
    loader: str = BUILD_ENGINE


@dataclass(frozen=True, slots=True)
class Placed:
    """One engine in its place.

    process: where that is, "" for this process; alive: whether it takes requests now; socket: where others of this
    machine can ask it, None when they cannot.
    """

    channel: Channel
    gauge: Gauge
    process: str = ""
    alive: Callable[[], bool] = lambda: True
    restarts: Callable[[], int] = lambda: 0
    socket: Path | None = None
