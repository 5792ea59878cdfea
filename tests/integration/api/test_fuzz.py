"""Every operation of the document, fuzzed by schemathesis as whoever may ask: no fault, no surprise, no open door."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.access.quotas import Rates
from orchestrator.access.roles import GRANTED, Permission, Role
from orchestrator.control_plane import ControlSettings
from orchestrator.openapi import DOCUMENT
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from tests.integration.api.conftest import CHEAP, OPERATOR, TRIES, Control, controlled
from tests.integration.api.serving import served
from tests.integration.api.test_every_route import EXAMPLES

# Rules that no schema can tell, such as that a cursor is one of ours, refuse what the schema allows.
UNTOLD = "positive_data_acceptance"
# So long the runs may take when all other tests run beside them.
PATIENCE = 240.0
# Nobody is to run out of requests: what limits them is tested elsewhere.
PLENTY = Rates(10**6, 10**6)
# Every value at the edge of what the document allows is tried as the admin, and sent again as the others.
THOROUGH = ("coverage,fuzzing", 5)
BRIEF = ("fuzzing", 3)
# Of an operation, how many requests with one status are sent again as others.
SAMPLES = 3

Operation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A request that schemathesis made. target: path and query as they were sent."""

    operation: Operation
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Watched:
    """The application, and what it told. told: requests by the status of their answers, by operation."""

    app: ASGIApp
    control: Control
    told: dict[Operation, dict[int, list[Sample]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        paths = self.control.app.openapi()["paths"]
        self._paths = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Signing in is limited by the minute, and tokens expire after ten.
        self.control.now += 0.05
        path = next((path for pattern, path in self._paths if pattern.fullmatch(scope["path"])), "")
        operation, body = (scope["method"], path), bytearray()

        async def take() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                target = scope["raw_path"].decode("latin-1") + "?" + scope["query_string"].decode("latin-1")
                headers = {
                    name.decode(): value.decode("latin-1")
                    for name, value in scope["headers"]
                    if name == b"content-type"
                }
                samples = self.told.setdefault(operation, {}).setdefault(message["status"], [])
                samples.append(Sample(operation, target, headers, bytes(body)))
            await send(message)

        await self.app(scope, take, tell)

    def samples(self) -> Iterator[Sample]:
        """Some requests to each operation, of each kind of answer."""
        for operation in EXAMPLES:
            for samples in self.told.get(operation, {}).values():
                yield from samples[:SAMPLES]

    def holes(self, allowed: Collection[Permission]) -> list[tuple[Operation, list[int]]]:
        """Where somebody who is *allowed* so much was told too much, or was turned away, or asked nothing."""
        found = []
        for operation, example in EXAMPLES.items():
            statuses = sorted(self.told.get(operation, {}))
            may = example.needs in allowed
            # Who may not hears so, unless nobody could have understood what was asked.
            refused = set(statuses) <= ({401, 403} if may else {400, 401, 403, 422})
            if not statuses or (example.needs is not None and refused == may):
                found.append((operation, statuses))
        return found

    def faults(self) -> list[tuple[Operation, int, Sample]]:
        """Requests that the API failed on."""
        return [
            (operation, status, samples[0])
            for operation, statuses in self.told.items()
            for status, samples in statuses.items()
            if status >= 500
        ]


async def fuzz(url: str, token: str, folder: Path, effort: tuple[str, int]) -> tuple[int | None, str]:
    """Exit code and report of schemathesis. effort: its phases, and how many requests it makes up an operation."""
    phases, examples = effort
    run = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("st")),
        *("run", str(DOCUMENT), "--url", url, "--header", f"Authorization: Bearer {token}"),
        *("--phases", phases, "--max-examples", str(examples), "--seed", "1", "--no-shrink"),
        *("--checks", "all", "--exclude-checks", UNTOLD, "--continue-on-failure", "--warnings", "off"),
        *("--generation-database", "none", "--no-color"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    report, _ = await run.communicate()
    return run.returncode, report.decode()


async def fuzzed(control: Control, token: str, folder: Path, effort: tuple[str, int]) -> Watched:
    """What requests that are made up are told when they come with *token*; none of them against the document."""
    watched = Watched(control.app, control)
    async with served(watched) as url, asyncio.timeout(PATIENCE):
        code, report = await fuzz(url, token, folder, effort)
    assert code == 0, report
    return watched


async def key_with(client: httpx.AsyncClient, *permissions: Permission) -> str:
    asked = {"name": "fuzz", "permissions": permissions}
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    key: str = (await client.post("/api/v1/keys", json=asked, headers=headers)).json()["key"]
    return key


async def asked_again(control: Control, samples: Collection[Sample], token: str) -> Watched:
    """What the same requests are told when they come with *token*."""
    watched = Watched(control.app, control)
    transport = httpx.ASGITransport(watched, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://offhook") as client:
        for sample in samples:
            headers = {**sample.headers, "Authorization": f"Bearer {token}"}
            await client.request(sample.operation[0], sample.target, content=sample.body, headers=headers)
    return watched


@pytest.fixture
async def plenty(database: Database) -> AsyncIterator[Control]:
    async with controlled(database, ControlSettings(TRIES, CHEAP, PLENTY)) as running:
        yield running


async def test_whoever_asks_whatever_finds_no_fault_no_surprise_and_no_open_door(
    plenty: Control, tmp_path: Path
) -> None:
    tokens, allowed = {}, {role.value: GRANTED[role] for role in Role}
    for role in Role:
        await plenty.user(email := f"{role}@example.org", DEFAULT_ACCOUNT, role.value)
        tokens[role.value] = (await plenty.sign_in(email)).json()["access_token"]
    tokens["key"] = await key_with(plenty.client, Permission.READ_CALLS)
    allowed["key"] = frozenset({Permission.READ_CALLS})

    folders = {who: Path(mkdtemp(dir=tmp_path)) for who in tokens}
    async with asyncio.TaskGroup() as group:
        runs = {
            who: group.create_task(fuzzed(plenty, token, folders[who], THOROUGH if who == Role.ADMIN else BRIEF))
            for who, token in tokens.items()
            if who in set(Role)
        }
    for who, run in runs.items():
        watched = run.result()
        assert (watched.faults(), watched.holes(allowed[who])) == ([], []), who
        assert watched.told.keys() >= EXAMPLES.keys(), "every operation is asked for"

    samples = list(runs[Role.ADMIN.value].result().samples())
    for who in tokens.keys() - {Role.ADMIN.value}:
        again = await asked_again(plenty, samples, tokens[who])
        assert (again.faults(), again.holes(allowed[who])) == ([], []), who
