"""The wiring: which adapter stands behind which port. Nothing else in the product chooses one."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from inference.manifest import Profile
from inference.placement import EngineHealth, EngineSet, open_engines
from inference.reach import announced
from inference.registry import Registry
from inference.speech_cache import SpeechCache
from orchestrator.access.keys import kept_key
from orchestrator.access.oidc.addresses import Targets
from orchestrator.access.quotas import Rates
from orchestrator.acquaintances import Acquaintances
from orchestrator.addresses import explained
from orchestrator.agent_import import Importing, import_agents
from orchestrator.agents import read_agents
from orchestrator.api.application import application
from orchestrator.api.calls.placing import Lines
from orchestrator.api.health.endpoints import Check, Health
from orchestrator.api.legs.endpoints import LegDoor
from orchestrator.calls.setup import SessionSettings
from orchestrator.calls.supervisor import CallLimits, CallSupervisor, SharedEngines
from orchestrator.calls.trunks import Trunks
from orchestrator.compliance.policies import MaskingPolicies
from orchestrator.control_plane import ControlSettings, Keys, Stage, control_plane
from orchestrator.core.breaker import BreakerState
from orchestrator.core.errors import ConfigError
from orchestrator.core.events import FIRST_ACCOUNT
from orchestrator.core.networks import read_networks
from orchestrator.core.ports import TextToSpeech
from orchestrator.demo import DEMO_AGENTS
from orchestrator.jobs.backlog import Backlog
from orchestrator.jobs.process import WorkerProcess
from orchestrator.preflight import make_folders
from orchestrator.privacy.recorder import MaskingRecorder
from orchestrator.recordings.archive import Archive
from orchestrator.roster import AgentRoster
from orchestrator.settings import Settings, read_trunks
from orchestrator.store.acquaintances_repository import AcquaintancesRepository
from orchestrator.store.agents_repository import AgentsRepository
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database
from orchestrator.store.embedded import EmbeddedPostgres
from orchestrator.store.job_runs import JobRuns
from orchestrator.store.migrate import migrate
from orchestrator.store.notifications import Notifications
from orchestrator.store.numbers_repository import NumbersRepository
from orchestrator.store.privacy_repository import PrivacyRepository
from orchestrator.telemetry.fanout import Fanout
from orchestrator.telemetry.prometheus import CallMetrics
from orchestrator.telemetry.recorder import DatabaseRecorder
from orchestrator.telemetry.spool import Spool
from telephony.sip.pool import GatewayPool, GatewayProcess, gateway_pool
from telephony.sip.settings import GatewaySettings

# Bytes of a message on a WebSocket: a leg's are far shorter.
_LONGEST_MESSAGE = 2**18

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A running product.

    api: base URL; sip: URIs that can be called; lines: calls that it takes at once; rendering: the voice, for fixed
    phrases.
    """

    api: str
    sip: tuple[str, ...]
    lines: int
    rendering: TextToSpeech
    calls: CallsRepository


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """Everything, started in order and stopped in the opposite one. Raises ConfigError when it cannot start.

    orchestrator.preflight finds most of what could be wrong without starting anything.
    """
    registry = Registry(cache=settings.cache)
    profile = registry.profile(settings.profile)
    agents = read_agents(settings.agents or DEMO_AGENTS)
    make_folders(settings)
    metrics = CallMetrics()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(settings))
        token = secrets.token_urlsafe(32)
        gateway_settings = _gateways(settings, token, listener.getsockname())
        database = await stack.enter_async_context(_database(settings, metrics))
        calls = CallsRepository(database)
        recorder = await stack.enter_async_context(DatabaseRecorder(calls, Spool(settings.data / "spool")))
        metrics.watch_recorder(recorder)
        policies = MaskingPolicies(PrivacyRepository(database))
        await policies.load()
        if settings.database_url is None:
            # Nobody else writes to the embedded database: calls without an end were cut by our own death.
            await recorder.drain()
            await calls.end_abandoned()
        engines = await stack.enter_async_context(_engines(settings, profile, registry))
        voice = registry.manifest(profile.engines["tts"].model)
        rendering = SpeechCache(engines.tts, voice, registry.weights.cache / "speech")
        stored = AgentsRepository(database)
        roster = AgentRoster(stored, engines.embedder, rendering)
        await import_agents(agents, Importing(FIRST_ACCOUNT, stored, NumbersRepository(database), roster))
        await roster.load()
        most = settings.calls or profile.calls
        archive = Archive(settings, database)
        await stack.enter_async_context(archive.completing())
        told = Fanout([metrics, MaskingRecorder(recorder, policies.of)])
        supervisor = CallSupervisor(
            SharedEngines(
                engines.vad,
                engines.recognizer,
                engines.turns,
                engines.llm,
                engines.tts,
                engines.interjections,
                engines.failing,
                engines.sentiment,
            ),
            roster,
            told,
            CallLimits(most, SessionSettings(longest=settings.longest_call, speculate=settings.speculation)),
            recordable=partial(archive.recording, told) if settings.record else None,
            recallable=Acquaintances(AcquaintancesRepository(database), policies.of).recall,
        )
        stack.push_async_callback(supervisor.stop)
        # The web server's socket already listens: a leg that comes now waits in its backlog, and is not refused.
        gateways = await stack.enter_async_context(gateway_pool(gateway_settings))
        legs = LegDoor(supervisor, token, trunks=Trunks(_owners(settings)))
        keys = Keys(kept_key(settings.data / "keys" / "tokens.key"), kept_key(settings.operator_key))
        notifications = Notifications(database)
        control_settings = ControlSettings(
            rates=Rates(settings.user_requests, settings.account_requests),
            targets=Targets(settings.public_origin, settings.allowed_origins),
            trunks=read_trunks(settings.trunks),
            trunk_networks=read_networks(settings.trunk_networks),
            webhook_networks=read_networks(settings.webhook_networks),
        )
        stage = Stage(
            database,
            notifications,
            supervisor,
            stored,
            roster,
            policies,
            Lines(gateways, legs.expected, legs.trunks, supervisor.unanswered),
            archive,
            keys,
            time.time,
            control_settings,
        )
        control = await stack.enter_async_context(control_plane(stage))
        await stack.enter_async_context(notifications.listening())
        _watch(metrics, engines, gateways)
        metrics.gauge(
            "offhook_trunk_breaker_open",
            "1 while no call is placed through it, for the last ones failed at the carrier.",
            legs.trunks.failing,
            "trunk",
        )
        health = Health(_checks(database, engines, gateways), metrics.exposition)
        routers = (health.router(), legs.router(), *control.routers)
        app = application(routers, settings.allowed_origins, control.idempotency, control.audit)
        await stack.enter_async_context(_served(app, listener, settings.proxies))
        if settings.worker:
            await stack.enter_async_context(_worker(settings, database, metrics))
        stack.push_async_callback(supervisor.stop)
        yield Running(
            api=f"http://{settings.http_host}:{listener.getsockname()[1]}",
            sip=tuple(f"sip:{agent.numbers[0]}@{settings.sip_bind}:{settings.gateway_ports[0]}" for agent in agents),
            lines=min(most or sys.maxsize, await _lines(gateways)),
            rendering=rendering,
            calls=calls,
        )


@asynccontextmanager
async def _database(settings: Settings, metrics: CallMetrics) -> AsyncIterator[Database]:
    """The database of *settings*, migrated: a server of the company's own, or the embedded one."""
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            dsn = settings.database_url.get_secret_value()
        else:
            server = await stack.enter_async_context(EmbeddedPostgres(settings.data))
            metrics.counter("offhook_database_restarts", "Of the embedded server.", lambda: server.restarts)
            dsn = server.dsn
        database = await stack.enter_async_context(Database(dsn))
        await migrate(database)
        yield database


@asynccontextmanager
async def _engines(settings: Settings, profile: Profile, registry: Registry) -> AsyncIterator[EngineSet]:
    """The engines of *profile*, which other processes of ours find by the file of *settings*."""
    async with open_engines(profile, registry) as engines:
        with announced(engines.addresses, settings.engines):
            yield engines


@asynccontextmanager
async def _worker(settings: Settings, database: Database, metrics: CallMetrics) -> AsyncIterator[None]:
    """A process that does the jobs behind the calls, during the block."""
    backlog = Backlog(JobRuns(database))
    metrics.gauge("offhook_jobs_due", "Jobs that could be under way, or are.", lambda: backlog.due, "kind")
    worker = WorkerProcess(settings.environment)
    metrics.counter("offhook_worker_restarts", "Of its process.", lambda: worker.restarts)
    async with backlog.watched(), worker.running():
        yield


def _gateways(settings: Settings, token: str, http: tuple[str, int]) -> tuple[GatewaySettings, ...]:
    """One gateway a SIP port; the RTP ports are shared out evenly. Registered trunks belong to the first.

    http: where the web server listens.
    """
    host = "127.0.0.1" if http[0] == "0.0.0.0" else http[0]  # noqa: S104 - compared, not bound
    first, last = settings.rtp_range
    share = (last - first + 1) // len(settings.gateway_ports)
    trunks = read_trunks(settings.trunks)
    return tuple(
        GatewaySettings(
            name=f"sip-{sip_port}",
            bind=settings.sip_bind,
            port=sip_port,
            public_address=settings.sip_public,
            rtp_ports=(first + index * share, first + (index + 1) * share - 1),
            trunks=trunks if index == 0 else tuple(trunk for trunk in trunks if not trunk.registrar),
            orchestrator=f"ws://{host}:{http[1]}/legs/sip",
            token=SecretStr(token),
            journals=settings.journals,
            objects=settings.object_store,
        )
        for index, sip_port in enumerate(settings.gateway_ports)
    )


def _owners(settings: Settings) -> Mapping[str, UUID]:
    """Whose the trunks are that are one account's."""
    return {trunk.name: trunk.account for trunk in read_trunks(settings.trunks) if trunk.account is not None}


async def _lines(gateways: GatewayPool) -> int:
    """Calls that *gateways* hold together."""
    return sum(status.capacity for status in (await gateways.status()).values() if status is not None)


def _checks(database: Database, engines: EngineSet, gateways: GatewayPool) -> Mapping[str, Check]:
    async def engines_ready() -> bool:
        return engines.ready

    async def gateways_ready() -> bool:
        return gateways.ready

    async def breakers_closed() -> bool:
        return not engines.failing()

    return {
        "database": database.answers,
        "engines": engines_ready,
        "breakers": breakers_closed,
        "gateways": gateways_ready,
    }


def _watch(metrics: CallMetrics, engines: EngineSet, gateways: GatewayPool) -> None:
    """Show engines and gateways among the metrics."""

    def of_engines(value: Callable[[EngineHealth], float]) -> Callable[[], Mapping[str, float]]:
        return lambda: {engine.kind: value(engine) for engine in engines.health()}

    def of_gateways(value: Callable[[GatewayProcess], float]) -> Callable[[], Mapping[str, float]]:
        return lambda: {gateway.settings.name: value(gateway) for gateway in gateways.gateways}

    metrics.gauge("offhook_engine_up", "1 while the engine takes requests.", of_engines(lambda e: e.alive), "engine")
    metrics.gauge("offhook_engine_requests", "Requests under way.", of_engines(lambda e: e.in_flight), "engine")
    metrics.counter("offhook_engine_restarts", "Of its process.", of_engines(lambda e: e.restarts), "engine")
    metrics.gauge(
        "offhook_engine_breaker_open",
        "1 while what is asked of it is refused at once, for it has failed again and again.",
        of_engines(lambda e: e.breaker is BreakerState.OPEN),
        "engine",
    )
    metrics.gauge("offhook_gateway_up", "1 while it listens.", of_gateways(lambda g: g.control is not None), "gateway")
    metrics.counter("offhook_gateway_restarts", "Of its process.", of_gateways(lambda g: g.restarts), "gateway")


def _listen(settings: Settings) -> socket.socket:
    """A bound socket for the API. Raises ConfigError when the port is taken."""
    try:
        return socket.create_server((settings.http_host, settings.http_port), backlog=128)
    except OSError as error:
        raise ConfigError(
            f"settings: http_port: cannot listen on {settings.http_host}:{settings.http_port} (TCP): "
            f"{explained(error, settings.http_host)}"
        ) from error


class _Server(uvicorn.Server):
    """A web server that leaves signals to the command that runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _served(app: FastAPI, listener: socket.socket, proxies: str) -> AsyncIterator[None]:
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            # Whoever connects is who they are, unless it is a proxy that we were told of.
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies or None,
            ws_per_message_deflate=False,
            ws_max_size=_LONGEST_MESSAGE,
            ws_ping_interval=20.0,
            timeout_graceful_shutdown=5,
        )
    )
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve([listener]), name="http")
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells in no other way
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
