"""What calls see when a process with engines misbehaves or dies, and how it comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from inference.loading import HostedEngine
from inference.local.patience import Patience
from inference.local.plan import HostPlan
from inference.local.supervisor import EngineProcess
from inference.manifest import Kind
from inference.operations import OPERATIONS, Operation
from inference.placement import EngineSet, Terms, open_engines
from orchestrator.core.errors import BadOutput, ConfigError, EngineTimeout, EngineUnavailable
from orchestrator.core.ports import LanguageModel, Message, TextDelta
from orchestrator.core.streams import closing
from tests.contracts.reference import LOADER, ReferenceModels, reference_profile

QUICK = Patience(pulse=0.1, answer=0.5, restart=0.01)
IMPATIENT = {**OPERATIONS, "llm": {"complete": Operation(0.3, pause=0.3), "prefill": Operation(0.3)}}


def local(
    options: dict[Kind, dict[str, Any]] | None = None, patience: Patience = QUICK, **terms: Any
) -> AbstractAsyncContextManager[EngineSet]:
    """The reference engines in one process."""
    placed = Terms(placement="local", loader=LOADER, patience=patience, **terms)
    return open_engines(reference_profile(process="all"), ReferenceModels(options), placed)


async def reply(llm: LanguageModel, text: str) -> str:
    return " ".join(
        [delta.text async for delta in llm.complete([Message("user", text)]) if isinstance(delta, TextDelta)]
    )


async def process_of(engines: EngineSet) -> int:
    return int((await reply(engines.llm, "state")).split()[2])


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does, ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing here could set an event
            await asyncio.sleep(0.01)


def exists(pid: int) -> bool:
    """Whether the process runs: one that has ended may wait for init to take note of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def told(pid: int, what: str) -> list[str]:
    """The process's "cmdline" or "environ"."""
    return Path(f"/proc/{pid}/{what}").read_bytes().decode().split("\0")


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


async def recovered(engines: EngineSet) -> None:
    await until(lambda: engines.ready and engines.health()[0].restarts > 0)
    assert await reply(engines.llm, "well again") == "well again"


async def test_a_killed_process_ends_streams_at_once_and_comes_back() -> None:
    restarts: list[tuple[str, str]] = []
    async with local(on_restart=lambda process, reason: restarts.append((process, reason))) as engines:
        victim = await process_of(engines)
        with pytest.raises(EngineUnavailable, match="reference-llm: its process is gone"):
            async with closing(engines.llm.complete([Message("user", "forever")])) as stream, asyncio.timeout(1):
                async for _ in stream:
                    os.kill(victim, signal.SIGKILL)
        await recovered(engines)
        assert await process_of(engines) != victim
        assert restarts == [("all", "ended with status -9")]


async def test_requests_are_refused_at_once_while_the_process_is_away() -> None:
    async with local(patience=Patience(restart=60.0)) as engines:
        os.kill(await process_of(engines), signal.SIGKILL)
        await until(lambda: not engines.ready)
        async with asyncio.timeout(0.5):
            with pytest.raises(EngineUnavailable):
                await engines.sentiment.score("hello")


async def test_a_frozen_process_is_killed_and_replaced() -> None:
    async with local() as engines:
        os.kill(await process_of(engines), signal.SIGSTOP)
        with pytest.raises(EngineUnavailable):
            await engines.sentiment.score("hello")
        await recovered(engines)


async def test_an_engine_that_seizes_its_process_is_killed_and_replaced() -> None:
    async with local() as engines:
        with pytest.raises(EngineUnavailable):
            await engines.sentiment.score("seize")
        await recovered(engines)


async def test_an_engine_that_says_it_can_serve_no_more_is_replaced() -> None:
    reasons: list[str] = []
    async with local(on_restart=lambda _, reason: reasons.append(reason)) as engines:
        await engines.sentiment.score("ill")
        await recovered(engines)
    assert reasons == ["no longer serves: reference-sentiment: worn out"]


async def test_no_answer_within_the_deadline_is_a_timeout() -> None:
    async with local(operations=IMPATIENT) as engines:
        with pytest.raises(EngineTimeout, match=r"reference-llm: prefill gave nothing for 0\.3 s"):
            await engines.llm.prefill([Message("user", "hang")])
        assert await reply(engines.llm, "still here") == "still here"


async def test_a_stream_that_stops_midway_is_a_timeout() -> None:
    async with local(operations=IMPATIENT) as engines:
        with pytest.raises(EngineTimeout, match=r"complete gave nothing for 0\.3 s"):
            await reply(engines.llm, "first hang")


async def test_deadlines_missed_in_a_row_replace_the_process() -> None:
    async with local(operations=IMPATIENT) as engines:
        for _ in range(QUICK.misses):
            with pytest.raises(EngineTimeout):
                await reply(engines.llm, "hang")
        await recovered(engines)


async def test_a_slow_reader_holds_the_engine_up() -> None:
    async with local() as engines, closing(engines.tts.synthesize("flood")) as frames:
        await anext(aiter(frames))
        for _ in range(50):
            made = [int(frame.pcm[0]) async for frame in engines.tts.synthesize("made")]
        assert 0 < made[0] < 100  # of 1,000 frames of 64 kB


async def test_an_answer_that_cannot_be_sent_is_bad_output() -> None:
    async with local() as engines:
        with pytest.raises(BadOutput, match="reference-tts: a object cannot be sent to another process"):
            async for _ in engines.tts.synthesize("odd"):
                pass


async def test_an_engine_that_cannot_load_refuses_the_start_and_says_why() -> None:
    with pytest.raises(ConfigError, match="model 'reference-llm': weights are damaged"):
        async with local({"llm": {"broken": True}}):
            pass


async def test_a_process_that_dies_while_loading_refuses_the_start() -> None:
    with pytest.raises(EngineUnavailable, match="all: ended while it loaded, with status 7"):
        async with local({"tts": {"crashes": True}}):
            pass


async def test_the_end_of_the_block_ends_the_process() -> None:
    async with local() as engines:
        pid = await process_of(engines)
    assert not exists(pid)


def hosted(kind: Kind, threads: int) -> HostedEngine:
    manifest = ReferenceModels().manifest(f"reference-{kind}")
    return HostedEngine(manifest=manifest, files=Path("/nonexistent"), threads=threads, loader=LOADER)


async def test_a_process_is_nice_bounded_alone_in_its_session_and_knows_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OFFHOOK_SECRET", "x")
    plan = HostPlan(name="p", engines=(hosted("llm", 1), hosted("stt", 2)), niceness=7)
    async with EngineProcess(plan, QUICK) as process:
        assert process.pid is not None
        environment = told(process.pid, "environ")
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 7
        assert {"OMP_NUM_THREADS=2", "OMP_WAIT_POLICY=PASSIVE", "HF_HUB_OFFLINE=1"} <= set(environment)
        assert not any("SECRET" in entry for entry in environment)
        assert os.getsid(process.pid) == process.pid
        socket = told(process.pid, "cmdline")[3]
        assert mode(str(Path(socket).parent)) == 0o700


OWNER = """
import asyncio
from tests.contracts.test_failures_of_processes import local, process_of

async def main() -> None:
    async with local() as engines:
        print("engines", await process_of(engines), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_process_ends_when_its_owner_is_killed() -> None:
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, stdout=asyncio.subprocess.PIPE)
    assert owner.stdout is not None
    while (line := (await owner.stdout.readline()).split())[0] != b"engines":
        pass
    pid = int(line[1])
    owner.kill()
    await owner.wait()
    await until(lambda: not exists(pid))
