"""Whoever runs the machine makes accounts; nobody else knows that there are others."""

from __future__ import annotations

from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from tests.integration.api.conftest import OPERATOR, PASSWORD, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
ANNA = {"email": "anna@example.org", "name": "Anna", "password": PASSWORD}


async def test_a_new_account_has_an_admin_who_sees_it_alone(control: Control) -> None:
    added = await control.client.post("/api/v1/accounts", json={"name": "Other", "admin": ANNA}, headers=ADMIN)
    assert added.status_code == 201
    headers = await control.bearer("anna@example.org")
    me = (await control.client.get("/api/v1/auth/me", headers=headers)).json()
    assert (me["account"], me["role"]) == (added.json()["id"], "admin")
    members = (await control.client.get("/api/v1/users", headers=headers)).json()
    assert [member["email"] for member in members] == ["anna@example.org"]
    assert (await control.client.get("/api/v1/accounts", headers=headers)).status_code == 403


async def test_an_account_whose_admin_is_somebody_already_is_not_made(control: Control) -> None:
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    taken = await control.client.post("/api/v1/accounts", json={"name": "Other", "admin": ANNA}, headers=ADMIN)
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    listed = (await control.client.get("/api/v1/accounts", headers=ADMIN)).json()
    assert [account["name"] for account in listed["items"]] == ["default"]


async def test_accounts_come_in_pages(control: Control) -> None:
    for number in range(2):
        admin = {**ANNA, "email": f"{number}@example.org"}
        await control.client.post("/api/v1/accounts", json={"name": str(number), "admin": admin}, headers=ADMIN)
    first = (await control.client.get("/api/v1/accounts?limit=2", headers=ADMIN)).json()
    rest = (await control.client.get("/api/v1/accounts", params={"after": first["next"]}, headers=ADMIN)).json()
    assert [account["name"] for account in (*first["items"], *rest["items"])] == ["default", "0", "1"]


async def test_a_key_of_an_admin_makes_no_accounts(control: Control) -> None:
    asked = {"name": "x", "permissions": ["calls:read"]}
    key = (await control.client.post("/api/v1/keys", json=asked, headers=ADMIN)).json()["key"]
    refused = await control.client.post(
        "/api/v1/accounts", json={"name": "Other", "admin": ANNA}, headers={"Authorization": f"Bearer {key}"}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
