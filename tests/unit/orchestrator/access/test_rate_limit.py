from __future__ import annotations

import pytest

from orchestrator.access.rate_limit import Draw, RateLimit


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_so_many_tries_are_free_and_the_next_one_waits() -> None:
    watch = Watch()
    tries = RateLimit(4, 60.0, watch)
    assert [tries.take("a") for _ in range(4)] == [0.0] * 4
    assert tries.take("a") == pytest.approx(15.0)


def test_each_who_tries_has_a_bucket() -> None:
    tries = RateLimit(1, 60.0, Watch())
    assert tries.take("a") == 0.0
    assert tries.take("b") == 0.0
    assert tries.take("a") > 0.0


def test_tries_come_back_one_by_one() -> None:
    watch = Watch()
    tries = RateLimit(2, 60.0, watch)
    for _ in range(2):
        tries.take("a")
    watch.now += 30.0
    assert tries.take("a") == 0.0
    assert tries.take("a") == pytest.approx(30.0)


def test_who_tries_is_told_what_is_left() -> None:
    watch = Watch()
    tries = RateLimit(3, 60.0, watch)
    assert [tries.draw("a") for _ in range(4)] == [Draw(0, 2, 20), Draw(0, 1, 40), Draw(0, 0, 60), Draw(20, 0, 60)]
    watch.now += 40.0
    assert tries.draw("a") == Draw(0, 1, 40)


def test_a_refused_try_costs_nothing() -> None:
    watch = Watch()
    tries = RateLimit(1, 60.0, watch)
    tries.take("a")
    for _ in range(100):
        tries.take("a")
    watch.now += 60.0
    assert tries.take("a") == 0.0
