"""Asks the engines of a Ray cluster that another process has started: `python -m tests.contracts.reach_drill`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from inference.reach import ReachedEngines
from orchestrator.core.ports import Message, Mood, TextDelta
from tests.contracts.reference import reference_profile


async def main() -> None:
    profile = reference_profile().model_copy(update={"placement": "ray"})
    engines = ReachedEngines(profile, Path("/nonexistent"))
    assert await (await engines.sentiment()).score("angry") == Mood(0.75, 0.25, 0.0)
    llm = await engines.llm()
    assert [delta async for delta in llm.complete([Message("user", "how are you")])] == [
        TextDelta("how"),
        TextDelta("are"),
        TextDelta("you"),
    ]
    print("reached")


if __name__ == "__main__":
    asyncio.run(main())
