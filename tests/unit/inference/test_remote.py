"""An engine that fails is answered for at once, and asked again by one request alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import pytest

from inference.operations import OPERATIONS
from inference.remote import Gauge, Pulse, RemoteEmbedder, RemoteLanguageModel
from orchestrator.core.breaker import BreakerState
from orchestrator.core.errors import BadOutput, EngineError, EngineOverloaded, EngineTimeout, EngineUnavailable
from orchestrator.core.ports import Message, TextDelta
from tests.virtual_clock import run_virtual

FOREVER = 1e6


class Elsewhere:
    """A channel to an engine that takes *delay* seconds, and then says so or raises *failure*. asked: how often."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.failure: Exception | None = None
        self.asked = 0
        self.life: int | None = 0

    async def ask(self, operation: str, arguments: Mapping[str, object]) -> Any:
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.failure is not None:
            raise self.failure
        return "done"

    async def stream(self, operation: str, arguments: Mapping[str, object]) -> AsyncGenerator[Any, None]:
        yield TextDelta(await self.ask(operation, arguments))
        yield TextDelta("and more")


def run(story: Callable[[RemoteLanguageModel, RemoteEmbedder, Elsewhere], Awaitable[None]]) -> None:
    """Run *story* on virtual time, with two engines behind one channel."""

    async def scene() -> None:
        channel = Elsewhere()
        pulse = Pulse(lambda: channel.life, asyncio.get_running_loop().time)
        llm = RemoteLanguageModel("llm", channel, OPERATIONS["llm"], Gauge(), pulse)
        await story(llm, RemoteEmbedder("embed", channel, OPERATIONS["embed"], Gauge(), pulse), channel)

    run_virtual(scene())


async def reply(llm: RemoteLanguageModel, pieces: int = 2) -> float:
    """Ask for a reply, and take so many pieces of it; the seconds that it took."""
    clock = asyncio.get_running_loop().time
    began = clock()
    async with aclosing(llm.complete([Message("user", "hello")])) as items:
        for _ in range(pieces):
            await anext(items)
    return clock() - began


async def in_vain(llm: RemoteLanguageModel) -> tuple[float, type[EngineError]]:
    """Seconds until a reply has failed, and how."""
    clock = asyncio.get_running_loop().time
    began = clock()
    with pytest.raises(EngineError) as failure:
        await reply(llm)
    return clock() - began, failure.type


def test_an_engine_that_hangs_costs_two_callers_its_deadline_and_the_next_ones_nothing() -> None:
    async def story(llm: RemoteLanguageModel, _: RemoteEmbedder, channel: Elsewhere) -> None:
        channel.delay = FOREVER
        assert [await in_vain(llm) for _ in range(3)] == [
            (7.0, EngineTimeout),
            (7.0, EngineTimeout),
            (0.0, EngineUnavailable),
        ]
        assert (llm.wait("complete"), llm.state, channel.asked) == (8.0, BreakerState.OPEN, 2)

    run(story)


def test_one_caller_tries_it_again_and_the_others_follow_once_it_answers() -> None:
    async def story(llm: RemoteLanguageModel, _: RemoteEmbedder, channel: Elsewhere) -> None:
        channel.delay = FOREVER
        for _ in range(2):
            await in_vain(llm)
        await asyncio.sleep(8.0)
        channel.delay = 1.0
        assert llm.state is BreakerState.HALF_OPEN
        async with asyncio.TaskGroup() as group:
            trying = group.create_task(reply(llm))
            await asyncio.sleep(0.5)
            assert await in_vain(llm) == (0.0, EngineUnavailable)
        assert (trying.result(), llm.state) == (1.0, BreakerState.CLOSED)
        assert await reply(llm) == 1.0

    run(story)


def test_other_operations_of_the_engine_and_other_engines_go_on() -> None:
    async def story(llm: RemoteLanguageModel, embedder: RemoteEmbedder, channel: Elsewhere) -> None:
        channel.delay = FOREVER
        for _ in range(2):
            await in_vain(llm)
        channel.delay = 0.0
        assert await embedder.embed(["hello"]) == "done"
        assert await llm.end_of_utterance("hello") == "done"
        assert llm.wait("complete") > 0 == llm.wait("end_of_utterance")

    run(story)


@pytest.mark.parametrize("failure", [EngineOverloaded("llm", "full"), BadOutput("llm", "no words"), ValueError("no")])
def test_an_engine_that_answers_what_is_of_no_use_is_asked_on(failure: Exception) -> None:
    async def story(llm: RemoteLanguageModel, _: RemoteEmbedder, channel: Elsewhere) -> None:
        channel.delay, channel.failure = 3.0, failure
        for _ in range(5):
            with pytest.raises(type(failure)):
                await reply(llm)
        assert (llm.state, channel.asked) == (BreakerState.CLOSED, 5)

    run(story)


def test_requests_that_die_with_one_replica_leave_the_others_theirs() -> None:
    async def story(llm: RemoteLanguageModel, _: RemoteEmbedder, channel: Elsewhere) -> None:
        channel.delay, channel.failure = 0.5, EngineUnavailable("llm", "its replica is gone")
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(in_vain(llm))
        channel.failure = None
        assert await reply(llm) == 0.5

    run(story)


def test_a_process_that_was_started_again_is_asked_at_once() -> None:
    async def story(llm: RemoteLanguageModel, _: RemoteEmbedder, channel: Elsewhere) -> None:
        channel.delay = FOREVER
        for _ in range(2):
            await in_vain(llm)
        channel.life, channel.delay = None, 0.0
        assert await in_vain(llm) == (0.0, EngineUnavailable)
        channel.life = 1
        assert llm.state is BreakerState.CLOSED
        assert await reply(llm) == 0.0

    run(story)


def test_a_reply_that_nobody_hears_out_is_no_failure_and_ends_a_row_of_them() -> None:
    async def story(llm: RemoteLanguageModel, _: RemoteEmbedder, channel: Elsewhere) -> None:
        for _ in range(3):
            channel.delay = FOREVER
            await in_vain(llm)
            channel.delay = 0.0
            await reply(llm, pieces=1)
        assert llm.state is BreakerState.CLOSED

    run(story)
