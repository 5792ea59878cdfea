"""Agents: drafts that are edited, versions that never change, and who answers which number."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from orchestrator.agent_import import Importing, import_agents
from orchestrator.agents import AgentFile
from orchestrator.api.agents.differences import differences
from orchestrator.api.agents.templates import templates
from orchestrator.calls.prepared import OnDuty
from orchestrator.core.errors import ConfigError
from orchestrator.store.agents_repository import AgentsRepository
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.numbers_repository import NumbersRepository
from tests.integration.api.conftest import OPERATOR, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
DESK = {"greeting": "Hello.", "persona": "You help."}


async def ask(control: Control, method: str, path: str, body: object = None) -> httpx.Response:
    return await control.client.request(method, f"/api/v1{path}", json=body, headers=ADMIN)


async def made(control: Control, name: str = "desk", **definition: object) -> dict[str, Any]:
    answer = await ask(control, "POST", "/agents", {"name": name, "definition": {**DESK, **definition}})
    assert answer.status_code == 201, answer.text
    agent: dict[str, Any] = answer.json()
    return agent


async def published(control: Control, agent: dict[str, Any], **changed: object) -> int:
    """The number of the version that the agent's draft, with what *changed*, becomes."""
    agent.update(
        (
            await ask(
                control,
                "PUT",
                f"/agents/{agent['id']}/draft",
                {"definition": {**agent["draft"], **changed}, "revision": agent["revision"]},
            )
        ).json()
    )
    answer = await ask(control, "POST", f"/agents/{agent['id']}/publish", {"revision": agent["revision"]})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["number"])


async def answering(control: Control, number: str, *, version: int | None, within: float = 5.0) -> OnDuty | None:
    """Who answers *number*, once it is in *version*."""
    async with asyncio.timeout(within):
        while True:
            found = control.roster.get(number)
            if (found.version if found is not None else None) == version:
                return found
            await asyncio.sleep(0.01)


async def test_an_agent_answers_once_it_is_published_and_has_a_number(control: Control) -> None:
    agent = await made(control)
    assert control.roster.get("15550102") is None
    assert await published(control, agent) == 1
    assigned = await ask(control, "PUT", "/numbers/+1 (555) 0102", {"agent_id": agent["id"]})
    assert (assigned.json()["number"], assigned.json()["shown"]) == ("15550102", "+1 (555) 0102")
    found = await answering(control, "15550102", version=1)
    assert found is not None
    assert (found.account, found.agent_id, found.prepared.agent.greeting) == (
        DEFAULT_ACCOUNT,
        UUID(agent["id"]),
        "Hello.",
    )
    assert (await ask(control, "GET", f"/agents/{agent['id']}")).json()["numbers"] == ["+1 (555) 0102"]


async def test_calls_that_are_on_keep_their_version_and_the_next_ones_have_the_new_one(control: Control) -> None:
    agent = await made(control)
    await published(control, agent)
    await ask(control, "PUT", "/numbers/100", {"agent_id": agent["id"]})
    on_a_call = await answering(control, "100", version=1)
    assert await published(control, agent, greeting="Good day.") == 2
    next_call = await answering(control, "100", version=2)
    assert on_a_call is not None
    assert next_call is not None
    assert (on_a_call.prepared.agent.greeting, next_call.prepared.agent.greeting) == ("Hello.", "Good day.")


async def test_rolling_back_and_unpublishing_take_effect_without_a_restart(control: Control) -> None:
    agent = await made(control)
    await published(control, agent)
    await ask(control, "PUT", "/numbers/100", {"agent_id": agent["id"]})
    await published(control, agent, greeting="Good day.")
    await answering(control, "100", version=2)
    back = await ask(control, "POST", f"/agents/{agent['id']}/rollback", {"version": 1})
    assert back.json()["definition"]["greeting"] == "Hello."
    await answering(control, "100", version=1)
    assert (await ask(control, "GET", f"/agents/{agent['id']}")).json()["draft"]["greeting"] == "Good day."
    assert (await ask(control, "POST", f"/agents/{agent['id']}/unpublish")).status_code == 204
    assert await answering(control, "100", version=None) is None
    missing = await ask(control, "POST", f"/agents/{agent['id']}/rollback", {"version": 9})
    assert (missing.status_code, missing.json()["code"]) == (404, "version_not_found")


async def test_what_is_published_is_heard_of_after_the_listener_was_cut_off(control: Control) -> None:
    agent = await made(control)
    await published(control, agent)
    await ask(control, "PUT", "/numbers/100", {"agent_id": agent["id"]})
    await answering(control, "100", version=1)
    async with control.database.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'offhook listener' AND datname = current_database()"
        )
    await published(control, agent, greeting="Good day.")
    await answering(control, "100", version=2)


async def test_who_saves_an_older_draft_than_there_is_is_told(control: Control) -> None:
    agent = await made(control)
    path, body = f"/agents/{agent['id']}/draft", {"definition": DESK, "revision": 1}
    assert (await ask(control, "PUT", path, body)).json()["revision"] == 2
    late = await ask(control, "PUT", path, body)
    assert (late.status_code, late.json()["code"]) == (409, "stale_revision")
    unseen = await ask(control, "POST", f"/agents/{agent['id']}/publish", {"revision": 1})
    assert (unseen.status_code, unseen.json()["code"]) == (409, "stale_revision")


async def test_a_draft_may_be_unfinished_and_says_what_it_lacks(control: Control) -> None:
    agent = (
        await ask(control, "POST", "/agents", {"name": "desk", "definition": {"greeting": "Hi.", "colour": 1}})
    ).json()
    assert any(fault.startswith("persona: ") for fault in agent["faults"])
    assert any("colour: is not a known field" in fault for fault in agent["faults"])
    refused = await ask(control, "POST", f"/agents/{agent['id']}/publish", {"revision": 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_an_agent")
    assert "persona" in refused.json()["detail"]


async def test_a_version_that_cannot_speak_is_not_published(control: Control) -> None:
    agent = await made(control, voice="nobody")
    refused = await ask(control, "POST", f"/agents/{agent['id']}/publish", {"revision": 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "cannot_answer")
    assert "there are joe and anna" in refused.json()["detail"]
    assert (await ask(control, "GET", f"/agents/{agent['id']}")).json()["published"] is None


async def test_a_version_never_changes(control: Control) -> None:
    agent = await made(control)
    await published(control, agent)
    for change in ("definition = '{}'", "note = 'x'", "number = 2"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            async with control.database.connection() as connection:
                await connection.execute(f"UPDATE agent_versions SET {change}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with control.database.tenant(DEFAULT_ACCOUNT) as connection:
            await connection.execute("DELETE FROM agent_versions")


async def test_publishing_the_same_again_makes_no_other_version(control: Control) -> None:
    agent = await made(control)
    assert [await published(control, agent) for _ in range(2)] == [1, 1]
    assert await published(control, agent, greeting="Good day.") == 2
    listed = (await ask(control, "GET", f"/agents/{agent['id']}/versions?limit=1")).json()
    assert [version["number"] for version in listed["items"]] == [2]
    rest = (await ask(control, "GET", f"/agents/{agent['id']}/versions?after={listed['next']}")).json()
    assert ([version["number"] for version in rest["items"]], rest["next"]) == ([1], None)


async def test_versions_and_the_draft_are_compared_field_by_field(control: Control) -> None:
    agent = await made(control, answers=[{"questions": ["When?"], "answer": "At nine."}])
    await published(control, agent)
    await published(control, agent, answers=[{"questions": ["When?"], "answer": "At ten."}], subject="hours")
    path = f"/agents/{agent['id']}/diff"
    told = (await ask(control, "GET", f"{path}?from=1&to=2")).json()["differences"]
    assert [(one["path"], one["kind"], one["before"], one["after"]) for one in told] == [
        ("answers.0.answer", "changed", "At nine.", "At ten."),
        ("subject", "changed", "", "hours"),
    ]
    assert (await ask(control, "GET", f"{path}?from=2")).json() == {"differences": []}
    assert (await ask(control, "GET", f"{path}?from=7")).status_code == 404
    assert (await ask(control, "GET", f"{path}?from=x")).status_code == 422


def test_lists_that_grow_and_shrink_are_told() -> None:
    found = differences({"a": [1, 2], "b": {}}, {"a": [1], "c": {"d": None}})
    assert [(one.path, one.kind) for one in found] == [("a.1", "removed"), ("b", "removed"), ("c.d", "added")]


async def test_a_name_is_given_once_and_a_number_answers_once(control: Control) -> None:
    agent, other = await made(control), await made(control, "sales")
    taken = await ask(control, "POST", "/agents", {"name": "desk", "definition": DESK})
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    body = {"definition": DESK, "revision": 1, "name": "sales"}
    renamed = await ask(control, "PUT", f"/agents/{agent['id']}/draft", body)
    assert (renamed.status_code, renamed.json()["code"]) == (409, "name_taken")
    for one in (agent, other):
        await ask(control, "PUT", "/numbers/100", {"agent_id": one["id"]})
    listed = (await ask(control, "GET", "/numbers")).json()["items"]
    assert [(number["number"], number["agent_id"]) for number in listed] == [("100", other["id"])]
    assert (await ask(control, "DELETE", "/numbers/1-0-0")).status_code == 204
    assert (await ask(control, "DELETE", "/numbers/100")).status_code == 404
    assert (await ask(control, "PUT", "/numbers/100", {"agent_id": str(uuid4())})).status_code == 404


async def test_an_agent_that_answers_calls_is_not_deleted(control: Control) -> None:
    agent = await made(control)
    await published(control, agent)
    refused = await ask(control, "DELETE", f"/agents/{agent['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "published")
    await ask(control, "POST", f"/agents/{agent['id']}/unpublish")
    assert (await ask(control, "DELETE", f"/agents/{agent['id']}")).status_code == 204
    assert (await ask(control, "GET", f"/agents/{agent['id']}")).status_code == 404


async def test_every_template_can_be_published_as_it_is(control: Control) -> None:
    told = (await ask(control, "GET", "/templates")).json()
    assert len(told) == len(templates()) == 8
    assert {(one["name"].split(".")[0], one["language"]) for one in told} == {
        (kind, language)
        for kind in ("receptionist", "appointment", "order-status", "survey")
        for language in ("en", "fr")
    }
    for one in told:
        body = {"name": one["name"].replace(".", "-"), "template": one["name"]}
        agent = (await ask(control, "POST", "/agents", body)).json()
        assert agent["faults"] == []
        assert (await ask(control, "POST", f"/agents/{agent['id']}/publish", {"revision": 1})).status_code == 200
    missing = await ask(control, "POST", "/agents", {"name": "x", "template": "butler.en"})
    assert (missing.status_code, missing.json()["code"]) == (422, "no_such_template")
    assert (await ask(control, "POST", "/agents", {"name": "x"})).status_code == 422


async def test_agents_come_in_pages_by_name(control: Control) -> None:
    for name in ("c", "a", "b"):
        await made(control, name)
    first = (await ask(control, "GET", "/agents?limit=2")).json()
    rest = (await ask(control, "GET", f"/agents?after={first['next']}")).json()
    assert [agent["name"] for agent in (*first["items"], *rest["items"])] == ["a", "b", "c"]
    assert rest["next"] is None


async def test_drafts_hold_no_text_that_the_database_cannot_keep(control: Control) -> None:
    for text in ("a\x00b", "\ud800"):
        answer = await control.client.post(
            "/api/v1/agents",
            content=f'{{"name": "x", "definition": {{"greeting": {ascii(text).replace(chr(39), chr(34))}}}}}'.replace(
                "\\x00", "\\u0000"
            ),
            headers={**ADMIN, "Content-Type": "application/json"},
        )
        assert answer.status_code == 422, text


def file(**changed: object) -> AgentFile:
    return AgentFile.model_validate({"name": "desk", "numbers": ["100"], **DESK, **changed})


def importing(control: Control) -> Importing:
    numbers = NumbersRepository(control.database)
    return Importing(DEFAULT_ACCOUNT, AgentsRepository(control.database), numbers, control.roster)


async def test_files_are_imported_when_they_change_and_nothing_else_is_overwritten(control: Control) -> None:
    agents = AgentsRepository(control.database)

    async def imported(one: AgentFile) -> tuple[int | None, str]:
        """The published version and the draft's greeting afterwards."""
        await import_agents([one], importing(control))
        stored = await agents.named(DEFAULT_ACCOUNT, "desk")
        assert stored is not None
        return stored.published, stored.draft["greeting"]

    assert await imported(file()) == (1, "Hello.")
    assert await imported(file()) == (1, "Hello.")
    assert await imported(file(greeting="Good day.")) == (2, "Good day.")
    await answering(control, "100", version=2)
    stored = await agents.named(DEFAULT_ACCOUNT, "desk")
    assert stored is not None
    edited = {"definition": {**stored.draft, "greeting": "Edited."}, "revision": stored.revision}
    await ask(control, "PUT", f"/agents/{stored.id}/draft", edited)
    assert await imported(file(greeting="Good night.")) == (2, "Edited.")


async def test_a_file_that_cannot_speak_ends_the_start(control: Control) -> None:
    with pytest.raises(ConfigError, match=r"agent desk: .*there are joe and anna"):
        await import_agents([file(voice="nobody")], importing(control))


async def test_an_import_that_was_cut_is_made_again(control: Control) -> None:
    agents = AgentsRepository(control.database)
    await agents.create(DEFAULT_ACCOUNT, "desk", file().definition())  # and the process died
    await import_agents([file()], importing(control))
    stored = await agents.named(DEFAULT_ACCOUNT, "desk")
    assert stored is not None
    assert (stored.published, stored.numbers) == (1, ("100",))


async def test_a_version_whose_engine_failed_answers_once_it_can(control: Control) -> None:
    agent = await made(control)
    await published(control, agent)
    control.voice.failing = True
    control.voice.tried.clear()
    await ask(control, "PUT", "/numbers/100", {"agent_id": agent["id"]})
    await asyncio.wait_for(control.voice.tried.wait(), 5)
    assert control.roster.get("100") is None
    control.voice.failing = False
    await answering(control, "100", version=1)


async def test_an_agent_is_known_by_its_new_name_without_another_version(control: Control) -> None:
    agent = await made(control)
    await published(control, agent)
    await ask(control, "PUT", "/numbers/100", {"agent_id": agent["id"]})
    await answering(control, "100", version=1)
    body = {"definition": agent["draft"], "revision": agent["revision"], "name": "front"}
    assert (await ask(control, "PUT", f"/agents/{agent['id']}/draft", body)).status_code == 200
    async with asyncio.timeout(5):
        while True:
            found = control.roster.get("100")
            if found is not None and found.prepared.agent.name == "front":
                break
            await asyncio.sleep(0.01)


async def test_a_draft_of_any_size_is_looked_through_at_once(control: Control) -> None:
    questions = [{"questions": [f"q{index}"], "answer": "a"} for index in range(10_000)]
    agent = await made(control, answers=questions)
    assert any(fault.startswith("answers: ") for fault in agent["faults"])


@pytest.mark.parametrize("number", ["15550100%00", "%00", "a%0Ab", "a;b", "%F0%9F%98%80"])
async def test_a_number_is_made_of_what_is_dialled(control: Control, number: str) -> None:
    agent = await made(control)
    assert (await ask(control, "PUT", f"/numbers/{number}", {"agent_id": agent["id"]})).status_code == 422
    assert (await ask(control, "DELETE", f"/numbers/{number}")).status_code == 422
