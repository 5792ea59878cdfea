"""What is known of a caller, on the virtual clock: the language model knows it from the start, and nobody waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from orchestrator.calls.remembering import Recall
from orchestrator.core.acquaintance import Acquaintance, EarlierCall
from orchestrator.core.errors import StoreUnavailable
from tests.calls.scene import Says, Scene

ANN = Acquaintance("Ann Lebrun", "fr", "Prefers mornings.", (EarlierCall(timedelta(days=3), "She moved a visit."),))


def recalling(known: Acquaintance | None, after: float = 0.0) -> Recall:
    async def recall() -> Acquaintance | None:
        await asyncio.sleep(after)
        return known

    return recall


async def failing() -> Acquaintance | None:
    raise StoreUnavailable("the database is away")


def played(recall: Recall | None) -> Scene:
    return Scene(says=[Says("can you help me", 4.0)], hangs_up=12.0, recall=recall).run()


def asked(scene: Scene) -> str:
    """The system message of the last request."""
    return scene.llm.requests[-1][0].content


def test_the_language_model_knows_the_caller_before_it_is_asked() -> None:
    scene = played(recalling(ANN, after=0.05))
    for told in ("Ann Lebrun", "fr", "Prefers mornings.", "3 days ago: She moved a visit."):
        assert told in asked(scene)
    assert asked(scene).startswith(asked(played(None))), "what all calls have in common comes first"
    assert scene.llm.prefilled[0][0].content == asked(scene)
    assert [event.payload for event in scene.events("memory")] == [{"contact": True, "calls": 1}]
    assert "Ann" not in str(scene.events("memory"))


def test_a_stranger_leaves_everything_as_it_was() -> None:
    scene = played(recalling(None))
    assert asked(scene) == asked(played(None))
    assert scene.events("memory") == []


@pytest.mark.parametrize("recall", [failing, recalling(ANN, after=60.0)])
def test_a_database_that_is_away_or_slow_costs_the_call_nothing(recall: Recall) -> None:
    scene, plain = played(recall), played(None)
    assert scene.lines == plain.lines
    assert [turn.marks for turn in scene.turns_kept] == [turn.marks for turn in plain.turns_kept]
    assert asked(scene) == asked(plain)
    assert [event.payload for event in scene.events("memory")] == [{"failed": True}]


def test_nobody_waits_for_it() -> None:
    late, never = played(recalling(ANN, after=0.9)), played(None)
    assert late.turns_kept[0].marks == never.turns_kept[0].marks


def test_a_call_that_ends_at_once_does_not_wait_for_it_either() -> None:
    scene = Scene(hangs_up=0.1, recall=recalling(ANN, after=0.9)).run()
    assert scene.events("memory") == []
