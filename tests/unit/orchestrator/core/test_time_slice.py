"""Slices are asked for in a thread of its own, so that the tests keep theirs."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from orchestrator.core.time_slice import PROMPT, ask_for_slices, slice_seconds

T = TypeVar("T")


def in_a_thread(work: Callable[[], T]) -> T:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


@pytest.fixture(autouse=True)
def _a_kernel_that_gives_slices() -> None:
    if not in_a_thread(lambda: ask_for_slices(PROMPT)):
        pytest.skip("this kernel gives no slices")


def test_a_thread_gets_the_slices_that_it_asks_for_and_no_other_does() -> None:
    before = slice_seconds()

    def ask() -> float:
        ask_for_slices(PROMPT)
        return slice_seconds()

    assert in_a_thread(ask) == PROMPT
    assert slice_seconds() == before


def test_what_a_thread_starts_has_its_slices_until_it_asks_for_the_usual_ones() -> None:
    def ask() -> tuple[float, float]:
        ask_for_slices(PROMPT)
        inherited = in_a_thread(slice_seconds)
        ask_for_slices(0)
        return inherited, slice_seconds()

    inherited, usual = in_a_thread(ask)
    assert inherited == PROMPT
    assert usual > PROMPT


def test_asking_changes_no_priority() -> None:
    def ask() -> tuple[int, int]:
        before = os.getpriority(os.PRIO_PROCESS, 0)
        ask_for_slices(PROMPT)
        return before, os.getpriority(os.PRIO_PROCESS, 0)

    before, after = in_a_thread(ask)
    assert before == after
