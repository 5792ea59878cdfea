"""Whom an account knows by their number, and where that shows."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from orchestrator.core.events import CallStarted, Direction
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from tests.integration.api.conftest import OPERATOR, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
ANN = {"number": "+33 6 12 34 56 78", "name": "Ann Lebrun", "language": "fr", "notes": "Prefers mornings."}


async def made(control: Control, **changes: object) -> dict[str, Any]:
    answer = await control.client.post("/api/v1/contacts", json={**ANN, **changes}, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def listed(control: Control, query: str = "") -> list[str]:
    answer = await control.client.get(f"/api/v1/contacts{query}", headers=ADMIN)
    return [one["name"] for one in answer.json()["items"]]


async def called(control: Control, caller: str, callee: str = "100", direction: Direction = "inbound") -> UUID:
    call = uuid4()
    started = CallStarted(call, "desk", direction, caller, callee, "sip", 1_800_000_000.0)
    await CallsRepository(control.database).write([started])
    return call


async def contact_of(control: Control, call: UUID) -> object:
    """As the call says, and the list of calls."""
    one = (await control.client.get(f"/api/v1/calls/{call}", headers=ADMIN)).json()["contact"]
    page = (await control.client.get("/api/v1/calls", headers=ADMIN)).json()["items"]
    [in_list] = [item["contact"] for item in page if item["id"] == str(call)]
    assert in_list == one
    return one


async def test_a_contact_is_made_found_changed_and_forgotten(control: Control) -> None:
    ann = await made(control)
    assert {name: ann[name] for name in ANN} == {**ANN, "number": "+33612345678"}
    url = f"/api/v1/contacts/{ann['id']}"
    assert (await control.client.get(url, headers=ADMIN)).json() == ann
    changed = (await control.client.patch(url, json={"notes": "Moved."}, headers=ADMIN)).json()
    assert changed == {**ann, "notes": "Moved.", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > ann["updated_at"]
    unknown = (await control.client.patch(url, json={"language": None, "name": "Ann"}, headers=ADMIN)).json()
    assert (unknown["language"], unknown["name"], unknown["notes"]) == (None, "Ann", "Moved.")
    assert (await control.client.delete(url, headers=ADMIN)).status_code == 204
    for method in ("GET", "DELETE", "PATCH"):
        gone = await control.client.request(method, url, json={} if method == "PATCH" else None, headers=ADMIN)
        assert (gone.status_code, gone.json()["code"]) == (404, "contact_not_found")


async def test_they_are_found_by_number_in_any_spelling_and_by_a_part_of_the_name(control: Control) -> None:
    await made(control)
    await made(control, number="0033 7 00 00 00 01", name="Bo 100% Éric_")
    await made(control, number="204", name="The workshop")
    assert await listed(control) == ["The workshop", "Bo 100% Éric_", "Ann Lebrun"]
    for spelled in ("%2B33612345678", "0033612345678", "33%206%2012%2034%2056%2078"):
        assert await listed(control, f"?number={spelled}") == ["Ann Lebrun"]
    assert await listed(control, "?number=%2B33700000001") == ["Bo 100% Éric_"]
    assert await listed(control, "?number=204") == ["The workshop"]
    assert await listed(control, "?name=LEBR") == ["Ann Lebrun"]
    assert await listed(control, "?name=0%25%20%C3%A9ric_") == ["Bo 100% Éric_"]
    assert await listed(control, "?name=%25") == ["Bo 100% Éric_"], "no pattern"
    first = (await control.client.get("/api/v1/contacts?limit=2", headers=ADMIN)).json()
    assert await listed(control, f"?limit=2&after={first['next']}") == ["Ann Lebrun"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"number": "0033612345678"}, 409, "contact_exists"),
        ({"number": "+1"}, 422, "bad_number"),
        ({"number": "???"}, 422, "invalid_request"),
        ({"name": " "}, 422, "invalid_request"),
        ({"name": None}, 422, "invalid_request"),
        ({"language": "French!"}, 422, "invalid_request"),
        ({"notes": "x" * 4001}, 422, "invalid_request"),
        ({"age": 7}, 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    control: Control, change: dict[str, object], status: int, code: str
) -> None:
    await made(control)
    answer = await control.client.post("/api/v1/contacts", json={**ANN, **change}, headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await listed(control) == ["Ann Lebrun"]


async def test_calls_say_whom_they_are_with(control: Control) -> None:
    ann, workshop = await made(control), await made(control, number="204", name="The workshop")
    known = {"id": ann["id"], "name": "Ann Lebrun"}
    for caller in ("+33612345678", "0033612345678", "33612345678"):
        assert await contact_of(control, await called(control, caller)) == known
    assert await contact_of(control, await called(control, "100", "+33 612 345 678", "outbound")) == known
    assert await contact_of(control, await called(control, "204")) == {"id": workshop["id"], "name": "The workshop"}
    for stranger in ("+33612345679", "612345678", "anonymous", ""):
        assert await contact_of(control, await called(control, stranger)) is None
    outbound = await called(control, "+33612345678", "+44 20 7946 0958", "outbound")
    assert await contact_of(control, outbound) is None, "an agent called from it"


async def test_the_contacts_of_others_are_nobody_s_here(control: Control) -> None:
    await control.user("eve@example.org", await control.account("other"))
    theirs = await control.bearer("eve@example.org")
    ann = await made(control)
    assert (await control.client.post("/api/v1/contacts", json=ANN, headers=theirs)).status_code == 201
    assert (await control.client.get(f"/api/v1/contacts/{ann['id']}", headers=theirs)).status_code == 404
    assert await contact_of(control, await called(control, "+33612345678")) == {"id": ann["id"], "name": ann["name"]}
    async with control.database.connection() as connection:
        await connection.execute("DELETE FROM contacts WHERE account_id = $1", DEFAULT_ACCOUNT)
    assert await contact_of(control, await called(control, "+33612345678")) is None
