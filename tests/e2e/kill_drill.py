"""A drill on a whole Offhook under load: `python -m tests.e2e.kill_drill --kills 50 --seed 1`.

Four callers talk without a pause while its worker, its orchestrator and its PostgreSQL are killed at random moments. In
the end every call that a caller was greeted in is there once, with all of its events and a recording to the kill, and
every job has been done.
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import signal
import subprocess
import sys
import wave
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from benchmarks.load_caller import Made, Plan, make_call
from benchmarks.load_questions import load_questions, rotated
from benchmarks.load_talk import Patience, Question
from benchmarks.processes import named, tree
from benchmarks.system import System, SystemFailed, free_port, stop, tail, until_ready
from inference.registry import Registry
from orchestrator.core.errors import CarrierRejected
from tests.e2e.conftest import passable_folder
from tests.e2e.waiting import wait

CALLERS: Final = 4
TARGETS: Final = ("worker", "orchestrator", "postgres")
_AGENT: Final = """
name = "drill"
numbers = ["drill"]
recording = "always"
greeting = "Hello, this is the drill. How may I help you?"
persona = "You are asked many questions and answer each in a sentence."
"""
# Seconds. A call that nobody carries any more: its caller hangs up after so long.
_PATIENCE: Final = Patience(greeting=6.0, reply=6.0)
_LONGEST: Final = 25.0
# What a recording may lack at its end: the half second that was being sealed, and what was on its way.
_CUT: Final = 1.2


@dataclass(slots=True)
class Installation:
    """An Offhook that may be killed and started again on its data."""

    folder: Path
    http_port: int = field(default_factory=free_port)
    sip_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def system(self) -> System:
        """The one that runs."""
        assert self.process is not None
        return System(self.process.pid, f"http://127.0.0.1:{self.http_port}", self.sip_port, self.folder / "data")

    def start(self) -> None:
        """Return once it takes calls."""
        agents, data = self.folder / "agents", self.folder / "data"
        agents.mkdir(exist_ok=True)
        data.mkdir(exist_ok=True)
        (agents / "drill.toml").write_text(_AGENT)
        command = [sys.executable, "-m", "orchestrator", "up", "--data", str(data), "--agents", str(agents)]
        command += ["--http-port", str(self.http_port), "--sip-ports", str(self.sip_port), "--profile", "stub"]
        with (data / "up.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until_ready(self.process, self.system, 60.0)

    def kill(self, target: str) -> bool:
        """Kill one of TARGETS; whether it was there. The orchestrator is started again."""
        assert self.process is not None
        if target != "orchestrator":
            found = named(self.process.pid, {"worker": "orchestrator worker", "postgres": "bin/postgres"}[target])
            if found:
                os.kill(min(found), signal.SIGKILL)
            return bool(found)
        self.process.kill()
        self.process.wait()
        self.start()
        return True


@dataclass(slots=True)
class Load:
    """What the callers did."""

    made: list[Made] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    stopping: bool = False

    async def run(self, sip_port: int, asked: Sequence[Question]) -> None:
        """Call and call again until stopped."""
        async with asyncio.TaskGroup() as group:
            for number in range(CALLERS):
                group.create_task(self._call_on(sip_port, number, asked))

    async def _call_on(self, sip_port: int, number: int, asked: Sequence[Question]) -> None:
        calls = 0
        while not self.stopping:
            calls += 1
            plan = Plan(sip_port, "drill", f"drill-{number}-{calls}", rotated(asked, calls, 2), _PATIENCE)
            try:
                async with asyncio.timeout(_LONGEST):
                    self.made.append(await make_call(plan))
            except (CarrierRejected, OSError, TimeoutError) as error:
                self.failed[type(error).__name__] += 1
                await asyncio.sleep(0.2)
            if self.made and self.made[-1].refused is not None:
                await asyncio.sleep(0.2)


async def drilled(installation: Installation, kills: int, seed: int) -> tuple[Load, Counter[str]]:
    """What the callers did, and how often each target was killed."""
    chance, load, killed = random.Random(seed), Load(), Counter[str]()
    calling = asyncio.create_task(load.run(installation.sip_port, load_questions(Registry(), "stub", human=True)))
    while killed.total() < kills:
        await asyncio.sleep(chance.uniform(0.5, 6.0))
        target = chance.choice(TARGETS)
        if await asyncio.to_thread(installation.kill, target):
            killed[target] += 1
            print(f"{killed.total():3}. {target}, {len(load.made)} calls", flush=True)
    await asyncio.sleep(5.0)
    load.stopping = True
    await calling
    return load, killed


def settled(system: System) -> list[dict[str, Any]]:
    """Every call in full, once all of them are over, recordings are complete and no job is left to be done."""
    wait(system.ready, 60)
    wait(lambda: not pages(system, "/api/v1/calls", live="true"), 60, lambda: "calls go on for ever")
    unfinished = ("queued", "running")
    wait(
        lambda: not any(pages(system, "/api/v1/jobs", state=state) for state in unfinished),
        240,
        lambda: f"jobs are left:\n{tail(system.log)}",
    )
    return [system.call(call["id"]) for call in pages(system, "/api/v1/calls")]


def pages(system: System, path: str, **query: str) -> list[dict[str, Any]]:
    """All items of a list."""
    items: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = system.get(path, limit="100", **query, **after)
        items += page["items"]
        if page["next"] is None:
            return items
        after = {"after": page["next"]}


def faults(system: System, load: Load) -> Iterator[str]:
    """Everything that is not as it should be."""
    calls = settled(system)
    times = Counter(call["caller"].partition("@")[0].removeprefix("sip:") for call in calls)
    for made in load.made:
        if made.greeted and times[made.plan.caller] != 1:
            yield f"{made.plan.caller} was greeted, and is there {times[made.plan.caller]} times"
    for caller, count in times.items():
        if count > 1:
            yield f"{caller} is there {count} times"
    for call in calls:
        numbers = [event["seq"] for event in call["events"]]
        if numbers != list(range(len(numbers))):
            yield f"{call['caller']} lacks events: {numbers}"
        yield from recording_faults(system, call)
    jobs = pages(system, "/api/v1/jobs")
    for job in jobs:
        if job["state"] != "succeeded":
            yield f"a job of kind {job['kind']} is {job['state']}: {job['error']}"
    counted = sum(day["calls"] for day in system.get("/api/v1/analytics")["items"])
    if counted != len(calls):
        yield f"{counted} calls are in the figures of days, {len(calls)} are there"
    print(f"{len(calls)} calls kept, {len(jobs)} jobs, {sum(made.greeted for made in load.made)} callers greeted")


def recording_faults(system: System, call: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the recording of a call, to the moment at which it was cut."""
    begun = [event for event in call["events"] if event["type"] == "recording" and event["payload"]["started"]]
    if not begun:
        return
    try:
        with wave.open(io.BytesIO(system.recording(call["id"], within=90.0))) as file:
            seconds = file.getnframes() / file.getframerate()
    except (SystemFailed, OSError, EOFError, wave.Error) as error:
        yield f"the recording of {call['caller']} ({call['reason']}) cannot be played: {error}"
        return
    if seconds < call["duration"] - begun[0]["at"] - _CUT:
        yield f"the recording of {call['caller']} ends at {seconds:.1f} of {call['duration']:.1f} s"


@contextmanager
def installed() -> Iterator[Installation]:
    """One of its own, gone afterwards with all of its processes."""
    with passable_folder() as folder:
        installation = Installation(folder)
        try:
            installation.start()
            yield installation
        finally:
            if installation.process is not None:
                left = tree(installation.process.pid)
                stop(installation.process)
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def main(
    kills: Annotated[int, typer.Option(help="How many.", min=1)] = 50,
    seed: Annotated[int, typer.Option(help="Of the moments and the victims.")] = 1,
) -> None:
    """Kill, and see what is left; exit code 1 when something is not as it should be."""
    began = datetime.now(UTC)
    with installed() as installation:
        load, killed = asyncio.run(drilled(installation, kills, seed))
        found = list(faults(installation.system, load))
        if found:
            print(tail(installation.system.log, 60))
    print(f"{dict(killed)} in {datetime.now(UTC) - began}; calls that failed: {dict(load.failed)}", *found, sep="\n")
    raise typer.Exit(int(bool(found)))


if __name__ == "__main__":
    typer.run(main)
