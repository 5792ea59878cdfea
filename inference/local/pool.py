"""The engines of a profile in supervised processes of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from inference.loading import HostedEngine
from inference.local.plan import HostPlan
from inference.local.supervisor import EngineProcess
from inference.manifest import Kind, Profile
from inference.placed import Hosted, Placed, Terms


@asynccontextmanager
async def in_processes(profile: Profile, hosted: Hosted, terms: Terms) -> AsyncIterator[Mapping[Kind, Placed]]:
    """Every engine of *hosted* in the process that *profile* names for it; all start at once.

    Raises ConfigError or EngineError when one does not start; the others are stopped then.
    """
    processes = {
        name: EngineProcess(_plan(name, kinds, profile, hosted), terms.patience, terms.on_restart)
        for name, kinds in _by_process(profile, hosted).items()
    }
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.TaskGroup() as starts:
                for process in processes.values():
                    starts.create_task(stack.enter_async_context(process))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        yield {kind: _placed(processes[profile.process_of(kind)], engine) for kind, engine in hosted.items()}


def _by_process(profile: Profile, hosted: Hosted) -> dict[str, list[Kind]]:
    groups: dict[str, list[Kind]] = {}
    for kind in hosted:
        groups.setdefault(profile.process_of(kind), []).append(kind)
    return groups


def _plan(name: str, kinds: list[Kind], profile: Profile, hosted: Hosted) -> HostPlan:
    return HostPlan(
        name=name,
        engines=tuple(hosted[kind] for kind in kinds),
        niceness=max(profile.engines[kind].niceness for kind in kinds),
    )


def _placed(process: EngineProcess, engine: HostedEngine) -> Placed:
    return Placed(
        channel=process.channel(engine.manifest.name),
        gauge=process.gauge(),
        process=process.plan.name,
        alive=lambda: process.alive,
        restarts=lambda: process.restarts,
        socket=process.socket,
    )
