"""Trunks of accounts: kept and told over the API, handed to the gateways, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Network
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from orchestrator.access.passwords import Cost
from orchestrator.control_plane import ControlSettings
from orchestrator.core.errors import CarrierRejected
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from telephony.sip.settings import Trunk
from tests.integration.api.conftest import OTHER, Control, Exchange, controlled

PBX = {"name": "pbx", "networks": ["192.0.2.0/24"], "peer": "192.0.2.7:5070"}
CARRIER = {"name": "carrier", "registrar": "198.51.100.9:5062", "user": "agent", "password": "s3cret-word"}


@pytest_asyncio.fixture
async def admin(control: Control) -> dict[str, str]:
    await control.user("admin@example.org", DEFAULT_ACCOUNT)
    return await control.bearer("admin@example.org")


@pytest_asyncio.fixture
async def theirs(control: Control) -> dict[str, str]:
    """The admin of another account."""
    await control.account("theirs", OTHER)
    await control.user("theirs@example.org", OTHER)
    return await control.bearer("theirs@example.org")


def gateways(control: Control) -> Exchange:
    return cast("Exchange", control.lines.exchange)


async def ask(
    control: Control, who: dict[str, str], method: str, path: str = "", body: object = None, status: int = 200
) -> Any:
    """The answer, which must have *status*."""
    answer: httpx.Response = await control.client.request(method, f"/api/v1/trunks{path}", json=body, headers=who)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def until(control: Control, holds: Callable[[], bool]) -> None:
    """Return when that holds of what the gateways were told."""
    async with asyncio.timeout(5):
        while not holds():
            gateways(control).told.clear()
            await gateways(control).told.wait()


async def carried(control: Control, trunk: str) -> Trunk:
    """The trunk of this id, once gateways carry it."""
    await until(control, lambda: f"trunk:{trunk}" in gateways(control).carried)
    return gateways(control).carried[f"trunk:{trunk}"]


async def test_a_trunk_reaches_the_gateways_is_changed_and_goes(control: Control, admin: dict[str, str]) -> None:
    made = await ask(control, admin, "POST", "", CARRIER, 201)
    assert made["has_password"] and "s3cret-word" not in str(made)
    trunk = await carried(control, made["id"])
    assert (trunk.registrar, trunk.domain, trunk.user) == ("198.51.100.9:5062", "198.51.100.9", "agent")
    assert trunk.password.get_secret_value() == "s3cret-word"
    assert trunk.networks == (IPv4Network("198.51.100.9/32"),)
    assert trunk.account == DEFAULT_ACCOUNT

    one = f"/{made['id']}"
    changed = await ask(control, admin, "PATCH", one, {"echo_guard": True, "domain": "carrier.example"})
    assert (changed["echo_guard"], changed["domain"], changed["has_password"]) == (True, "carrier.example", True)
    await until(control, lambda: gateways(control).carried[trunk.name].echo_guard)
    assert gateways(control).carried[trunk.name].domain == "carrier.example"
    await ask(control, admin, "PATCH", one, {"enabled": False})
    await until(control, lambda: gateways(control).carried == {})
    assert (await ask(control, admin, "GET", one))["state"] == "disabled"
    await ask(control, admin, "PATCH", one, {"enabled": True})
    await carried(control, made["id"])
    await ask(control, admin, "DELETE", one, status=204)
    await until(control, lambda: gateways(control).carried == {})
    assert (await ask(control, admin, "GET", one, status=404))["code"] == "trunk_not_found"


async def test_the_password_is_sealed_and_told_by_nothing(control: Control, admin: dict[str, str]) -> None:
    await ask(control, admin, "POST", "", CARRIER, 201)
    async with control.database.connection() as connection:
        rows = await connection.fetch("SELECT trunks::text AS row, password FROM trunks")
        audit = await connection.fetch("SELECT audit_log::text AS row FROM audit_log")
    assert b"s3cret-word" not in rows[0]["password"]
    everything = [str(row["row"]) for row in (*rows, *audit)] + [str(await ask(control, admin, "GET"))]
    assert not [text for text in everything if "s3cret-word" in text]
    assert any("make_trunk" in str(row["row"]) for row in audit)


async def test_a_password_that_no_longer_opens_is_told_and_can_be_given_again(
    control: Control, admin: dict[str, str]
) -> None:
    made = await ask(control, admin, "POST", "", CARRIER, 201)
    await carried(control, made["id"])
    async with control.database.connection() as connection:
        await connection.execute("UPDATE trunks SET password = '\\x00'")
    await until(control, lambda: gateways(control).carried == {})
    now = await ask(control, admin, "GET", f"/{made['id']}")
    assert (now["state"], now["reason"]) == ("unusable", "password_lost")
    await ask(control, admin, "PATCH", f"/{made['id']}", {"password": "s3cret-word"})
    assert (await carried(control, made["id"])).password.get_secret_value() == "s3cret-word"


async def test_a_password_goes_nowhere_else_unless_it_is_given_again(control: Control, admin: dict[str, str]) -> None:
    made = await ask(control, admin, "POST", "", CARRIER, 201)
    one = f"/{made['id']}"
    for change in ({"registrar": "203.0.113.5"}, {"peer": "203.0.113.5"}, {"realm": "another"}):
        refused = await ask(control, admin, "PATCH", one, change, 422)
        assert refused["code"] == "password_wanted"
    await ask(control, admin, "PATCH", one, {"registrar": "203.0.113.5", "password": "n3w-word"})
    await until(control, lambda: gateways(control).carried[f"trunk:{made['id']}"].registrar == "203.0.113.5")
    assert gateways(control).carried[f"trunk:{made['id']}"].password.get_secret_value() == "n3w-word"
    without = await ask(
        control, admin, "PATCH", one, {"registrar": None, "networks": ["203.0.113.5"], "password": None}
    )
    assert (without["has_password"], without["registrar"]) == (False, None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"networks": []}, "invalid_trunk"),
        ({"registrar": "198.51.100.9"}, "invalid_trunk"),
        ({"networks": ["192.0.0.0/16"]}, "invalid_trunk"),
        ({"networks": ["127.0.0.1"]}, "address_refused"),
        ({"networks": ["169.254.169.254/32"]}, "address_refused"),
        ({"peer": "127.0.0.1:5432"}, "address_refused"),
        ({"peer": "169.254.169.254"}, "address_refused"),
        ({"peer": "0.0.0.0"}, "address_refused"),
        ({"networks": ["192.0.2.1/24"]}, "invalid_request"),
        ({"networks": ["::1"]}, "invalid_request"),
        ({"peer": "192.0.2.7:0"}, "invalid_request"),
        ({"peer": "192.0.2.7;transport=tls"}, "invalid_request"),
        ({"peer": "sip:100@192.0.2.7"}, "invalid_request"),
        ({"domain": "a>\r\nX: y"}, "invalid_request"),
        ({"user": "a@b"}, "invalid_request"),
        ({"realm": 'a"b'}, "invalid_request"),
        ({"password": "a\r\nb"}, "invalid_request"),
        ({"name": "trunk:1"}, "invalid_request"),
        ({"transport": "tls"}, "invalid_request"),
        ({"expires": 1}, "invalid_request"),
        ({"echo_guard": "yes"}, "invalid_request"),
        ({"name": "local"}, "trunk_exists"),
    ],
)
async def test_what_cannot_work_or_be_reached_is_refused(
    control: Control, admin: dict[str, str], change: dict[str, object], code: str
) -> None:
    refused = await ask(control, admin, "POST", "", {**PBX, **change}, 409 if code == "trunk_exists" else 422)
    assert refused["code"] == code
    made = await ask(control, admin, "POST", "", PBX, 201)
    if code != "trunk_exists":
        refused = await ask(control, admin, "PATCH", f"/{made['id']}", change, 422)
        assert refused["code"] == code


async def test_a_name_that_leads_to_this_machine_is_used_by_no_gateway(control: Control, admin: dict[str, str]) -> None:
    for name, where in (("named", "localhost"), ("written", "127.1"), ("unknown", "no-such-host.invalid")):
        made = await ask(control, admin, "POST", "", {**CARRIER, "name": name, "registrar": where}, 201)
        async with asyncio.timeout(10):
            while (now := await ask(control, admin, "GET", f"/{made['id']}"))["state"] == "waiting":
                gateways(control).told.clear()
                await gateways(control).told.wait()
        assert (now["state"], now["reason"]) == (
            "unusable",
            "unknown_host" if name == "unknown" else "address_refused",
        )
    assert gateways(control).carried == {}


async def test_how_a_trunk_is_can_be_seen(control: Control, admin: dict[str, str]) -> None:
    made = await ask(control, admin, "POST", "", CARRIER, 201)
    pbx = await ask(control, admin, "POST", "", PBX, 201)
    key = (await carried(control, made["id"])).name
    await carried(control, pbx["id"])
    await asyncio.sleep(0)  # the gateways have answered, and what they said is noted
    answers = {"": "waiting", "200 OK": "registered", "403 Forbidden": "refused"}
    for answer, state in answers.items():
        gateways(control).answers = {key: answer}
        now = await ask(control, admin, "GET", f"/{made['id']}")
        assert (now["state"], now["reason"]) == (state, answer or None)
    assert not now["breaker_open"]
    for _ in range(3):
        with suppress(CarrierRejected), control.lines.trunks.dialled(key):
            raise CarrierRejected(503, "Service Unavailable")
    listed = {one["name"]: one for one in (await ask(control, admin, "GET"))["items"]}
    assert listed["carrier"]["breaker_open"]
    assert (listed["pbx"]["state"], listed["pbx"]["breaker_open"]) == ("ready", False)


async def test_calls_go_out_by_the_account_s_name_for_its_trunk(
    control: Control, admin: dict[str, str], theirs: dict[str, str]
) -> None:
    mine = await ask(control, admin, "POST", "", PBX, 201)
    other = await ask(control, theirs, "POST", "", PBX, 201)
    await carried(control, mine["id"])
    await carried(control, other["id"])
    trunks = control.lines.trunks
    assert trunks.called(DEFAULT_ACCOUNT, "pbx") == f"trunk:{mine['id']}"
    assert trunks.called(OTHER, "pbx") == f"trunk:{other['id']}"
    asked = {"agent_id": str(uuid4()), "to": "100", "trunk": f"trunk:{mine['id']}"}
    for who in (admin, theirs):
        refused = await control.client.post("/api/v1/calls", json=asked, headers=who)
        assert (refused.status_code, refused.json()["code"]) == (422, "no_trunk")


async def test_another_account_neither_sees_nor_changes_a_trunk(
    control: Control, admin: dict[str, str], theirs: dict[str, str]
) -> None:
    made = await ask(control, admin, "POST", "", PBX, 201)
    assert (await ask(control, theirs, "GET"))["items"] == []
    for method, body in (("GET", None), ("PATCH", {"enabled": False}), ("DELETE", None)):
        await ask(control, theirs, method, f"/{made['id']}", body, 404)
    assert (await ask(control, admin, "GET", f"/{made['id']}"))["enabled"]
    assert not control.lines.trunks.may_be_called(OTHER, f"trunk:{made['id']}")


async def test_there_is_room_or_a_clear_word(control: Control, admin: dict[str, str]) -> None:
    made = await ask(control, admin, "POST", "", CARRIER, 201)
    assert (await ask(control, admin, "POST", "", CARRIER, 409))["code"] == "trunk_exists"
    gateways(control).room = False
    another = {**CARRIER, "name": "another"}
    assert (await ask(control, admin, "POST", "", another, 409))["code"] == "no_room"
    await ask(control, admin, "PATCH", f"/{made['id']}", {"expires": 600})
    later = await ask(control, admin, "POST", "", {**another, "enabled": False}, 201)
    refused = await ask(control, admin, "PATCH", f"/{later['id']}", {"enabled": True}, 409)
    assert refused["code"] == "no_room"
    gateways(control).room = True
    for number in range(14):
        await ask(control, admin, "POST", "", {**PBX, "name": str(number)}, 201)
    assert (await ask(control, admin, "POST", "", PBX, 409))["code"] == "too_many_trunks"


async def test_the_operator_s_are_shown_to_those_whose_they_are_and_cannot_be_changed(database: Database) -> None:
    nets = (IPv4Network("192.0.2.0/24"),)
    trunks = (Trunk(name="all", networks=nets), Trunk(name="theirs", networks=nets, account=OTHER))
    async with controlled(database, ControlSettings(50, Cost(memory_kib=64, passes=1), trunks=trunks)) as control:
        await control.account("theirs", OTHER)
        for email, account in (("a@example.org", DEFAULT_ACCOUNT), ("b@example.org", OTHER)):
            await control.user(email, account)
        first, other = await control.bearer("a@example.org"), await control.bearer("b@example.org")
        await ask(control, first, "POST", "", PBX, 201)
        assert (await ask(control, first, "POST", "", {**PBX, "name": "all"}, 409))["code"] == "trunk_exists"
        await ask(control, other, "POST", "", {**PBX, "name": "all"}, 201)

        async def listed(who: dict[str, str]) -> list[tuple[UUID | None, str, str, str]]:
            found, path = [], "?limit=1"
            while path:
                page = await ask(control, who, "GET", path)
                found += [(bool(one["id"]), one["origin"], one["scope"], one["name"]) for one in page["items"]]
                path = f"?limit=1&after={page['next']}" if page["next"] else ""
            return found

        assert await listed(first) == [(False, "operator", "installation", "all"), (True, "account", "account", "pbx")]
        assert await listed(other) == [(False, "operator", "account", "theirs"), (True, "account", "account", "all")]
