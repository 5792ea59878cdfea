"""The control plane put together: every route under /api/v1, on the stores and the calls that stand behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network

from fastapi import APIRouter

from orchestrator.access.api_keys import ApiKeys
from orchestrator.access.failed_tries import FailedTries
from orchestrator.access.oidc.addresses import Targets
from orchestrator.access.oidc.discovery import Discovery
from orchestrator.access.oidc.sign_on import Parts, SingleSignOn
from orchestrator.access.oidc.web import BoundedWeb
from orchestrator.access.passwords import Cost, Passwords
from orchestrator.access.quotas import Quotas, Rates
from orchestrator.access.rate_limit import RateLimit
from orchestrator.access.seal import Seal
from orchestrator.access.sessions import Sessions
from orchestrator.access.tickets import Tickets
from orchestrator.access.tokens import AccessTokens
from orchestrator.account_trunks import AccountTrunks
from orchestrator.api.accounts.endpoints import accounts_router
from orchestrator.api.agents.endpoints import agents_router
from orchestrator.api.agents.versions import versions_router
from orchestrator.api.analytics.endpoints import analytics_router
from orchestrator.api.audit.endpoints import audit_router
from orchestrator.api.audit.middleware import Audit
from orchestrator.api.auth.endpoints import auth_router
from orchestrator.api.auth.single_sign_on import single_sign_on_router
from orchestrator.api.calls.endpoints import calls_router
from orchestrator.api.calls.placing import Lines, placing_router
from orchestrator.api.calls.simulations import Simulations
from orchestrator.api.calls.uploads import uploads_router
from orchestrator.api.contacts.endpoints import contacts_router
from orchestrator.api.door import Bearers, Door
from orchestrator.api.erasures.endpoints import erasures_router
from orchestrator.api.idempotency import Idempotency
from orchestrator.api.jobs.endpoints import jobs_router
from orchestrator.api.keys.endpoints import keys_router
from orchestrator.api.live.endpoints import LiveDoor
from orchestrator.api.live.hub import LiveHub
from orchestrator.api.numbers.endpoints import grants_router, numbers_router
from orchestrator.api.privacy.endpoints import privacy_router
from orchestrator.api.providers.endpoints import providers_router
from orchestrator.api.recordings.endpoints import recordings_router
from orchestrator.api.retention.endpoints import retention_router
from orchestrator.api.trunks.endpoints import trunks_router
from orchestrator.api.trunks.shown import OperatorTrunks
from orchestrator.api.users.endpoints import users_router
from orchestrator.api.webhooks.endpoints import webhooks_router
from orchestrator.calls.supervisor import CallSupervisor
from orchestrator.compliance.erasure import Requests
from orchestrator.compliance.policies import MaskingPolicies
from orchestrator.compliance.retention import Retention
from orchestrator.core.clock import Clock
from orchestrator.core.networks import Network
from orchestrator.recordings.archive import Archive
from orchestrator.recordings.links import Links
from orchestrator.roster import AGENTS_CHANNEL, AgentRoster
from orchestrator.store.accounts_repository import AccountsRepository
from orchestrator.store.agents_repository import AgentsRepository
from orchestrator.store.analytics import Analytics
from orchestrator.store.audit_repository import AuditRepository
from orchestrator.store.call_lists import CallLists
from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.contacts_repository import ContactsRepository
from orchestrator.store.db import Database
from orchestrator.store.erasures_repository import ERASURE, ErasuresRepository
from orchestrator.store.flows_repository import FlowsRepository
from orchestrator.store.idempotency_repository import IdempotencyRepository
from orchestrator.store.jobs_repository import JobsRepository
from orchestrator.store.keys_repository import KeysRepository
from orchestrator.store.live_feed import LIVE_CHANNEL, LiveFeed
from orchestrator.store.notifications import Notifications
from orchestrator.store.numbers_repository import NumbersRepository
from orchestrator.store.privacy_repository import PRIVACY_CHANNEL, PrivacyRepository
from orchestrator.store.providers_repository import ProvidersRepository
from orchestrator.store.retention_repository import RetentionRepository
from orchestrator.store.sessions_repository import SessionsRepository
from orchestrator.store.tickets_repository import TicketsRepository
from orchestrator.store.trunks_repository import TRUNKS_CHANNEL, TrunksRepository
from orchestrator.store.users_repository import UsersRepository
from orchestrator.store.webhook_events import WEBHOOK
from orchestrator.store.webhooks_repository import WebhooksRepository
from telephony.sip.settings import Trunk


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets of the installation. tokens: signs access tokens; operator: speaks for whoever runs the machine."""

    tokens: str
    operator: str


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """sign_ins: tries of one address to show a password, a minute; hashing: what a password costs; rates: of
    requests; failures: of one address to show a key, a ticket or a refresh token, a minute;
    targets: where browsers go on after single sign-on; loopback_providers: that identity providers may be on this
    machine, without TLS; trunks: of the operator's file; trunk_networks: where those of accounts may be;
    webhook_networks: where webhooks may send to.
    """

    sign_ins: int = 20
    hashing: Cost = Cost()
    rates: Rates = Rates()
    failures: int = 20
    targets: Targets = Targets("http://127.0.0.1:8080")
    loopback_providers: bool = False
    trunks: tuple[Trunk, ...] = ()
    trunk_networks: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"),)
    webhook_networks: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"),)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the control plane works on. notifications: of *database*, not listening yet; clock: seconds since 1970."""

    database: Database
    notifications: Notifications
    supervisor: CallSupervisor
    agents: AgentsRepository
    roster: AgentRoster
    policies: MaskingPolicies
    lines: Lines
    archive: Archive
    keys: Keys
    clock: Clock
    settings: ControlSettings = ControlSettings()


class ControlPlane:
    """What the application is made of: *routers*, what keeps their POSTs from taking effect twice, and who did what."""

    def __init__(self, idempotency: Idempotency, audit: Audit, *routers: APIRouter) -> None:
        self.idempotency = idempotency
        self.audit = audit
        self.routers = routers


@asynccontextmanager
async def control_plane(stage: Stage) -> AsyncIterator[ControlPlane]:
    """The control plane; what it needs of its own stops at the end of the block."""
    tokens = AccessTokens(stage.keys.tokens.encode(), stage.clock)
    tickets = Tickets(TicketsRepository(stage.database), stage.clock)
    kept_keys = KeysRepository(stage.database)
    api_keys = ApiKeys(kept_keys, stage.clock)
    quotas = Quotas(stage.settings.rates, stage.clock)
    failed = FailedTries(stage.settings.failures, stage.clock)
    door = Door(Bearers(tokens, api_keys, stage.keys.operator, failed), tickets, quotas)
    idempotency = Idempotency(
        door, IdempotencyRepository(stage.database), Seal(stage.keys.tokens.encode(), "idempotency"), stage.clock
    )
    audit, numbers = AuditRepository(stage.database), NumbersRepository(stage.database)
    deeds = Audit(audit, stage.clock)
    simulations = Simulations(stage.supervisor)
    live = LiveHub(LiveFeed(stage.database))
    stage.notifications.subscribe(LIVE_CHANNEL, live.heard)
    stage.notifications.subscribe(AGENTS_CHANNEL, stage.roster.follower.heard)
    stage.notifications.subscribe(PRIVACY_CHANNEL, stage.policies.follower.heard)
    policies = RetentionRepository(stage.database)
    erasures = ErasuresRepository(stage.database)
    requests = Requests(erasures, Seal(stage.keys.tokens.encode(), ERASURE), stage.clock)
    kept_trunks, trunk_seal = TrunksRepository(stage.database), Seal(stage.keys.tokens.encode(), "trunk")
    known, gateways = stage.lines.trunks, stage.lines.exchange
    trunks = AccountTrunks(kept_trunks, gateways, known, trunk_seal, stage.settings.trunk_networks)
    stage.notifications.subscribe(TRUNKS_CHANNEL, trunks.follower.heard)
    users, passwords = UsersRepository(stage.database), Passwords(stage.settings.hashing)
    sessions = Sessions(users, SessionsRepository(stage.database), passwords, tokens, stage.clock)
    # Each way in has its own: who mistypes a password can still come in by the other.
    tries, sign_on_tries = (RateLimit(stage.settings.sign_ins, 60.0, stage.clock) for _ in range(2))
    providers, seal = ProvidersRepository(stage.database), Seal(stage.keys.tokens.encode(), "single sign-on")
    sign_on = _sign_on(stage, providers, sessions, seal)
    try:
        async with AsyncExitStack() as stack:
            for part in (live, stage.roster.follower, stage.policies.follower, simulations, trunks.follower):
                await stack.enter_async_context(part.running())
            yield ControlPlane(
                idempotency,
                deeds,
                audit_router(audit, door),
                auth_router(sessions, door, tries),
                single_sign_on_router(sign_on, door, sign_on_tries),
                providers_router(providers, seal, door, loopback=stage.settings.loopback_providers),
                users_router(users, passwords, sessions, door),
                accounts_router(AccountsRepository(stage.database), passwords, door),
                keys_router(api_keys, kept_keys, door),
                placing_router(stage.roster, stage.lines, simulations, door),
                uploads_router(stage.roster, simulations, door),
                calls_router(CallsRepository(stage.database), CallLists(stage.database), stage.supervisor, door),
                jobs_router(JobsRepository(stage.database), door),
                analytics_router(Analytics(stage.database), door),
                agents_router(stage.agents, door),
                versions_router(stage.agents, stage.roster, door),
                contacts_router(ContactsRepository(stage.database), door),
                numbers_router(numbers, door),
                grants_router(numbers, door),
                trunks_router(kept_trunks, trunks, OperatorTrunks(stage.settings.trunks, known), trunk_seal, door),
                recordings_router(stage.archive, Links(stage.keys.tokens.encode(), stage.clock), door),
                privacy_router(PrivacyRepository(stage.database), stage.policies, door),
                erasures_router(erasures, requests, door),
                retention_router(policies, Retention(policies, stage.archive.erasure, audit, stage.clock), door),
                webhooks_router(
                    WebhooksRepository(stage.database),
                    Seal(stage.keys.tokens.encode(), WEBHOOK),
                    door,
                    stage.settings.webhook_networks,
                ),
                LiveDoor(live, door, deeds).router(),
            )
    finally:
        passwords.close()


def _sign_on(stage: Stage, providers: ProvidersRepository, sessions: Sessions, seal: Seal) -> SingleSignOn:
    web = BoundedWeb()
    discovery = Discovery(web, stage.clock, stage.settings.loopback_providers)
    flows = FlowsRepository(stage.database)
    return SingleSignOn(Parts(providers, flows, sessions, discovery, web, stage.settings.targets, seal, stage.clock))
