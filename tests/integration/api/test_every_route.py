"""Every route, as nobody, as another tenant and as each role: what is not in EXAMPLES fails the first test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from starlette.routing import WebSocketRoute

from orchestrator.access.roles import GRANTED, Permission, Role
from orchestrator.core.events import CallStarted, RecordingStarted
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from tests.integration.api.conftest import OPERATOR, PASSWORD, Control
from tests.integration.api.test_tenants import TENANT_TABLES

ANYBODY = None
"""Whoever has signed in."""
OPERATOR_ALONE = "operator"
"""Whoever runs the machine."""


@dataclass(frozen=True, slots=True)
class Example:
    """A request that a route takes. needs: the permission; places: of World, by the names in the path.

    foreign: what another tenant is told; that there is no such thing, as a rule.
    """

    needs: Permission | str | None
    body: Mapping[str, object] | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    foreign: int = 404


# What signing in begins with; whoever shows a token, shows it in the body. And links, which are their own proof.
OPEN = {
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("GET", "/api/v1/auth/oidc/{provider_id}/start"),
    ("GET", "/api/v1/auth/oidc/callback"),
    ("POST", "/api/v1/auth/oidc/token"),
    ("GET", "/api/v1/recordings/{link}"),
}

NOBODY = str(UUID(int=0))
_ADMIN = {"email": "eva@example.org", "name": "Eva", "password": PASSWORD}
_RETENTION = dict.fromkeys(("calls", "transcripts", "recordings", "events", "jobs", "audit"), 3650)
_USER = {"email": "eve@example.org", "name": "Eve", "password": PASSWORD, "role": "support"}

_TERMS = {"name": "new", "client_id": "offhook"}

EXAMPLES: dict[tuple[str, str], Example] = {
    ("GET", "/api/v1/auth/me"): Example(ANYBODY),
    ("POST", "/api/v1/auth/password"): Example(ANYBODY, {"current": "not the password", "new": PASSWORD}),
    ("POST", "/api/v1/auth/tickets"): Example(ANYBODY),
    ("GET", "/api/v1/accounts"): Example(OPERATOR_ALONE),
    ("POST", "/api/v1/accounts"): Example(OPERATOR_ALONE, {"name": "new", "admin": _ADMIN}),
    ("GET", "/api/v1/accounts/{account_id}/numbers"): Example(
        OPERATOR_ALONE, None, {"account_id": "account"}, foreign=403
    ),
    ("PUT", "/api/v1/accounts/{account_id}/numbers/{number}"): Example(
        OPERATOR_ALONE, None, {"account_id": "account", "number": "number"}, foreign=403
    ),
    ("DELETE", "/api/v1/accounts/{account_id}/numbers/{number}"): Example(
        OPERATOR_ALONE, None, {"account_id": "account", "number": "number"}, foreign=403
    ),
    ("GET", "/api/v1/users"): Example(Permission.MANAGE_USERS),
    ("POST", "/api/v1/users"): Example(Permission.MANAGE_USERS, _USER),
    ("POST", "/api/v1/users/{user_id}/password"): Example(
        Permission.MANAGE_USERS, {"password": PASSWORD}, {"user_id": "user"}
    ),
    ("GET", "/api/v1/identity-providers"): Example(Permission.MANAGE_USERS),
    ("POST", "/api/v1/identity-providers"): Example(
        Permission.MANAGE_USERS, {**_TERMS, "issuer": "https://login.example.org"}
    ),
    ("PUT", "/api/v1/identity-providers/{provider_id}"): Example(
        Permission.MANAGE_USERS, _TERMS, {"provider_id": "provider"}
    ),
    ("DELETE", "/api/v1/identity-providers/{provider_id}"): Example(
        Permission.MANAGE_USERS, None, {"provider_id": "provider"}
    ),
    ("PUT", "/api/v1/identity-providers/{provider_id}/users/{user_id}"): Example(
        Permission.MANAGE_USERS, None, {"provider_id": "provider", "user_id": "user"}
    ),
    ("DELETE", "/api/v1/identity-providers/{provider_id}/users/{user_id}"): Example(
        Permission.MANAGE_USERS, None, {"provider_id": "provider", "user_id": "user"}
    ),
    ("GET", "/api/v1/keys"): Example(Permission.MANAGE_KEYS),
    ("POST", "/api/v1/keys"): Example(Permission.MANAGE_KEYS, {"name": "one", "permissions": []}),
    ("DELETE", "/api/v1/keys/{key_id}"): Example(Permission.MANAGE_KEYS, None, {"key_id": "key"}),
    ("GET", "/api/v1/templates"): Example(Permission.READ_AGENTS),
    ("GET", "/api/v1/agents"): Example(Permission.READ_AGENTS),
    ("POST", "/api/v1/agents"): Example(Permission.EDIT_AGENTS, {"name": "new", "template": "survey.en"}),
    ("GET", "/api/v1/agents/{agent_id}"): Example(Permission.READ_AGENTS, None, {"agent_id": "agent"}),
    ("PUT", "/api/v1/agents/{agent_id}/draft"): Example(
        Permission.EDIT_AGENTS, {"definition": {}, "revision": 1}, {"agent_id": "agent"}
    ),
    ("DELETE", "/api/v1/agents/{agent_id}"): Example(Permission.EDIT_AGENTS, None, {"agent_id": "agent"}),
    ("POST", "/api/v1/agents/{agent_id}/publish"): Example(
        Permission.PUBLISH_AGENTS, {"revision": 1}, {"agent_id": "agent"}
    ),
    ("POST", "/api/v1/agents/{agent_id}/rollback"): Example(
        Permission.PUBLISH_AGENTS, {"version": 1}, {"agent_id": "agent"}
    ),
    ("POST", "/api/v1/agents/{agent_id}/unpublish"): Example(Permission.PUBLISH_AGENTS, None, {"agent_id": "agent"}),
    ("GET", "/api/v1/agents/{agent_id}/versions"): Example(Permission.READ_AGENTS, None, {"agent_id": "agent"}),
    ("GET", "/api/v1/agents/{agent_id}/versions/{number}"): Example(
        Permission.READ_AGENTS, None, {"agent_id": "agent", "number": "version"}
    ),
    ("GET", "/api/v1/agents/{agent_id}/diff"): Example(Permission.READ_AGENTS, None, {"agent_id": "agent"}),
    ("GET", "/api/v1/numbers"): Example(Permission.READ_AGENTS),
    ("PUT", "/api/v1/numbers/{number}"): Example(
        Permission.MANAGE_NUMBERS, {"agent_id": str(UUID(int=0))}, {"number": "number"}, foreign=409
    ),
    ("DELETE", "/api/v1/numbers/{number}"): Example(Permission.MANAGE_NUMBERS, None, {"number": "number"}),
    ("GET", "/api/v1/privacy"): Example(Permission.MANAGE_PRIVACY),
    ("PUT", "/api/v1/privacy"): Example(Permission.MANAGE_PRIVACY, {"masking": "all"}),
    ("GET", "/api/v1/erasures"): Example(Permission.MANAGE_PRIVACY),
    ("POST", "/api/v1/erasures"): Example(Permission.MANAGE_PRIVACY, {"caller": "+33612345678"}),
    ("GET", "/api/v1/erasures/{erasure_id}"): Example(Permission.MANAGE_PRIVACY, None, {"erasure_id": "erasure"}),
    ("GET", "/api/v1/retention"): Example(Permission.MANAGE_PRIVACY),
    ("PUT", "/api/v1/retention"): Example(Permission.MANAGE_PRIVACY, _RETENTION),
    ("POST", "/api/v1/retention/runs"): Example(Permission.MANAGE_PRIVACY),
    ("GET", "/api/v1/contacts"): Example(Permission.READ_CONTACTS),
    ("POST", "/api/v1/contacts"): Example(Permission.MANAGE_CONTACTS, {"number": "+33612345679", "name": "Ann"}),
    ("GET", "/api/v1/contacts/{contact_id}"): Example(Permission.READ_CONTACTS, None, {"contact_id": "contact"}),
    ("PATCH", "/api/v1/contacts/{contact_id}"): Example(
        Permission.MANAGE_CONTACTS, {"notes": "calls at night"}, {"contact_id": "contact"}
    ),
    ("DELETE", "/api/v1/contacts/{contact_id}"): Example(Permission.MANAGE_CONTACTS, None, {"contact_id": "contact"}),
    ("GET", "/api/v1/webhooks"): Example(Permission.MANAGE_WEBHOOKS),
    ("POST", "/api/v1/webhooks"): Example(
        Permission.MANAGE_WEBHOOKS, {"url": "https://crm.example/hook", "events": ["call.ended"]}
    ),
    ("GET", "/api/v1/webhooks/{webhook_id}"): Example(Permission.MANAGE_WEBHOOKS, None, {"webhook_id": "webhook"}),
    ("PATCH", "/api/v1/webhooks/{webhook_id}"): Example(
        Permission.MANAGE_WEBHOOKS, {"description": "crm"}, {"webhook_id": "webhook"}
    ),
    ("DELETE", "/api/v1/webhooks/{webhook_id}"): Example(Permission.MANAGE_WEBHOOKS, None, {"webhook_id": "webhook"}),
    ("POST", "/api/v1/webhooks/{webhook_id}/secret"): Example(
        Permission.MANAGE_WEBHOOKS, None, {"webhook_id": "webhook"}
    ),
    ("POST", "/api/v1/webhooks/{webhook_id}/test"): Example(
        Permission.MANAGE_WEBHOOKS, None, {"webhook_id": "webhook"}
    ),
    ("GET", "/api/v1/webhooks/{webhook_id}/deliveries"): Example(
        Permission.MANAGE_WEBHOOKS, None, {"webhook_id": "webhook"}
    ),
    ("POST", "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/again"): Example(
        Permission.MANAGE_WEBHOOKS, None, {"webhook_id": "webhook", "delivery_id": "call"}
    ),
    ("GET", "/api/v1/trunks"): Example(Permission.MANAGE_TRUNKS),
    ("POST", "/api/v1/trunks"): Example(Permission.MANAGE_TRUNKS, {"name": "new", "networks": ["192.0.2.7/32"]}),
    ("GET", "/api/v1/trunks/{trunk_id}"): Example(Permission.MANAGE_TRUNKS, None, {"trunk_id": "trunk"}),
    ("PATCH", "/api/v1/trunks/{trunk_id}"): Example(
        Permission.MANAGE_TRUNKS, {"echo_guard": True}, {"trunk_id": "trunk"}
    ),
    ("DELETE", "/api/v1/trunks/{trunk_id}"): Example(Permission.MANAGE_TRUNKS, None, {"trunk_id": "trunk"}),
    ("GET", "/api/v1/audit"): Example(Permission.READ_AUDIT),
    ("GET", "/api/v1/audit/verification"): Example(Permission.READ_AUDIT),
    ("GET", "/api/v1/jobs"): Example(Permission.READ_JOBS),
    ("GET", "/api/v1/jobs/{job_id}"): Example(Permission.READ_JOBS, None, {"job_id": "job"}),
    ("POST", "/api/v1/jobs/{job_id}/retry"): Example(Permission.MANAGE_JOBS, None, {"job_id": "job"}),
    ("POST", "/api/v1/jobs/{job_id}/cancel"): Example(Permission.MANAGE_JOBS, None, {"job_id": "job"}),
    ("GET", "/api/v1/analytics"): Example(Permission.READ_CALLS),
    ("GET", "/api/v1/calls"): Example(Permission.READ_CALLS),
    ("POST", "/api/v1/calls"): Example(Permission.PLACE_CALLS, {"agent_id": NOBODY, "to": "100", "trunk": "carrier"}),
    ("POST", "/api/v1/calls/simulate"): Example(Permission.PLACE_CALLS, {"agent_id": NOBODY, "leg": "browser"}),
    ("POST", "/api/v1/calls/simulate/upload"): Example(Permission.PLACE_CALLS),
    ("POST", "/api/v1/calls/{call_id}/text"): Example(Permission.PLACE_CALLS, {"text": "hello"}, {"call_id": "call"}),
    ("GET", "/api/v1/calls/{call_id}"): Example(Permission.READ_CALLS, None, {"call_id": "call"}),
    ("GET", "/api/v1/calls/{call_id}/recording"): Example(Permission.READ_RECORDINGS, None, {"call_id": "call"}),
    ("DELETE", "/api/v1/calls/{call_id}/recording"): Example(Permission.MANAGE_PRIVACY, None, {"call_id": "call"}),
    ("POST", "/api/v1/calls/{call_id}/hangup"): Example(Permission.CONTROL_CALLS, None, {"call_id": "call"}),
}

# Opened with tickets: tests/integration/api/test_live.py shows them to nobody else.
SOCKETS = {"/legs/browser/{call_id}", "/ws/calls", "/ws/calls/{call_id}"}


@dataclass(slots=True)
class World:
    """Two accounts. Everything that a path can name belongs to the first."""

    control: Control
    theirs: UUID
    places: dict[str, str]

    async def ask(self, route: tuple[str, str], headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and text of the answer to the example of *route*."""
        method, path = route
        example = EXAMPLES[route]
        url = path.format(**{name: self.places[place] for name, place in example.places.items()})
        url += "?from=1" if path.endswith("/diff") else ""
        answer = await self.control.client.request(method, url, json=example.body, headers=headers)
        return answer.status_code, answer.text

    async def rows(self) -> dict[str, list[str]]:
        """All that the first account has."""
        kept: dict[str, list[str]] = {}
        async with self.control.database.connection() as connection:
            for table in TENANT_TABLES:
                column = "id" if table == "accounts" else "account_id"
                rows = await connection.fetch(
                    f"SELECT {table}::text AS row FROM {table} WHERE {column} = $1 ORDER BY 1", DEFAULT_ACCOUNT
                )
                kept[table] = [row["row"] for row in rows]
        return kept


@pytest.fixture
async def world(control: Control) -> World:
    theirs = await control.account("other")
    admin = {"Authorization": f"Bearer {OPERATOR}"}
    call = uuid4()
    await CallsRepository(control.database).write(
        [
            CallStarted(call, "secret-agent", "inbound", "secret-caller", "100", "sip", 1_800_000_000.0),
            RecordingStarted(call, "00", 8000, 0.0),
        ]
    )
    key = await control.client.post("/api/v1/keys", json={"name": "secret-key", "permissions": []}, headers=admin)
    terms = {"name": "secret-provider", "client_id": "secret-client", "issuer": "https://secret-issuer.example.org"}
    provider = await control.client.post("/api/v1/identity-providers", json=terms, headers=admin)
    made = {"name": "secret-agent", "template": "receptionist.en"}
    agent = (await control.client.post("/api/v1/agents", json=made, headers=admin)).json()["id"]
    await control.client.post(f"/api/v1/agents/{agent}/publish", json={"revision": 1}, headers=admin)
    await control.client.put("/api/v1/numbers/555", json={"agent_id": agent}, headers=admin)
    job = uuid4()
    async with control.database.connection() as connection:
        await connection.execute(
            "INSERT INTO jobs (id, account_id, kind, error) VALUES ($1, $2, 'secret-kind', 'secret-error')",
            *(job, DEFAULT_ACCOUNT),
        )
        await connection.execute(
            "INSERT INTO call_days (account_id, day, agent, calls, seconds, turns, answered)"
            " VALUES ($1, '2026-11-23', 'secret-agent', 1, 1, 1, 1)",
            DEFAULT_ACCOUNT,
        )
    erasure = await control.client.post("/api/v1/erasures", json={"caller": "+33612345678"}, headers=admin)
    hook = {"url": "https://secret-host.example/hook", "events": ["call.ended"]}
    webhook = (await control.client.post("/api/v1/webhooks", json=hook, headers=admin)).json()["id"]
    pbx = {"name": "secret-trunk", "networks": ["192.0.2.0/24"]}
    trunk = (await control.client.post("/api/v1/trunks", json=pbx, headers=admin)).json()["id"]
    ann = {"number": "+33687654321", "name": "secret-contact"}
    contact = (await control.client.post("/api/v1/contacts", json=ann, headers=admin)).json()["id"]
    places = {
        "contact": contact,
        "trunk": trunk,
        "webhook": webhook,
        "erasure": erasure.json()["id"],
        "job": str(job),
        "account": str(DEFAULT_ACCOUNT),
        "agent": agent,
        "version": "1",
        "number": "555",
        "user": str(await control.user("secret-user@example.org", DEFAULT_ACCOUNT)),
        "key": key.json()["id"],
        "call": str(call),
        "provider": provider.json()["id"],
    }
    return World(control, theirs, places)


def operations(control: Control) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in control.app.openapi()["paths"].items() for method in methods}


def sockets(routes: Iterable[object]) -> set[str]:
    """The paths of all WebSockets, also within routers."""
    found: set[str] = set()
    for route in routes:
        if isinstance(route, WebSocketRoute):
            found.add(route.path)
        found |= sockets(getattr(getattr(route, "original_router", route), "routes", ()))
    return found


def test_every_route_is_walked(control: Control) -> None:
    missing = operations(control) - OPEN - set(EXAMPLES)
    assert not missing, f"add a line for each of {sorted(missing)} to EXAMPLES in {__file__}"
    assert not set(EXAMPLES) - operations(control)
    assert sockets(control.app.routes) == SOCKETS, "add the socket to SOCKETS, and to test_live.py who may not open it"


def test_the_document_names_every_operation_once(control: Control) -> None:
    document = control.app.openapi()
    named = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(named) == len(set(named)) == len(operations(control))


async def test_nobody_is_told_anything(world: World) -> None:
    before = await world.rows()
    for route in EXAMPLES:
        for headers in (
            {},
            {"Authorization": "Bearer x"},
            {"Authorization": "Bearer ofk_x"},
            {"Authorization": OPERATOR},
        ):
            status, text = await world.ask(route, headers)
            assert (status, "secret-" in text) == (401, False), route
    assert await world.rows() == before


async def test_another_tenant_is_told_nothing_and_changes_nothing(world: World) -> None:
    await world.control.user("theirs@example.org", world.theirs)
    headers = await world.control.bearer("theirs@example.org")
    before = await world.rows()
    for route, example in EXAMPLES.items():
        status, text = await world.ask(route, headers)
        assert "secret-" not in text, route
        assert not example.places or status == example.foreign, (route, status)
    assert await world.rows() == before


@pytest.mark.parametrize("role", Role)
async def test_each_role_may_what_it_may(world: World, role: Role) -> None:
    for route, example in EXAMPLES.items():
        world.control.now += 2  # so many sign-ins of one address are let through in a minute, and no more
        await world.control.user(email := f"{uuid4()}@example.org", DEFAULT_ACCOUNT, role.value)
        status, _ = await world.ask(route, await world.control.bearer(email))
        allowed = example.needs is None or example.needs in GRANTED[role]
        assert (status != 403) == allowed, (route, status)


async def test_a_key_without_permissions_may_nothing(world: World) -> None:
    asked = {"name": "nothing", "permissions": []}
    admin = {"Authorization": f"Bearer {OPERATOR}"}
    key = (await world.control.client.post("/api/v1/keys", json=asked, headers=admin)).json()["key"]
    for route, example in EXAMPLES.items():
        status, _ = await world.ask(route, {"Authorization": f"Bearer {key}"})
        assert status == 403 or example.needs is None, (route, status)
