"""Where engines run: in this process, in processes of this machine, or on a Ray cluster. The ports are the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from inference.direct import in_this_process
from inference.loading import HostedEngine, unload
from inference.local.pool import in_processes
from inference.manifest import IN_CALL_PROCESS, Kind, Manifest, Profile
from inference.placed import Hosted, Placed, Terms
from inference.reach import Address
from inference.remote import REMOTE, Pulse, RemoteEngine
from orchestrator.core.breaker import BreakerState
from orchestrator.core.ports import (
    Embedder,
    Interjections,
    LanguageModel,
    Recognizer,
    Sentiment,
    TextToSpeech,
    TurnDetector,
    VoiceActivity,
)

__all__ = ["EngineHealth", "EngineSet", "Models", "Terms", "VoiceActivityFactory", "open_engines"]


# Without any of these no call works, for nothing is said before the approved answers have been looked through; it works
# without the others, if not as well.
_ESSENTIAL: tuple[tuple[Kind, str], ...] = (
    ("stt", "recognize"),
    ("embed", "embed"),
    ("llm", "complete"),
    ("tts", "synthesize"),
)


class Models(Protocol):
    """Where manifests and weights are found: inference.registry.Registry."""

    def manifest(self, name: str) -> Manifest:
        """The manifest called *name*."""
        ...

    def files(self, manifest: Manifest) -> Path:
        """The folder with its files. Raises ConfigError when there is none."""
        ...


class VoiceActivityFactory(Protocol):
    """Opens a voice activity detector for each call."""

    def open(self) -> VoiceActivity:
        """A fresh detector."""
        ...


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """One engine now.

    process: where it runs; alive: whether it takes requests; restarts: how often its process was started again;
    in_flight: requests under way; breaker: whether what is asked of it is refused at once.
    """

    kind: Kind
    model: str
    process: str
    alive: bool
    restarts: int
    in_flight: int
    breaker: BreakerState


@dataclass(frozen=True, slots=True)
class EngineSet:
    """The engines of a profile. health: how those are that run in places of their own, at this moment.

    failing: seconds until what no call works without is asked again, 0 while nothing of it fails; addresses: where
    other processes of this machine can ask the engines too.
    """

    vad: VoiceActivityFactory
    turns: TurnDetector
    interjections: Interjections
    recognizer: Recognizer
    llm: LanguageModel
    tts: TextToSpeech
    embedder: Embedder
    sentiment: Sentiment
    health: Callable[[], tuple[EngineHealth, ...]]
    failing: Callable[[], float]
    addresses: Mapping[Kind, Address] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether every engine takes requests now."""
        return all(engine.alive for engine in self.health())


@asynccontextmanager
async def open_engines(profile: Profile, models: Models, terms: Terms | None = None) -> AsyncIterator[EngineSet]:
    """The engines of *profile*, loaded and warm; they stop at the end of the block.

    Raises ConfigError when a manifest, its files or its package are not as they must be, and EngineError when an engine
    does not start.
    """
    terms = terms or Terms()
    hosted = {kind: _hosted(models, profile, kind, terms) for kind in profile.engines}
    outside = {kind: engine for kind, engine in hosted.items() if kind not in IN_CALL_PROCESS}
    place = _PLACES[terms.placement or profile.placement]
    async with AsyncExitStack() as stack:
        vad = await _loaded(stack, hosted["vad"])
        turns = await _loaded(stack, hosted["turns"])
        interjections = await _loaded(stack, hosted["interjections"])
        placed = await stack.enter_async_context(place(profile, outside, terms))
        remote: dict[Kind, Any] = {
            kind: REMOTE[kind](outside[kind].manifest.name, at.channel, terms.operations[kind], at.gauge, _pulse(at))
            for kind, at in placed.items()
        }
        yield EngineSet(
            vad=vad,
            turns=turns,
            interjections=interjections,
            recognizer=remote["stt"],
            llm=remote["llm"],
            tts=remote["tts"],
            embedder=remote["embed"],
            sentiment=remote["sentiment"],
            health=lambda: tuple(_health(outside[kind], at, kind, remote[kind]) for kind, at in placed.items()),
            failing=lambda: max(remote[kind].wait(operation) for kind, operation in _ESSENTIAL),
            addresses={
                kind: Address(outside[kind].manifest.name, at.socket)
                for kind, at in placed.items()
                if at.socket is not None
            },
        )


def _hosted(models: Models, profile: Profile, kind: Kind, terms: Terms) -> HostedEngine:
    choice = profile.engines[kind]
    manifest = models.manifest(choice.model)
    return HostedEngine(manifest=manifest, files=models.files(manifest), threads=choice.threads, loader=terms.loader)


async def _loaded(stack: AsyncExitStack, hosted: HostedEngine) -> Any:
    engine = await hosted.load()
    stack.push_async_callback(unload, engine)
    return engine


def _pulse(at: Placed) -> Pulse:
    return Pulse(lambda: at.restarts() if at.alive() else None)


def _health(engine: HostedEngine, at: Placed, kind: Kind, remote: RemoteEngine) -> EngineHealth:
    return EngineHealth(
        kind, engine.manifest.name, at.process, at.alive(), at.restarts(), at.gauge.in_flight, remote.state
    )


def _on_ray(profile: Profile, hosted: Hosted, terms: Terms) -> AbstractAsyncContextManager[Mapping[Kind, Placed]]:
    # Ray is an extra of its own, and slow to import.
    from inference.serve.app import on_ray  # noqa: PLC0415

    return on_ray(profile, hosted, terms)


_PLACES = {"direct": in_this_process, "local": in_processes, "ray": _on_ray}
