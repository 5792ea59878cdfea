"""What fails again and again is left alone, tried by one, and trusted again when that went well."""

from __future__ import annotations

from contextlib import suppress

import pytest

from orchestrator.core.breaker import Breaker, BreakerState, BreakerTerms


class Thing:
    """Something behind a breaker, and the time."""

    def __init__(self, lasting: float = 0.0) -> None:
        self.now = 100.0
        self.breaker = Breaker(BreakerTerms(3, lasting, rest=10.0, longest=30.0), lambda: self.now)

    def fails(self, times: int = 1, after: float = 0.0) -> None:
        for _ in range(times):
            with self.breaker.attempt() as attempt:
                self.now += after
                attempt.fail()

    def goes_well(self) -> None:
        with self.breaker.attempt():
            pass


def test_it_opens_after_failures_in_a_row_and_nothing_passes_until_it_has_rested() -> None:
    thing = Thing()
    thing.fails(2)
    assert (thing.breaker.state, thing.breaker.wait) == (BreakerState.CLOSED, 0.0)
    thing.fails()
    assert (thing.breaker.state, thing.breaker.wait) == (BreakerState.OPEN, 10.0)
    thing.now += 9.0
    assert thing.breaker.wait == 1.0
    thing.now += 1.0
    assert (thing.breaker.state, thing.breaker.wait) == (BreakerState.HALF_OPEN, 0.0)


def test_a_success_between_them_makes_failures_no_row() -> None:
    thing = Thing()
    for _ in range(5):
        thing.fails(2)
        thing.goes_well()
    assert thing.breaker.state is BreakerState.CLOSED


def test_one_tries_while_the_others_wait_and_a_success_closes_it() -> None:
    thing = Thing()
    thing.fails(3)
    thing.now += 10.0
    with thing.breaker.attempt():
        assert thing.breaker.wait > 0
    assert (thing.breaker.state, thing.breaker.wait) == (BreakerState.CLOSED, 0.0)


def test_each_try_that_fails_makes_it_rest_twice_as_long_up_to_a_limit() -> None:
    thing = Thing()
    thing.fails(3)
    rests = []
    for _ in range(4):
        rests.append(thing.breaker.wait)
        thing.now += thing.breaker.wait
        thing.fails()
    assert rests == [10.0, 20.0, 30.0, 30.0]
    thing.now += 30.0
    thing.goes_well()
    thing.fails(3)
    assert thing.breaker.wait == 10.0


def test_a_try_that_is_given_up_lets_the_next_one_try() -> None:
    thing = Thing()
    thing.fails(3)
    thing.now += 10.0
    with suppress(KeyboardInterrupt), thing.breaker.attempt():
        raise KeyboardInterrupt
    assert (thing.breaker.state, thing.breaker.wait) == (BreakerState.HALF_OPEN, 0.0)


def test_what_is_given_up_after_it_answered_is_a_success_and_before_it_is_nothing() -> None:
    thing = Thing()
    thing.fails(2)
    with suppress(KeyboardInterrupt), thing.breaker.attempt():
        raise KeyboardInterrupt
    thing.fails()
    assert thing.breaker.state is BreakerState.OPEN
    thing.now += 10.0
    with suppress(KeyboardInterrupt), thing.breaker.attempt() as attempt:
        attempt.answer(thing.now)
        raise KeyboardInterrupt
    assert thing.breaker.state is BreakerState.CLOSED


def test_many_failures_of_one_moment_do_not_open_it_where_they_have_to_last() -> None:
    thing = Thing(lasting=2.0)
    thing.fails(10)
    assert thing.breaker.state is BreakerState.CLOSED
    thing.now += 2.0
    thing.fails()
    assert thing.breaker.state is BreakerState.OPEN


def test_requests_that_waited_in_vain_have_lasted_as_long_as_they_waited() -> None:
    thing = Thing(lasting=2.0)
    thing.fails(3, after=1.0)
    assert thing.breaker.state is BreakerState.OPEN


def test_requests_that_were_on_their_way_when_it_opened_do_not_make_it_rest_longer() -> None:
    thing = Thing()
    with thing.breaker.attempt() as late:
        thing.fails(3)
        thing.now += 9.0
        late.fail()
    assert thing.breaker.wait == pytest.approx(1.0)
