"""An Offhook under load: a pool of gateways on private ports, and a window into the orchestrator's process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.load_observed import VARIABLE
from benchmarks.scenario import agent_file
from benchmarks.system import System, SystemFailed, free_port, stop, tail, until_ready

_LINES_A_GATEWAY = 4  # the wheel's limit
_RTP_PORTS = "26000-27999"  # below those that the kernel gives away by itself


@dataclass(frozen=True, slots=True)
class LoadSetup:
    """What to start. agent: in scenarios/agents; lines: calls that it must hold at once; gateways: processes, as many
    as PJSIP's wheel needs for them when None."""

    profile: str
    agent: str
    lines: int
    gateways: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_within: float = 120.0


@dataclass(frozen=True, slots=True)
class LoadSystem:
    """A running one. gateways: their SIP ports; window: where its process writes what it holds."""

    system: System
    gateways: tuple[int, ...]
    window: Path

    @property
    def pid(self) -> int:
        """Of the orchestrator, the root of all its processes."""
        return self.system.pid

    def inside(self, within: float = 5.0) -> dict[str, Any]:
        """What the orchestrator's event loop and heap hold now. Raises SystemFailed when it does not say."""
        self.window.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        deadline = time.monotonic() + within
        while not self.window.is_file():
            if time.monotonic() > deadline:
                raise SystemFailed(f"the orchestrator does not say what it holds\n{tail(self.system.log)}")
            time.sleep(0.02)
        found: dict[str, Any] = json.loads(self.window.read_text())
        return found

    def toggle_profile(self) -> None:
        """Begin to profile the orchestrator; the second time, write what was found beside the window."""
        os.kill(self.pid, signal.SIGUSR2)

    def stored(self, callers: set[str], within: float = 20.0) -> list[dict[str, Any]]:
        """The finished calls of *callers* with their turns and events. Raises SystemFailed."""
        deadline = time.monotonic() + within
        while True:
            ended = {call["caller"]: call for call in self._recent() if call["ended_at"] is not None}
            if callers <= ended.keys():
                return [self.system.call(ended[caller]["id"]) for caller in sorted(callers)]
            if time.monotonic() > deadline:
                missing = ", ".join(sorted(callers - ended.keys()))
                raise SystemFailed(f"calls from {missing} are not stored\n{tail(self.system.log)}")
            time.sleep(0.2)

    def _recent(self) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self.system.get("/api/v1/calls", limit=200)["items"]
        return answer


@contextmanager
def under_load(setup: LoadSetup) -> Iterator[LoadSystem]:
    """One that is ready, stopped at the end of the block. Raises SystemFailed."""
    http_port = free_port()
    gateways = _ports(setup.gateways or ceil(setup.lines / _LINES_A_GATEWAY))
    with tempfile.TemporaryDirectory(prefix="offhook-load-") as folder:
        data = Path(folder) / "data"
        agents = Path(folder) / "agents"
        data.mkdir()
        agents.mkdir()
        shutil.copy(agent_file(setup.agent), agents)
        window = Path(folder) / "window.json"
        command = [sys.executable, "-m", "benchmarks.load_observed", "up", "--data", str(data)]
        command += ["--agents", str(agents), "--http-port", str(http_port), "--profile", setup.profile]
        command += ["--sip-ports", ",".join(map(str, gateways)), "--rtp-ports", _RTP_PORTS]
        command += ["--calls", str(setup.lines)]
        with (data / "up.log").open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **setup.environment, VARIABLE: str(window)},
            )
        system = LoadSystem(System(process.pid, f"http://127.0.0.1:{http_port}", gateways[0], data), gateways, window)
        try:
            until_ready(process, system.system, setup.ready_within)
            yield system
        finally:
            stop(process)


def _ports(number: int) -> tuple[int, ...]:
    """So many free ports, all different."""
    found: set[int] = set()
    while len(found) < number:
        found.add(free_port())
    return tuple(sorted(found))
