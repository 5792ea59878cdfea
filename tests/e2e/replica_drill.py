"""A drill on a whole Offhook whose engines live on a Ray cluster: `python -m tests.e2e.replica_drill`.

A caller asks, the replica of the language model that is answering is killed, and the caller asks again. It ends with
status 0 when that cost one turn at most. To be run in a network namespace: see tests.seclusion.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.caller import MeasuredCall, measured_call
from benchmarks.conversation import Line, Manners
from benchmarks.human_speech import recordings
from benchmarks.processes import cpu_seconds, named, tree
from benchmarks.sound_files import read_wav
from benchmarks.system import Setup, System, free_port, running, tail
from orchestrator.core.agent import Phrases
from telephony.sip.caller import Dialling, Phone
from tests.e2e.conftest import AGENTS, passable_folder
from tests.e2e.waiting import wait

QUESTION = "prompt/vm-newpassword"  # no approved answer, and the language model goes on for long about it
REPLICAS = 2
# The reply is a small model's and may be endless: what comes in six seconds is enough, and longer than an apology.
MANNERS = Manners(monologue=6.0)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Ray cluster. pid: of `ray start`, the root of its process tree."""

    pid: int
    environment: Mapping[str, str]

    def replicas(self) -> set[int]:
        """The processes of the language model's replicas."""
        return set(named(self.pid, "ServeReplica:offhook-llm"))


def main() -> None:
    """The drill."""
    with passable_folder() as folder, cluster(folder) as ray:
        setup = Setup(folder / "data", AGENTS, "cpu-cluster", ray.environment, ready_within=120.0)
        with running(setup) as system, Phone() as phone:
            # On a quick machine a short answer may be complete before its replica is found.
            victim = next(filter(None, (call_with_a_killing(system, ray, phone, f"victim-{n}") for n in range(3))))
            wait(lambda: len(ray.replicas() - {victim}) == REPLICAS and system.ready(), 30)
            # The worker is on the cluster too, and is in nobody's way when Offhook stops.
            wait(lambda: system.call(system.calls()[0]["id"])["summary"] is not None, 90, lambda: tail(system.log))
        said = system.log.read_text(errors="replace")
        assert all(f'"{event}"' in said for event in ("stopping", "worker_stopped", "stopped")), tail(system.log)
        assert not any(event in said for event in ("worker_cut_off", "worker_killed", "SIGTERM received"))
    print("the call went on")


def call_with_a_killing(system: System, ray: Cluster, phone: Phone, caller: str) -> int | None:
    """A call of two questions; the replica that was killed while it answered the first one, None without one."""
    asked = recordings()[QUESTION]
    lines = [Line(f"{asked.name} {times}", read_wav(asked.path), asked.text) for times in ("once", "again")]
    with ThreadPoolExecutor(1) as killer:
        killing = killer.submit(kill_the_replica_that_answers, system, ray)
        call = measured_call(phone, Dialling(system.uri("demo"), caller), lines, MANNERS)
    victim = killing.result()
    print("killed", victim, tail(system.log), sep="\n")
    at_most_one_turn_was_lost(call, system.call_from(caller)["turns"])
    return victim


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """One of this machine, as `ray start` makes it."""
    address, log = f"127.0.0.1:{free_port()}", folder / "ray.log"
    # Ray asks for a token unless told otherwise; given here, it is not left in the home folder.
    environment = {"RAY_ADDRESS": address, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--num-cpus=5"]
    command += ["--node-ip-address=127.0.0.1", f"--port={address.rpartition(':')[2]}", f"--temp-dir={folder / 'ray'}"]
    command += ["--include-dashboard=false", "--disable-usage-stats", "--object-store-memory=100000000"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ | environment
        )
    try:
        wait(lambda: "Ray runtime started" in log.read_text(), 60, lambda: tail(log))
        yield Cluster(process.pid, environment)
    finally:
        # `ray stop` would end every Ray of this machine, and SIGTERM drains for half a minute.
        left = tree(process.pid)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        wait(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in left), 10)


def kill_the_replica_that_answers(system: System, ray: Cluster) -> int | None:
    """Kill it in the middle of its answer to the next call's first question; its process id, None when it was done."""
    before = len(system.calls())
    replicas = ray.replicas()
    assert len(replicas) == REPLICAS, replicas
    wait(lambda: len(system.calls()) > before and "process" in states(system), 40)
    # A prefill may still be under way on the other one.
    while requests(system) != 1 or len(busy := working(replicas)) != 1:
        if not requests(system):
            return None
    os.kill(busy[0], signal.SIGKILL)
    return busy[0]


def states(system: System) -> list[str]:
    """The states that the latest call has entered."""
    events = system.call(system.calls()[0]["id"])["events"]
    return [event["payload"]["to"] for event in events if event["type"] == "state"]


def requests(system: System) -> int:
    """How many the language model has under way."""
    metrics = httpx.get(f"{system.http}/metrics", timeout=5.0).text.splitlines()
    (sample,) = (line for line in metrics if line.startswith('offhook_engine_requests{engine="llm"}'))
    return int(float(sample.split()[1]))


def working(replicas: set[int], seconds: float = 0.1) -> list[int]:
    """Those that are on a CPU for a third of the next *seconds*."""
    before = {pid: cpu_seconds(pid) for pid in replicas}
    time.sleep(seconds)
    return [pid for pid in replicas if cpu_seconds(pid) - before[pid] > seconds / 3]


def at_most_one_turn_was_lost(call: MeasuredCall, turns: list[dict[str, Any]]) -> None:
    """The caller heard something each time, an apology once at most, and was answered in the end."""
    for turn in turns:
        print(turn["index"], turn["answer"], "|", turn["caller_text"], "|", turn["heard_text"])
    assert call.succeeded, (call.placed.hung_up_by, call.greeting, call.turns)
    assert ["password" in turn["caller_text"] for turn in turns if turn["caller_text"]] == [True, True]
    lost = [turn for turn in turns if turn["answer"] == "fallback"]
    assert [turn["heard_text"] for turn in lost] in ([], [Phrases().trouble])
    assert turns[-1]["answer"] == "llm"
    assert turns[-1]["heard_text"]


if __name__ == "__main__":
    main()
