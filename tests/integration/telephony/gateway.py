"""A gateway process of a test's own, on loopback and ports of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from telephony.sip.settings import VARIABLE, GatewaySettings
from tests.integration.telephony.orchestrator import TOKEN
from tests.integration.telephony.patience import until

SIP_PORT = 17060
RTP_PORTS = (17100, 17499)
LOG_LINES = 2000


@dataclass
class GatewayProcess:
    """A running gateway."""

    process: asyncio.subprocess.Process
    port: int
    control: httpx.AsyncClient
    log: list[str]

    async def status(self) -> dict[str, Any]:
        answer = await self.control.get("/status")
        answer.raise_for_status()
        return dict(answer.json())

    async def idle(self, calls: int = 0) -> None:
        """Return when it carries no more than *calls* calls."""

        async def is_idle() -> bool:
            return int((await self.status())["calls"]) <= calls

        await until(is_idle)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        async with asyncio.timeout(10):
            return await self.process.wait()


def settings_json(orchestrator: str, recordings: Path, **more: Any) -> str:
    """The gateway's environment variable; *more* overrides the tests' defaults."""
    settings = {
        "orchestrator": orchestrator,
        "token": TOKEN,
        "journals": str(recordings / "journals"),
        "objects": {"location": str(recordings / "objects")},
        "port": SIP_PORT,
        "rtp_ports": RTP_PORTS,
        **more,
    }
    return GatewaySettings.model_validate(settings).model_dump_json()


@asynccontextmanager
async def running_gateway(orchestrator: str, recordings: Path, **more: Any) -> AsyncIterator[GatewayProcess]:
    """A gateway that listens; at the end its input is closed, and it must end cleanly if the test left it alive."""
    environment = {**os.environ, VARIABLE: settings_json(orchestrator, recordings, **more)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "telephony.sip.gateway",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdin and process.stdout and process.stderr
    log: list[str] = []
    reading = asyncio.ensure_future(_read(process.stderr, log))
    try:
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        assert line, "".join(log)
        ready = json.loads(line)
        control = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{ready['control_port']}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        async with control:
            yield GatewayProcess(process, ready["port"], control, log)
        process.stdin.close()
        async with asyncio.timeout(10):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading
        if os.environ.get("GATEWAY_LOG"):
            print("".join(log))


async def _read(stream: asyncio.StreamReader, log: list[str]) -> None:
    while line := await stream.readline():
        log.append(line.decode(errors="replace"))
        del log[:-LOG_LINES]
