"""Nobody sees another account's data: neither over HTTP nor past a repository that forgot to ask."""

from __future__ import annotations

from typing import cast
from uuid import UUID, uuid4

import asyncpg
import pytest

from orchestrator.calls.supervisor import LiveCall
from orchestrator.core.errors import RecordRefused
from orchestrator.core.events import CallStarted
from orchestrator.core.ports import CallLeg
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from tests.integration.api.conftest import OPERATOR, PASSWORD, Control

TENANT_TABLES = (
    "accounts",
    "memberships",
    "sessions",
    "calls",
    "turns",
    "transcripts",
    "events",
    "api_keys",
    "idempotency_keys",
    "agents",
    "agent_versions",
    "audit_log",
    "numbers",
    "number_grants",
    "account_keys",
    "recordings",
    "consents",
    "trunks",
    "contacts",
    "webhooks",
    "webhook_deliveries",
    "privacy_policies",
    "jobs",
    "call_days",
    "retention_policies",
    "audit_beginnings",
    "erasures",
    "identity_providers",
    "identities",
)

# No tenant may read them, their own or others'.
HIDDEN_TABLES = {"socket_tickets", "oidc_flows", "sign_in_codes"}


class EndlessLeg:
    """A leg that goes on until it is hung up."""

    hung_up = False

    async def hangup(self) -> None:
        self.hung_up = True


async def spoken(control: Control, account: UUID) -> None:
    """A call of *account* with a row of each kind."""
    call = await called(control, account)
    async with control.database.connection() as connection:
        await connection.execute(
            """
            WITH turn AS (
                INSERT INTO turns (call_id, index, account_id, caller_text, reply_text, heard_text, marks, spans)
                VALUES ($1, 0, $2, '', '', '', '{}', '{}')
            ), line AS (
                INSERT INTO transcripts (call_id, start_at, speaker, turn, end_at, account_id, text)
                VALUES ($1, 0, 'caller', 0, 1, $2, 'hello')
            ), data_key AS (
                INSERT INTO account_keys (account_id, wrapped, master) VALUES ($2, '', '')
            ), webhook AS (
                INSERT INTO webhooks (id, account_id, url, events, secret) VALUES ($1, $2, '', '{}', '')
            ), contact AS (
                INSERT INTO contacts (account_id, number, shown, name) VALUES ($2, '100', '100', 'Ann')
            ), trunk AS (
                INSERT INTO trunks (id, account_id, name, networks, realm, expires, transport, echo_guard, enabled)
                VALUES ($1, $2, 'pbx', '{192.0.2.0/24}', '*', 300, 'udp', false, true)
            ), delivery AS (
                INSERT INTO webhook_deliveries (account_id, webhook_id, event_id, type, data)
                VALUES ($2, $1, $1, 'webhook.test', '{}')
            ), consent AS (
                INSERT INTO consents (call_id, account_id, given, how, at) VALUES ($1, $2, true, 'key', 0)
            ), recording AS (
                INSERT INTO recordings (call_id, account_id, wrapped_key, rate, start_at) VALUES ($1, $2, '', 8000, 0)
            )
            , job AS (
                INSERT INTO jobs (account_id, kind, call_id) VALUES ($2, 'summary', $1)
            ), day AS (
                INSERT INTO call_days (account_id, day, agent, calls, seconds, turns, answered)
                VALUES ($2, '2026-11-23', 'demo', 1, 12, 1, 1)
            )
            , request AS (
                INSERT INTO idempotency_keys (account_id, key, request, running_until, expires_at)
                VALUES ($2, '', '', now(), now())
            )
            , agent AS (
                INSERT INTO agents (id, account_id, name, draft) VALUES ($1, $2, 'desk', '{}')
            )
            , version AS (
                INSERT INTO agent_versions (agent_id, number, account_id, definition) VALUES ($1, 1, $2, '{}')
            )
            , granted AS (
                INSERT INTO number_grants (number, account_id, shown) VALUES ($2::text, $2, '')
            )
            , number AS (
                INSERT INTO numbers (number, account_id, agent_id, shown) VALUES ($2::text, $2, $1, '')
            )
            , erasure AS (
                INSERT INTO erasures (account_id, asked_at) VALUES ($2, now())
            )
            , retention AS (
                INSERT INTO retention_policies (account_id, kind, days) VALUES ($2, 'events', 30)
            )
            , beginning AS (
                INSERT INTO audit_beginnings (account_id, seq, hash) VALUES ($2, 0, '')
            )
            , policy AS (
                INSERT INTO privacy_policies (account_id, masking) VALUES ($2, 'all')
            )
            , key AS (
                INSERT INTO api_keys (account_id, name, hash, shown, permissions)
                VALUES ($2, '', $2::text::bytea, '', '{}')
            )
            INSERT INTO events (call_id, seq, account_id, type, at, payload) VALUES ($1, 0, $2, 'state', 0, '{}')
            """,
            call,
            account,
        )


async def known_elsewhere(control: Control, account: UUID, user: UUID) -> None:
    """An identity provider of *account*, which knows *user*."""
    async with control.database.connection() as connection:
        await connection.execute(
            """
            WITH provider AS (
                INSERT INTO identity_providers (id, account_id, name, issuer, client_id, hosts, domains, role, enabled)
                VALUES ($1, $2, '', '', '', '{}', '{}', 'client', true)
            )
            INSERT INTO identities (account_id, provider_id, user_id) VALUES ($2, $1, $3)
            """,
            uuid4(),
            account,
            user,
        )


async def called(control: Control, account: UUID) -> UUID:
    """A call of *account*."""
    call = uuid4()
    await CallsRepository(control.database).write(
        [CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0, account)]
    )
    return call


async def test_calls_are_their_account_s_alone(control: Control) -> None:
    other = await control.account("other")
    await control.user("mine@example.org", DEFAULT_ACCOUNT)
    await control.user("theirs@example.org", other)
    call = await called(control, DEFAULT_ACCOUNT)
    mine, theirs = await control.bearer("mine@example.org"), await control.bearer("theirs@example.org")
    listed = (await control.client.get("/api/v1/calls", headers=mine)).json()
    assert [one["id"] for one in listed["items"]] == [str(call)]
    assert (await control.client.get("/api/v1/calls", headers=theirs)).json() == {"items": [], "next": None}
    assert (await control.client.get(f"/api/v1/calls/{call}", headers=mine)).status_code == 200
    assert (await control.client.get(f"/api/v1/calls/{call}", headers=theirs)).status_code == 404
    assert (await control.client.post(f"/api/v1/calls/{call}/hangup", headers=theirs)).status_code == 404


async def test_nobody_hangs_up_a_live_call_of_another_account(control: Control) -> None:
    await control.user("mine@example.org", DEFAULT_ACCOUNT)
    await control.user("theirs@example.org", await control.account("other"))
    started = CallStarted(uuid4(), "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0)
    leg = EndlessLeg()
    control.supervisor.live[started.call_id] = LiveCall(started, cast("CallLeg", leg))
    url = f"/api/v1/calls/{started.call_id}/hangup"
    assert (await control.client.post(url, headers=await control.bearer("theirs@example.org"))).status_code == 404
    assert not leg.hung_up
    assert (await control.client.post(url, headers=await control.bearer("mine@example.org"))).status_code == 204
    assert leg.hung_up


async def test_users_are_their_account_s_alone(control: Control) -> None:
    other = await control.account("other")
    await control.user("mine@example.org", DEFAULT_ACCOUNT)
    await control.user("theirs@example.org", other)
    seen = await control.client.get("/api/v1/users", headers=await control.bearer("theirs@example.org"))
    assert [member["email"] for member in seen.json()] == ["theirs@example.org"]


async def test_postgresql_hides_other_accounts_from_a_query_that_asks_for_all(control: Control) -> None:
    other = await control.account("other")
    mine, theirs = await called(control, DEFAULT_ACCOUNT), await called(control, other)
    async with control.database.tenant(other) as connection:
        assert [row["id"] for row in await connection.fetch("SELECT id FROM calls")] == [theirs]
        assert await connection.execute("UPDATE calls SET callee = 'x'") == "UPDATE 1"
        assert await connection.execute("DELETE FROM calls WHERE id = $1", mine) == "DELETE 0"


async def test_a_tenant_cannot_write_into_another_account(control: Control) -> None:
    other = await control.account("other")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with control.database.tenant(other) as connection:
            await connection.execute(
                """
                INSERT INTO calls (id, account_id, agent, direction, caller, callee, driver, started_at)
                VALUES ($1, $2, 'demo', 'inbound', '', '', 'sip', now())
                """,
                uuid4(),
                DEFAULT_ACCOUNT,
            )


async def test_a_tenant_sees_no_password_and_no_token(control: Control) -> None:
    for secret in (
        "password_hash FROM users",
        "* FROM refresh_tokens",
        "* FROM socket_tickets",
        "secret FROM identity_providers",
        "* FROM oidc_flows",
        "* FROM sign_in_codes",
        "* FROM schema_migrations",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with control.database.tenant(DEFAULT_ACCOUNT) as connection:
                await connection.execute(f"SELECT {secret}")


async def test_every_table_shows_a_tenant_its_own_rows_alone(control: Control) -> None:
    other = await control.account("other")
    for account in (DEFAULT_ACCOUNT, other):
        await spoken(control, account)
        email = f"{account}@example.org"
        await known_elsewhere(control, account, await control.user(email, account))
        assert (await control.sign_in(email, PASSWORD)).status_code == 200
    for account in (DEFAULT_ACCOUNT, other):
        async with control.database.tenant(account) as connection:
            for table in TENANT_TABLES:
                column = "id" if table == "accounts" else "account_id"
                seen = await connection.fetch(f"SELECT {column} FROM {table}")
                assert [row[0] for row in seen] == [account], table
            assert [row[0] for row in await connection.fetch("SELECT email FROM users")] == [f"{account}@example.org"]


async def test_no_table_with_an_account_was_forgotten(control: Control) -> None:
    async with control.database.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT relname, relrowsecurity FROM pg_class
            JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'account_id' AND NOT attisdropped
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            """
        )
    assert {row["relname"] for row in rows} | {"accounts"} == set(TENANT_TABLES) | HIDDEN_TABLES
    assert all(row["relrowsecurity"] for row in rows)


async def test_a_connection_forgets_the_account_it_was_used_for(control: Control) -> None:
    other = await control.account("other")
    await called(control, DEFAULT_ACCOUNT)
    for _ in range(20):
        async with control.database.tenant(other) as connection:
            await connection.fetch("SELECT 1")
    async with control.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM calls") == 1


async def test_a_record_of_no_account_is_refused(control: Control) -> None:
    with pytest.raises(RecordRefused):
        await called(control, uuid4())


async def test_whoever_runs_the_machine_adds_the_first_admin(control: Control) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    asked = {"email": "anna@example.org", "name": "Anna", "password": "correct horse battery staple", "role": "admin"}
    added = await control.client.post("/api/v1/users", json=asked, headers=headers)
    assert (added.status_code, added.json()["role"]) == (201, "admin")
    assert "password" not in added.text
    assert (await control.sign_in("anna@example.org")).status_code == 200
    again = await control.client.post("/api/v1/users", json={**asked, "email": "ANNA@example.org"}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
