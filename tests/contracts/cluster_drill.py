"""A drill on a real Ray cluster: `python -m tests.contracts.cluster_drill`. It ends with status 0 when all went well.

Ray listens on every interface of the machine, so the drill is run in a network namespace that has none but loopback.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from inference.manifest import EngineChoice, Profile
from inference.placement import EngineSet, Terms, open_engines
from orchestrator.core.errors import EngineOverloaded, EngineUnavailable
from orchestrator.core.ports import LanguageModel, Message, Mood, TextDelta
from orchestrator.core.streams import closing
from tests.contracts.reference import LOADER, ReferenceModels, reference_profile

REPLICAS = 2


async def main() -> None:
    """Everything that the imitation of a cluster cannot show."""
    terms = Terms(placement="ray", ray="local", loader=LOADER)
    async with open_engines(drill_profile(), ReferenceModels(), terms) as engines:
        assert engines.ready
        assert await engines.sentiment.score("angry") == Mood(0.75, 0.25, 0.0)
        await another_process_reaches_them()
        await errors_keep_their_type(engines)
        await closing_reaches_the_replica(engines.llm)
        await a_dead_replica_costs_one_request(engines)


def drill_profile() -> Profile:
    """The reference engines, the language model with two replicas."""
    profile = reference_profile()
    llm = EngineChoice(model="reference-llm", replicas=REPLICAS)
    return profile.model_copy(update={"engines": {**profile.engines, "llm": llm}})


async def another_process_reaches_them() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.contracts.reach_drill")
    async with asyncio.timeout(60):
        assert await process.wait() == 0


async def errors_keep_their_type(engines: EngineSet) -> None:
    for request in (engines.sentiment.score("overloaded"), engines.embedder.embed(["wrong"])):
        try:
            await request
        except (EngineOverloaded, ValueError) as error:
            print("raised", type(error).__name__, error)
        else:
            raise AssertionError("nothing was raised")


async def replicas(llm: LanguageModel) -> dict[int, int]:
    """Process ids of the replicas that answer, and how many generations were closed on each."""
    closed: dict[int, int] = {}
    for _ in range(40):
        async for delta in llm.complete([Message("user", "state")]):
            assert isinstance(delta, TextDelta)
            count, _, pid = delta.text.split()
            closed[int(pid)] = int(count)
    return closed


async def closing_reaches_the_replica(llm: LanguageModel) -> None:
    async with closing(llm.complete([Message("user", "forever")])) as reply:
        await anext(aiter(reply))
    async with asyncio.timeout(10):
        while sum((await replicas(llm)).values()) != 1:
            pass
    print("closed")


async def a_dead_replica_costs_one_request(engines: EngineSet) -> None:
    clock = asyncio.get_running_loop().time
    before = await replicas(engines.llm)
    assert len(before) == REPLICAS, before
    victim, killed_at = 0, 0.0
    try:
        async with closing(engines.llm.complete([Message("user", "pid forever")])) as reply, asyncio.timeout(5):
            async for delta in reply:
                if not victim and isinstance(delta, TextDelta):
                    victim, killed_at = int(delta.text), clock()
                    os.kill(victim, signal.SIGKILL)
    except EngineUnavailable as error:
        print(f"in flight, after {clock() - killed_at:.3f} s:", error)
    assert victim in before
    async with asyncio.timeout(5):
        after = await replicas(engines.llm)
    assert victim not in after, (victim, after)
    print(f"went on after {clock() - killed_at:.3f} s with", after)


if __name__ == "__main__":
    asyncio.run(main())
