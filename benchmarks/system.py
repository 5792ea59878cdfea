"""A whole Offhook of its own: private ports, a private data folder, the agents that it is given."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx


class SystemFailed(Exception):
    """Offhook did not start, or did not do what it should; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How to start one. agents: folder of agent definitions; environment: settings on top of our own."""

    data: Path
    agents: Path
    profile: str = "cpu-tiny"
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_within: float = 180.0


@dataclass(frozen=True, slots=True)
class System:
    """A running Offhook. pid: of `offhook up`, the root of its process tree; data: its folder."""

    pid: int
    http: str
    sip_port: int
    data: Path

    @property
    def log(self) -> Path:
        """Where it says what goes on."""
        return self.data / "up.log"

    def uri(self, number: str) -> str:
        """The SIP URI of an agent's *number*."""
        return f"sip:{number}@127.0.0.1:{self.sip_port}"

    def calls(self) -> list[dict[str, Any]]:
        """Its latest calls, newest first."""
        answer: list[dict[str, Any]] = self.get("/api/v1/calls")["items"]
        return answer

    def call(self, call_id: str) -> dict[str, Any]:
        """One call with its turns, transcript and events."""
        answer: dict[str, Any] = self.get(f"/api/v1/calls/{call_id}")
        return answer

    def call_from(self, caller: str, within: float = 10.0, besides: Collection[str] = ()) -> dict[str, Any]:
        """The finished call that came from *caller*, with its turns; not one of the ids in *besides*.

        Raises SystemFailed when it is not stored in time.
        """
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for call in self.calls():
                if caller in call["caller"] and call["ended_at"] is not None and call["id"] not in besides:
                    return self.call(call["id"])
            time.sleep(0.2)
        raise SystemFailed(f"the call from {caller} is not stored {within:.0f} s after its end\n{tail(self.log)}")

    def recording(self, call_id: str, within: float = 15.0) -> bytes:
        """What was recorded of a call, as a stereo WAV: caller left, agent right.

        Raises SystemFailed when it is not complete in time.
        """
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            told = self.get(f"/api/v1/calls/{call_id}/recording")
            if told["complete"]:
                return httpx.get(f"{self.http}{told['url']}", timeout=30.0).raise_for_status().content
            time.sleep(0.2)
        raise SystemFailed(f"the recording of {call_id} is not complete after {within:.0f} s\n{tail(self.log)}")

    def ready(self) -> bool:
        """Whether it says that it can take calls."""
        try:
            return httpx.get(f"{self.http}/readyz", timeout=5.0).status_code == 200
        except httpx.HTTPError:
            return False

    def get(self, path: str, **parameters: object) -> Any:
        """What its API answers to whoever runs it."""
        key = (self.data / "keys" / "operator.key").read_text(encoding="ascii").strip()
        answer = httpx.get(
            f"{self.http}{path}",
            params=httpx.QueryParams({name: str(value) for name, value in parameters.items()}),
            headers={"Authorization": f"Bearer {key}"},
            timeout=10.0,
        )
        return answer.raise_for_status().json()


@contextmanager
def running(setup: Setup) -> Iterator[System]:
    """Start Offhook, wait until it is ready, and stop it at the end of the block. Raises SystemFailed."""
    setup.data.mkdir(parents=True, exist_ok=True)
    http_port, sip_port = free_port(), free_port()
    command = [sys.executable, "-m", "orchestrator", "up", "--data", str(setup.data), "--http-port", str(http_port)]
    command += ["--sip-ports", str(sip_port), "--profile", setup.profile, "--agents", str(setup.agents)]
    with (setup.data / "up.log").open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **setup.environment}
        )
    system = System(process.pid, f"http://127.0.0.1:{http_port}", sip_port, setup.data)
    try:
        until_ready(process, system, setup.ready_within)
        yield system
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], within: float = 30.0) -> int:
    """End *process* with SIGTERM, and with SIGKILL when it does not obey; its exit status."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def free_port() -> int:
    """A port of the loopback that neither UDP nor TCP uses now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            stream.bind(("127.0.0.1", 0))
            port: int = stream.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram, suppress(OSError):
                datagram.bind(("127.0.0.1", port))
                return port


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def until_ready(process: subprocess.Popen[bytes], system: System, within: float) -> None:
    """Wait until *system*, which *process* runs, takes calls. Raises SystemFailed after *within* seconds."""
    deadline = time.monotonic() + within
    while not system.ready():
        if process.poll() is not None:
            raise SystemFailed(f"offhook up exited with status {process.returncode}\n{tail(system.log)}")
        if time.monotonic() > deadline:
            raise SystemFailed(f"offhook up is not ready after {within:.0f} s\n{tail(system.log)}")
        time.sleep(0.2)
