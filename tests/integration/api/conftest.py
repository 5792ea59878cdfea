"""The control plane over HTTP, on a real PostgreSQL, with a clock that is set by hand."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest_asyncio
from fastapi import FastAPI

from orchestrator.access.passwords import Cost, Passwords
from orchestrator.access.tokens import AccessTokens
from orchestrator.api.application import application
from orchestrator.calls.supervisor import CallLimits, CallSupervisor
from orchestrator.control_plane import ControlSettings, Keys, Stage, control_plane
from orchestrator.core.audio import AudioFrame
from orchestrator.roster import AgentRoster
from orchestrator.store.agents_repository import AgentsRepository
from orchestrator.store.db import Database
from orchestrator.store.notifications import Notifications
from orchestrator.store.users_repository import UsersRepository
from tests.fakes.engines import FakeEmbedder, FakeTextToSpeech
from tests.integration.store.conftest import database, empty_dsn, server  # noqa: F401 - fixtures

OPERATOR = "operator-key-of-the-tests-operator-key"
TOKEN_KEY = "k" * 32
TRIES = 50
CHEAP = Cost(memory_kib=64, passes=1)
PASSWORD = "correct horse battery staple"


class Voice(FakeTextToSpeech):
    """A voice that has no speaker called nobody."""

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncGenerator[AudioFrame, None]:
        if voice == "nobody":
            raise ValueError("voice: there is no nobody; there are joe and anna")
        async for frame in super().synthesize(sentence, voice=voice):
            yield frame


@dataclass
class Control:
    """The API, and what stands behind it. now: seconds since 1970."""

    app: FastAPI
    client: httpx.AsyncClient
    database: Database
    users: UsersRepository
    tokens: AccessTokens
    passwords: Passwords
    supervisor: CallSupervisor
    roster: AgentRoster
    now: float = 1_800_000_000.0

    async def account(self, name: str) -> UUID:
        """A new account."""
        account = uuid4()
        async with self.database.connection() as connection:
            await connection.execute("INSERT INTO accounts (id, name) VALUES ($1, $2)", account, name)
        return account

    async def user(self, email: str, account: UUID, role: str = "admin") -> UUID:
        """A new user whose password is PASSWORD."""
        member = await self.users.add(email, email, await self.passwords.hash(PASSWORD), account, role)
        return member.id

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.client.post("/api/v1/auth/login", json={"email": email, "password": password})

    async def refresh(self, token: str) -> httpx.Response:
        return await self.client.post("/api/v1/auth/refresh", json={"refresh_token": token})

    async def bearer(self, email: str) -> dict[str, str]:
        """The header of somebody who has signed in."""
        return {"Authorization": f"Bearer {(await self.sign_in(email)).json()['access_token']}"}


@pytest_asyncio.fixture
async def control(database: Database) -> AsyncIterator[Control]:  # noqa: F811
    async with controlled(database, ControlSettings(TRIES, CHEAP)) as running:
        yield running


@asynccontextmanager
async def controlled(database: Database, settings: ControlSettings) -> AsyncIterator[Control]:  # noqa: F811
    """The control plane on *database*."""
    holder = list[Control]()

    def now() -> float:
        return holder[0].now

    supervisor = CallSupervisor(None, {}, None, CallLimits())  # type: ignore[arg-type]
    keys = Keys(TOKEN_KEY, OPERATOR)
    notifications = Notifications(database)
    agents = AgentsRepository(database)
    roster = AgentRoster(agents, FakeEmbedder(), Voice())
    stage = Stage(database, notifications, supervisor, agents, roster, keys, now, settings)
    async with control_plane(stage) as control, notifications.listening():
        app = application(control.routers, (), control.idempotency)
        passwords = Passwords(CHEAP)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://offhook") as client:
            tokens = AccessTokens(TOKEN_KEY.encode(), now)
            users = UsersRepository(database)
            holder.append(Control(app, client, database, users, tokens, passwords, supervisor, roster))
            yield holder[0]
        passwords.close()
