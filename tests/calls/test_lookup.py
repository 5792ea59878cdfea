"""Approved answers that several ask for at once."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.calls.lookup import Lookup
from orchestrator.core.errors import EngineError, EngineUnavailable
from orchestrator.dialogue.answers import AnswerBook
from tests.calls.scene import HOURS
from tests.fakes.engines import FakeEmbedder
from tests.virtual_clock import run_virtual

QUESTION = HOURS.questions[0]


async def opened(group: asyncio.TaskGroup, embedder: FakeEmbedder) -> Lookup:
    book = await AnswerBook.open(embedder, (HOURS,))
    embedder.requests.clear()
    return Lookup(group, book)


def test_whoever_asks_about_the_same_words_shares_one_look():
    embedder = FakeEmbedder()

    async def ask() -> None:
        async with asyncio.TaskGroup() as group:
            lookup = await opened(group, embedder)
            found, likeness = await asyncio.gather(lookup.find(QUESTION), lookup.likeness(QUESTION))
            assert [match.answer for match in found] == [HOURS.answer]
            assert likeness == pytest.approx(1.0)

    run_virtual(ask())
    assert len(embedder.requests) == 1


def test_one_who_gives_up_leaves_the_look_to_the_other():
    async def ask() -> None:
        async with asyncio.TaskGroup() as group:
            lookup = await opened(group, FakeEmbedder(delay=1.0))
            impatient = asyncio.create_task(lookup.find(QUESTION))
            patient = asyncio.create_task(lookup.find(QUESTION))
            await asyncio.sleep(0.5)
            impatient.cancel()
            assert await patient

    run_virtual(ask())


def test_a_look_that_failed_is_not_kept():
    embedder = FakeEmbedder()

    async def ask() -> None:
        async with asyncio.TaskGroup() as group:
            lookup = await opened(group, embedder)
            embedder.failure = EngineUnavailable("embed", "gone")
            with pytest.raises(EngineUnavailable):
                await lookup.find(QUESTION)
            embedder.failure = None
            assert await lookup.find(QUESTION)

    run_virtual(ask())


def test_a_request_that_the_encoder_refuses_costs_no_call():
    async def ask() -> None:
        async with asyncio.TaskGroup() as group:
            embedder = FakeEmbedder()
            lookup = await opened(group, embedder)
            embedder.failure = ValueError("too long")  # type: ignore[assignment]
            with pytest.raises(EngineError, match="too long"):
                await lookup.find(QUESTION)

    run_virtual(ask())


def test_the_end_of_a_call_waits_for_no_look():
    async def ask() -> None:
        async with asyncio.TaskGroup() as group:
            embedder = FakeEmbedder()
            lookup = await opened(group, embedder)
            embedder.delay = 1000.0
            asker = group.create_task(lookup.find(QUESTION))
            await asyncio.sleep(0.1)
            asker.cancel()
            lookup.stop()
        assert asyncio.get_running_loop().time() < 10.0

    run_virtual(ask())
