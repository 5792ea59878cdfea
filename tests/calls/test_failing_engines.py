"""What a caller hears of an engine that hangs: its deadline twice, and from then on the apology at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from inference.operations import OPERATIONS
from inference.remote import Gauge, Pulse, RemoteLanguageModel
from orchestrator.calls.setup import SessionSettings
from tests.calls.scene import Says, Scene


class Stuck:
    """A channel to an engine that never answers."""

    async def ask(self, operation: str, arguments: Mapping[str, object]) -> Any:
        await asyncio.sleep(1e6)

    async def stream(self, operation: str, arguments: Mapping[str, object]) -> AsyncGenerator[Any, None]:
        await asyncio.sleep(1e6)
        yield None


def hang(scene: Scene) -> None:
    """Let the language model of *scene* never answer."""
    pulse = Pulse(clock=asyncio.get_running_loop().time)
    scene.llm = RemoteLanguageModel("llm", Stuck(), OPERATIONS["llm"], Gauge(), pulse)


def test_a_caller_waits_for_a_stuck_language_model_twice_and_then_hears_the_apology_at_once():
    scene = Scene(
        says=[Says("tell me a joke", 2.0), Says("or a story", 15.0), Says("or a riddle", 28.0)],
        settings=SessionSettings(failures=4, speculate=False),
        hangs_up=40.0,
        before=hang,
    ).run()
    asked = [event.at for event in scene.events("state") if event.payload["to"] == "process"]
    failed = [event.at for event in scene.events("engine_failed")]
    waits = [end - begin for begin, end in zip(asked, failed, strict=True)]
    assert min(waits[:2]) > 6.9
    assert waits[2] < 0.1
