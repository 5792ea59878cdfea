"""Processes die in the middle of a call: it ends in a defined state or goes on, and the next one is answered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from benchmarks.human_speech import Recorded
from benchmarks.processes import mapping, named
from benchmarks.system import Setup, System, running, stop
from tests.e2e.conftest import AGENTS, passable_folder
from tests.e2e.waiting import wait

APPROVED = "prompt/followme/sorry"
OTHER = "prompt/something-terribly-wrong"


@pytest.fixture(scope="module")
def fragile() -> Iterator[System]:
    """An Offhook of these tests' own."""
    with passable_folder() as folder, running(Setup(folder / "data", AGENTS)) as system:
        yield system


@contextmanager
def calling(system: System, caller: str, questions: list[Recorded], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`offhook call` in a process of its own, in the middle of a call from here on."""
    command = [sys.executable, "-m", "orchestrator", "call", system.uri("demo"), "--caller", caller]
    for question in questions:
        command += ["--wav", str(question.path)]
    with (folder / "caller.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait(lambda: live_call(system, caller) is not None, 20)
        yield process
    finally:
        stop(process, within=10.0)


def live_call(system: System, caller: str) -> dict[str, Any] | None:
    """The call from *caller*, as stored so far."""
    return next((call for call in system.calls() if caller in call["caller"]), None)


def heard_agent(system: System, caller: str) -> Callable[[], bool]:
    """Whether the stored call says that the caller has heard the greeting."""

    def check() -> bool:
        call = live_call(system, caller)
        return call is not None and any(line["speaker"] == "agent" for line in system.call(call["id"])["transcript"])

    return check


def only(pids: list[int]) -> int:
    assert len(pids) == 1, f"one process was expected: {pids}"
    return pids[0]


def recorded_seconds(system: System, call: dict[str, Any]) -> float:
    with wave.open(BytesIO(system.recording(call["id"])), "rb") as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 16000)
        return len(file.readframes(file.getnframes())) / 4 / 16000


def test_when_the_gateway_dies_the_call_is_lost_and_the_next_one_is_answered(
    fragile: System, human: dict[str, Recorded], tmp_path: Path
) -> None:
    with calling(fragile, "gateway-victim", [human[APPROVED]] * 3, tmp_path) as caller:
        wait(heard_agent(fragile, "gateway-victim"), 20)
        os.kill(only(named(fragile.pid, "telephony.sip.gateway")), signal.SIGKILL)
        lost = fragile.call_from("gateway-victim", within=20)
        assert lost["reason"] == "leg_lost"
        assert recorded_seconds(fragile, lost) > 2.0
        caller.kill()
    wait(fragile.ready, 30)
    assert exit_code(fragile, "gateway-heir", [human[APPROVED]], tmp_path) == 0


def test_when_an_engine_dies_the_call_goes_on(fragile: System, human: dict[str, Recorded], tmp_path: Path) -> None:
    questions = [human[APPROVED], human[OTHER], human[APPROVED]]
    with calling(fragile, "engine-victim", questions, tmp_path) as caller:
        wait(heard_agent(fragile, "engine-victim"), 20)
        os.kill(only(mapping(fragile.pid, "smollm2")), signal.SIGKILL)
        assert caller.wait(90) == 0, (tmp_path / "caller.log").read_text()
    call = fragile.call_from("engine-victim")
    assert call["reason"] == "caller_hangup"
    assert [turn["answer"] for turn in call["turns"]].count("approved") == 2
    assert all(turn["heard_text"] for turn in call["turns"])
    wait(fragile.ready, 60)


def test_when_postgresql_dies_the_call_goes_on_and_is_stored_afterwards(
    fragile: System, human: dict[str, Recorded], tmp_path: Path
) -> None:
    with calling(fragile, "database-victim", [human[APPROVED]] * 2, tmp_path) as caller:
        wait(heard_agent(fragile, "database-victim"), 20)
        os.kill(min(named(fragile.pid, "bin/postgres")), signal.SIGKILL)
        assert caller.wait(90) == 0, (tmp_path / "caller.log").read_text()
    wait(fragile.ready, 60)
    call = fragile.call_from("database-victim", within=30)
    assert call["reason"] == "caller_hangup"
    assert [turn["answer"] for turn in call["turns"]] == ["greeting", "approved", "approved"]
    assert recorded_seconds(fragile, call) > 5.0


def test_stopping_in_mid_call_says_goodbye_to_the_caller_and_ends_the_call(
    human: dict[str, Recorded], tmp_path: Path
) -> None:
    with passable_folder() as folder:
        setup = Setup(folder / "data", AGENTS)
        with running(setup) as system, calling(system, "stop-victim", [human[APPROVED]] * 3, tmp_path) as caller:
            wait(heard_agent(system, "stop-victim"), 20)
            os.kill(system.pid, signal.SIGTERM)
            assert caller.wait(20) == 1
            assert "the agent hung up" in (tmp_path / "caller.log").read_text()
        with running(setup) as again:
            assert again.call_from("stop-victim")["reason"] == "shutdown"


def exit_code(system: System, caller: str, questions: list[Recorded], folder: Path) -> int:
    with calling(system, caller, questions, folder) as process:
        return process.wait(60)
