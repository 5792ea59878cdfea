"""`python -m benchmarks.load_observed up …`: the product's own command, with a window into its process.

On SIGUSR1 it writes what its event loop and its heap hold to the file in LOAD_OBSERVED, as JSON. On SIGUSR2 it begins
to profile itself, and on the next one it writes what it found beside that file. The product knows nothing of either.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import json
import os
import runpy
import signal
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

VARIABLE = "LOAD_OBSERVED"


def observe(to: Path) -> None:
    """Obey the two signals from now on."""
    profiles: list[cProfile.Profile] = []

    def tell(number: int, frame: FrameType | None) -> None:
        written = to.with_suffix(".new")
        written.write_text(json.dumps(_state()))
        written.rename(to)

    def profile(number: int, frame: FrameType | None) -> None:
        if profiles:
            running = profiles.pop()
            running.disable()
            running.dump_stats(to.with_suffix(".prof"))
        else:
            profiles.append(cProfile.Profile())
            profiles[0].enable()

    signal.signal(signal.SIGUSR1, tell)
    signal.signal(signal.SIGUSR2, profile)


def _state() -> dict[str, object]:
    gc.collect()
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # there is no event loop yet
        tasks = set()
    return {
        "tasks": len(tasks),
        "tasks_by_name": Counter(_kind(task.get_name()) for task in tasks),
        "threads": threading.active_count(),
        "objects": len(gc.get_objects()),
    }


def _kind(name: str) -> str:
    """A task's name without its number."""
    return name.rstrip("0123456789").rstrip("-")


if __name__ == "__main__":
    observe(Path(os.environ[VARIABLE]))
    runpy.run_module("orchestrator", run_name="__main__")
