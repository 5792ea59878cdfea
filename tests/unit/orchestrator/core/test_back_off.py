"""Waits grow with early deaths, up to the longest, and begin anew after a long life."""

from __future__ import annotations

from orchestrator.core.back_off import BackOff


def test_each_early_death_doubles_the_wait_up_to_the_longest() -> None:
    back_off = BackOff(first=0.5, longest=3.0, steady=60.0)
    assert [back_off.after(1.0) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_after_a_long_life_the_waits_begin_anew() -> None:
    back_off = BackOff(first=0.5, longest=3.0, steady=60.0)
    assert [back_off.after(lived) for lived in (1.0, 1.0, 61.0, 1.0)] == [0.5, 1.0, 0.5, 1.0]
