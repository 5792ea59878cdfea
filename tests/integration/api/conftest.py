"""The control plane over HTTP, on a real PostgreSQL, with a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import httpx
import pytest_asyncio
from fastapi import FastAPI

from orchestrator.access.passwords import Cost, Passwords
from orchestrator.access.tokens import AccessTokens
from orchestrator.api.application import application
from orchestrator.api.calls.placing import Lines
from orchestrator.calls.supervisor import CallLimits, CallSupervisor, SharedEngines
from orchestrator.calls.trunks import Trunks
from orchestrator.compliance.policies import MaskingPolicies
from orchestrator.control_plane import ControlSettings, Keys, Stage, control_plane
from orchestrator.core.audio import AudioFrame, silence
from orchestrator.core.errors import CarrierRejected, EngineUnavailable
from orchestrator.privacy.recorder import MaskingRecorder
from orchestrator.recordings.archive import Archive
from orchestrator.roster import AgentRoster
from orchestrator.settings import Settings
from orchestrator.store.agents_repository import AgentsRepository
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database
from orchestrator.store.notifications import Notifications
from orchestrator.store.privacy_repository import PrivacyRepository
from orchestrator.store.users_repository import UsersRepository
from orchestrator.telemetry.recorder import DatabaseRecorder
from orchestrator.telemetry.spool import Spool
from telephony.sip.control import DialRequest
from telephony.sip.settings import Trunk
from tests.fakes.engines import (
    FakeEmbedder,
    FakeInterjections,
    FakeLanguageModel,
    FakeRecognizer,
    FakeTextToSpeech,
    FakeTurnDetector,
    FakeVoiceActivityFactory,
)

OPERATOR = "operator-key-of-the-tests-operator-key"
TOKEN_KEY = "k" * 32
TRIES = 50
LEG_SECONDS = 1.0
OTHER = UUID(int=7)
"""The account that the trunk called theirs belongs to, once there is one."""
CHEAP = Cost(memory_kib=64, passes=1)
PASSWORD = "correct horse battery staple"


class Exchange:
    """Gateways that take every call but those for the trunks called nowhere and busy.

    answers: of registrars; room: whether another trunk with a user can be carried; told: of trunks, at any time;
    brings: called with each request for the trunk called late, whose answer gets lost.
    """

    def __init__(self) -> None:
        self.dialled: list[DialRequest] = []
        self.brings: Callable[[DialRequest], object] = lambda request: None
        self.carried: dict[str, Trunk] = {}
        self.answers: dict[str, str] = {}
        self.room = True
        self.told = asyncio.Event()

    async def carry(self, trunks: Sequence[Trunk]) -> dict[str, str]:
        self.carried = {trunk.name: trunk for trunk in trunks}
        self.told.set()
        return {}

    def has_room(self, trunk: Trunk) -> bool:
        return self.room

    async def registrations(self) -> dict[str, str]:
        return self.answers

    async def dial(self, request: DialRequest) -> None:
        if request.trunk == "nowhere":
            raise CarrierRejected(404, "no gateway has trunk 'nowhere'")
        if request.trunk == "busy":
            raise CarrierRejected(503, "every line is taken")
        if request.trunk == "late":
            self.brings(request)
            raise CarrierRejected(503, "gateway sip does not answer")
        self.dialled.append(request)


class Voice:
    """A voice that says everything at once, and has no speaker called nobody. failing: says nothing."""

    def __init__(self) -> None:
        self.failing = False
        self.tried = asyncio.Event()

    async def synthesize(self, sentence: str, *, voice: str = "") -> AsyncGenerator[AudioFrame, None]:
        if voice == "nobody":
            raise ValueError("voice: there is no nobody; there are joe and anna")
        self.tried.set()
        if self.failing:
            raise EngineUnavailable("tts", "its process is gone")
        yield silence(0.02, 16000)


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
    lines: Lines
    voice: Voice
    archive: Archive
    installation: Settings
    now: float = 1_800_000_000.0

    async def account(self, name: str, account: UUID | None = None) -> UUID:
        """A new account."""
        account = account or uuid4()
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
async def control(database: Database) -> AsyncIterator[Control]:
    async with controlled(database, ControlSettings(TRIES, CHEAP)) as running:
        yield running


@asynccontextmanager
async def controlled(database: Database, settings: ControlSettings) -> AsyncIterator[Control]:
    """The control plane on *database*."""
    holder = list[Control]()

    def now() -> float:
        return holder[0].now

    tts = FakeTextToSpeech()
    engines = SharedEngines(
        FakeVoiceActivityFactory(),
        FakeRecognizer(tts.lexicon.hear),
        FakeTurnDetector(),
        FakeLanguageModel(),
        tts,
        FakeInterjections(),
    )
    keys = Keys(TOKEN_KEY, OPERATOR)
    notifications = Notifications(database)
    agents = AgentsRepository(database)
    voice = Voice()
    roster = AgentRoster(agents, FakeEmbedder(), voice)
    async with AsyncExitStack() as stack:
        spool = Path(stack.enter_context(TemporaryDirectory()))
        recorder = await stack.enter_async_context(DatabaseRecorder(CallsRepository(database), Spool(spool)))
        policies = MaskingPolicies(PrivacyRepository(database))
        await policies.load()
        supervisor = CallSupervisor(engines, {}, MaskingRecorder(recorder, policies.of), CallLimits())
        lines = Lines(Exchange(), {}, Trunks({"theirs": OTHER}), supervisor.unanswered, patience=LEG_SECONDS)
        installation = Settings(data=spool)
        archive = Archive(installation, database)
        stage = Stage(
            database, notifications, supervisor, agents, roster, policies, lines, archive, keys, now, settings
        )
        control = await stack.enter_async_context(control_plane(stage))
        await stack.enter_async_context(notifications.listening())
        stack.push_async_callback(supervisor.stop)
        app = application(control.routers, (), control.idempotency, control.audit)
        passwords = Passwords(CHEAP)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://offhook") as client:
            tokens = AccessTokens(TOKEN_KEY.encode(), now)
            users = UsersRepository(database)
            holder.append(
                Control(
                    app,
                    client,
                    database,
                    users,
                    tokens,
                    passwords,
                    supervisor,
                    roster,
                    lines,
                    voice,
                    archive,
                    installation,
                )
            )
            yield holder[0]
        passwords.close()
