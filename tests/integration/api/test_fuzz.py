"""Every operation of the document, fuzzed by schemathesis as whoever may ask: no fault, no surprise, no open door."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.access.roles import GRANTED, Permission, Role
from orchestrator.openapi import DOCUMENT
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from tests.integration.api.conftest import OPERATOR, Control
from tests.integration.api.test_every_route import EXAMPLES

# Rules that no schema can tell, such as that a cursor is one of ours, refuse what the schema allows.
UNTOLD = "positive_data_acceptance"
THOROUGH = ("--phases", "coverage,fuzzing", "--max-examples", "5")
BRIEF = ("--phases", "fuzzing", "--mode", "positive", "--max-examples", "3")
# So long a run may take when all other tests run beside it.
PATIENCE = 240.0

Told = dict[tuple[str, str], set[int]]


@dataclass
class Watched:
    """The application, and what it told. told: the statuses of each operation's answers."""

    app: ASGIApp
    control: Control
    told: Told = field(default_factory=dict)

    def __post_init__(self) -> None:
        paths = self.control.app.openapi()["paths"]
        self._paths = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # As much time as a request costs of its quota, so that nobody runs out of it.
        self.control.now += 0.1
        path = next((path for pattern, path in self._paths if pattern.fullmatch(scope["path"])), "")

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.told.setdefault((scope["method"], path), set()).add(message["status"])
            await send(message)

        await self.app(scope, receive, tell)


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True


async def fuzzed(control: Control, token: str, how: Collection[str], folder: Path) -> Told:
    """What the API told schemathesis, which had *token*. Fails with its report when it found something."""
    watched = Watched(control.app, control)
    async with served(watched) as url, asyncio.timeout(PATIENCE):
        run = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("st")),
            *("run", str(DOCUMENT), "--url", url, "--header", f"Authorization: Bearer {token}"),
            *("--checks", "all", "--exclude-checks", UNTOLD, "--continue-on-failure", "--warnings", "off"),
            *("--seed", "1", "--no-shrink", "--generation-database", "none", "--no-color", *how),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        report, _ = await run.communicate()
    assert run.returncode == 0, report.decode()
    return watched.told


async def key_with(client: httpx.AsyncClient, *permissions: Permission) -> str:
    asked = {"name": "fuzz", "permissions": permissions}
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    key: str = (await client.post("/api/v1/keys", json=asked, headers=headers)).json()["key"]
    return key


def holes(told: Told, allowed: Collection[Permission]) -> list[tuple[str, str, set[int]]]:
    """Where somebody who is *allowed* so much was told too much, or was turned away."""
    found = []
    for operation, example in EXAMPLES.items():
        statuses = told.get(operation, set())
        may = example.needs in allowed
        # Who may not hears so, unless nobody could have understood what was asked.
        refused = statuses <= {400, 401, 403, 422} if not may else statuses <= {401, 403}
        if not statuses or (example.needs is not None and refused == may):
            found.append((*operation, statuses))
    return found


async def test_an_admin_finds_no_fault_and_no_surprise(control: Control, tmp_path: Path) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    token = (await control.sign_in("anna@example.org")).json()["access_token"]
    told = await fuzzed(control, token, THOROUGH, tmp_path)
    assert not holes(told, GRANTED[Role.ADMIN])
    assert max(max(statuses) for statuses in told.values()) < 500


@pytest.mark.parametrize("role", [Role.CLIENT, Role.SUPPORT])
async def test_no_role_finds_an_open_door(control: Control, tmp_path: Path, role: Role) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT, role.value)
    token = (await control.sign_in("anna@example.org")).json()["access_token"]
    assert not holes(await fuzzed(control, token, BRIEF, tmp_path), GRANTED[role])


async def test_no_key_finds_an_open_door(control: Control, tmp_path: Path) -> None:
    key = await key_with(control.client, Permission.READ_CALLS)
    assert not holes(await fuzzed(control, key, BRIEF, tmp_path), {Permission.READ_CALLS})
