"""Waiting for what other processes do: they start, register and die on their own clock."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait(
    condition: Callable[[], bool], within: float, failure: Callable[[], str] = lambda: "it did not happen in time"
) -> None:
    """Look until *condition* holds. Raises TimeoutError with what *failure* says after *within* seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(failure())
        time.sleep(0.05)
