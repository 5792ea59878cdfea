"""Numbers are their account's by the word of whoever runs the machine; a lone account takes what it names."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from tests.integration.api.conftest import OPERATOR, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}


async def agent(control: Control, headers: dict[str, str]) -> str:
    body = {"name": "desk", "template": "receptionist.en"}
    return str((await control.client.post("/api/v1/agents", json=body, headers=headers)).json()["id"])


async def assigned(control: Control, number: str, agent_id: str, headers: dict[str, str]) -> tuple[int, Any]:
    """Status, and the code of the problem or the number as calls are routed."""
    answer = await control.client.put(f"/api/v1/numbers/{number}", json={"agent_id": agent_id}, headers=headers)
    return answer.status_code, answer.json().get("code", answer.json().get("number"))


async def listed(control: Control, headers: dict[str, str]) -> list[tuple[str, str | None]]:
    answer = await control.client.get("/api/v1/numbers", headers=headers)
    return [(one["number"], one["agent_id"]) for one in answer.json()["items"]]


async def granted(control: Control, account: UUID, number: str) -> int:
    return (await control.client.put(f"/api/v1/accounts/{account}/numbers/{number}", headers=ADMIN)).status_code


async def anna(control: Control) -> dict[str, str]:
    """An admin of the first account."""
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    return await control.bearer("anna@example.org")


async def eve(control: Control) -> tuple[UUID, dict[str, str]]:
    """Another account, and an admin of it."""
    await control.user("eve@example.org", other := await control.account("other"))
    return other, await control.bearer("eve@example.org")


async def test_a_lone_account_takes_numbers_and_gives_them_up(control: Control) -> None:
    mine = await anna(control)
    desk = await agent(control, mine)
    assert await assigned(control, "100", str(uuid4()), mine) == (404, "agent_not_found")
    assert await listed(control, mine) == []
    assert await assigned(control, "+1 555 0102", desk, mine) == (200, "15550102")
    assert await listed(control, mine) == [("15550102", desk)]
    assert (await control.client.delete("/api/v1/numbers/15550102", headers=mine)).status_code == 204
    assert await listed(control, mine) == []


async def test_among_others_an_account_has_the_numbers_that_it_was_granted(control: Control) -> None:
    (other, theirs), mine = await eve(control), await anna(control)
    desk = await agent(control, theirs)
    assert await assigned(control, "7", desk, theirs) == (409, "number_not_granted")
    assert await granted(control, other, "7") == 200
    assert await listed(control, theirs) == [("7", None)]
    assert await assigned(control, "7", desk, theirs) == (200, "7")
    assert await listed(control, theirs) == [("7", desk)]
    assert await listed(control, mine) == []
    assert (await control.client.delete("/api/v1/numbers/7", headers=theirs)).status_code == 204
    assert await listed(control, theirs) == [("7", None)]


async def test_nobody_learns_whether_another_account_has_a_number(control: Control) -> None:
    (_, theirs), desk = await eve(control), await agent(control, ADMIN)
    assert await assigned(control, "100", desk, ADMIN) == (200, "100")
    their_desk = await agent(control, theirs)
    for agent_id in (their_desk, str(uuid4())):
        told = [await assigned(control, number, agent_id, theirs) for number in ("100", "101")]
        assert told == [(409, "number_not_granted")] * 2
    told = [(await control.client.delete(f"/api/v1/numbers/{one}", headers=theirs)).status_code for one in (100, 101)]
    assert told == [404, 404]


async def test_no_account_lets_another_one_s_agent_answer(control: Control) -> None:
    other, theirs = await eve(control)
    await granted(control, other, "7")
    assert await assigned(control, "7", await agent(control, ADMIN), theirs) == (404, "agent_not_found")


async def test_a_number_is_one_account_s_until_it_is_taken_back(control: Control) -> None:
    other, theirs = await eve(control)
    await granted(control, other, "7")
    assert await assigned(control, "7", desk := await agent(control, theirs), theirs) == (200, "7")
    assert await granted(control, DEFAULT_ACCOUNT, "7") == 409
    assert await assigned(control, "7", await agent(control, ADMIN), ADMIN) == (409, "number_taken")
    assert await granted(control, uuid4(), "8") == 404
    url = f"/api/v1/accounts/{other}/numbers/7"
    assert [(await control.client.delete(url, headers=ADMIN)).status_code for _ in range(2)] == [204, 404]
    assert await listed(control, theirs) == []
    assert await assigned(control, "7", desk, theirs) == (409, "number_not_granted")
    assert await granted(control, DEFAULT_ACCOUNT, "7") == 200


async def test_the_operator_grants_the_first_account_what_they_assign(control: Control) -> None:
    await eve(control)
    desk = await agent(control, ADMIN)
    assert await assigned(control, "100", desk, ADMIN) == (200, "100")
    page = (await control.client.get(f"/api/v1/accounts/{DEFAULT_ACCOUNT}/numbers", headers=ADMIN)).json()
    assert [(one["number"], one["agent_id"]) for one in page["items"]] == [("100", desk)]


async def test_an_agent_that_is_deleted_leaves_its_numbers_to_its_account(control: Control) -> None:
    other, theirs = await eve(control)
    await granted(control, other, "7")
    await assigned(control, "7", desk := await agent(control, theirs), theirs)
    assert (await control.client.delete(f"/api/v1/agents/{desk}", headers=theirs)).status_code == 204
    assert await listed(control, theirs) == [("7", None)]
