"""Engines that another process of this product runs: found, and never loaded a second time.

Engines in processes of a machine listen on sockets, whose places their owner writes into a file. On a Ray cluster they
are found by the names of their applications.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from inference.local.connections import Connections
from inference.local.remote import SocketChannel
from inference.manifest import Kind, Profile
from inference.operations import Operation
from inference.placed import RayCluster
from inference.remote import REMOTE, Channel, Gauge, RemoteEngine
from orchestrator.core.errors import EngineUnavailable
from orchestrator.core.ports import LanguageModel, Sentiment

# Nobody waits for these answers, and engines serve callers first.
_UNHURRIED: Mapping[Kind, Mapping[str, Operation]] = {
    "llm": {"complete": Operation(60.0, pause=30.0)},
    "sentiment": {"score": Operation(30.0)},
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the engine of a kind listens. model: the manifest's name."""

    model: str
    socket: Path


@contextmanager
def announced(addresses: Mapping[Kind, Address], file: Path) -> Iterator[None]:
    """During the block, *file* says where the engines are, to processes of the same user."""
    told = {kind: {"model": at.model, "socket": str(at.socket)} for kind, at in addresses.items()}
    draft = file.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


class ReachedEngines:
    """The engines of *profile* where they run already. file: what `announced` writes; ray: which cluster.

    Each is looked for when it is asked for: its owner may start later, or again.
    """

    def __init__(self, profile: Profile, file: Path, ray: RayCluster = "auto") -> None:
        self._profile = profile
        self._file = file
        self._ray = ray
        self._sockets: dict[Path, Connections] = {}

    async def llm(self) -> LanguageModel:
        """The language model. Raises EngineUnavailable while it is not there."""
        return cast("LanguageModel", await self._engine("llm"))

    async def sentiment(self) -> Sentiment:
        """The classifier of moods. Raises EngineUnavailable while it is not there."""
        return cast("Sentiment", await self._engine("sentiment"))

    async def _engine(self, kind: Kind) -> RemoteEngine:
        model, channel = await self._on_ray(kind) if self._profile.placement == "ray" else self._on_socket(kind)
        return REMOTE[kind](model, channel, _UNHURRIED[kind], Gauge())

    def _on_socket(self, kind: Kind) -> tuple[str, Channel]:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))[kind]
            model, socket = str(told["model"]), Path(told["socket"])
        except (OSError, ValueError, KeyError) as error:
            raise EngineUnavailable(kind, f"nobody runs it: {self._file} does not say where") from error
        for gone in [known for known in self._sockets if not known.exists()]:
            self._sockets.pop(gone).close()
        return model, SocketChannel(model, self._sockets.setdefault(socket, Connections(socket)))

    async def _on_ray(self, kind: Kind) -> tuple[str, Channel]:
        # Ray is an extra of its own, and slow to import.
        from inference.serve.reach import reached  # noqa: PLC0415

        model = self._profile.engines[kind].model
        return model, await reached(kind, model, self._ray)
