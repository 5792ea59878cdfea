"""Speculation stops while the engines fall behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.calls.load_guard import LoadGuard


def test_a_quick_machine_takes_drafts_up_to_their_number() -> None:
    guard = LoadGuard(drafts=2)
    assert [guard.admit() for _ in range(3)] == [True, True, False]
    guard.done()
    assert guard.admit()


def test_one_slow_turn_closes_nothing() -> None:
    guard = LoadGuard()
    for seconds in (0.2, 0.2, 1.0):
        guard.waited(seconds)
    assert guard.admit()


def test_it_closes_when_turns_stay_slow_and_opens_when_they_are_quick_again() -> None:
    guard = LoadGuard()
    for _ in range(5):
        guard.waited(1.0)
    assert not guard.admit()
    guard.waited(0.5)
    assert not guard.admit()
    for _ in range(5):
        guard.waited(0.2)
    assert guard.admit()


@given(st.lists(st.floats(0.0, 0.59), max_size=50))
def test_it_never_closes_on_a_machine_that_keeps_up(waits: list[float]) -> None:
    guard = LoadGuard()
    for seconds in waits:
        guard.waited(seconds)
    assert not guard.closed
