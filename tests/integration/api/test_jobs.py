"""Jobs and figures over HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from orchestrator.core.events import CallEnded, CallStarted, EndReason, TurnFinished
from orchestrator.core.turn import AnswerKind, Turn
from orchestrator.store.analytics import count_day
from orchestrator.store.call_analysis import keep_sentiment, keep_summary
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from orchestrator.store.jobs import ROLLUP, SENTIMENT, SUMMARY, enqueue
from tests.integration.api.conftest import OPERATOR, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
DAY = date(2027, 1, 15)


async def ended(control: Control, agent: str = "desk", reason: EndReason = EndReason.CALLER_HANGUP) -> UUID:
    """A call of a minute that began on DAY, with a turn."""
    call = uuid4()
    turn = Turn(0, caller_text="great", answer=AnswerKind.LLM)
    await CallsRepository(control.database).write(
        [
            CallStarted(call, agent, "inbound", "anna", "100", "sip", 1_800_000_000.0),
            TurnFinished(call, turn),
            CallEnded(call, reason, 1_800_000_060.0, 60.0),
        ]
    )
    return call


async def state(control: Control, job: str, to: str, error: str | None = None) -> None:
    """What a worker would say of *job*."""
    async with control.database.connection() as connection:
        over = "now()" if to in {"failed", "succeeded"} else "NULL"
        await connection.execute(
            f"UPDATE jobs SET state = $2, error = $3, finished_at = {over} WHERE id = $1", UUID(job), to, error
        )


async def the(control: Control, kind: str) -> dict[str, object]:
    """The latest job of *kind*."""
    answer = await control.client.get("/api/v1/jobs", params={"kind": kind, "limit": 1}, headers=ADMIN)
    job: dict[str, object] = answer.json()["items"][0]
    return job


async def test_jobs_are_listed_by_kind_state_and_call_a_page_at_a_time(control: Control) -> None:
    call = await ended(control)
    await ended(control)
    listed = (await control.client.get("/api/v1/jobs", headers=ADMIN)).json()["items"]
    assert sorted(job["kind"] for job in listed) == sorted([SUMMARY, SENTIMENT] * 2 + [ROLLUP])
    assert {job["state"] for job in listed} == {"queued"}
    one = (await control.client.get("/api/v1/jobs", params={"call": str(call)}, headers=ADMIN)).json()["items"]
    assert sorted(job["kind"] for job in one) == sorted([SUMMARY, SENTIMENT])
    nothing = await control.client.get("/api/v1/jobs", params={"state": "failed"}, headers=ADMIN)
    assert nothing.json() == {"items": [], "next": None}
    seen, after = [], None
    while True:
        params = {"limit": "2", **({"after": after} if after else {})}
        page = (await control.client.get("/api/v1/jobs", params=params, headers=ADMIN)).json()
        seen += [job["id"] for job in page["items"]]
        if (after := page["next"]) is None:
            break
    assert seen == [job["id"] for job in listed]


async def test_a_job_that_failed_is_queued_once_more_when_it_is_asked_for(control: Control) -> None:
    await ended(control)
    job = str((await the(control, SUMMARY))["id"])
    refused = await control.client.post(f"/api/v1/jobs/{job}/retry", headers=ADMIN)
    assert (refused.status_code, refused.json()["code"]) == (409, "job_not_failed")
    await state(control, job, "failed", "engine_unavailable")
    read = (await control.client.get(f"/api/v1/jobs/{job}", headers=ADMIN)).json()
    assert (read["state"], read["error"]) == ("failed", "engine_unavailable")
    again = (await control.client.post(f"/api/v1/jobs/{job}/retry", headers=ADMIN)).json()
    assert (again["state"], again["error"], again["attempts"], again["finished_at"]) == ("queued", None, 0, None)


async def test_a_job_is_cancelled_once(control: Control) -> None:
    await ended(control)
    job = (await the(control, SUMMARY))["id"]
    cancelled = await control.client.post(f"/api/v1/jobs/{job}/cancel", headers=ADMIN)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    again = await control.client.post(f"/api/v1/jobs/{job}/cancel", headers=ADMIN)
    assert (again.status_code, again.json()["code"]) == (409, "job_over")


async def test_an_erasure_is_cancelled_by_nobody(control: Control) -> None:
    await control.client.post("/api/v1/erasures", json={"caller": "+33612345678"}, headers=ADMIN)
    [job] = (await control.client.get("/api/v1/jobs?kind=erasure", headers=ADMIN)).json()["items"]
    refused = await control.client.post(f"/api/v1/jobs/{job['id']}/cancel", headers=ADMIN)
    assert (refused.status_code, refused.json()["code"]) == (409, "job_not_cancellable")
    assert (await control.client.get(f"/api/v1/jobs/{job['id']}", headers=ADMIN)).json()["state"] == "queued"


@pytest.mark.parametrize("path", ["", "/retry", "/cancel"])
async def test_a_job_that_is_not_there_is_not_found(control: Control, path: str) -> None:
    answer = await control.client.request("POST" if path else "GET", f"/api/v1/jobs/{uuid4()}{path}", headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


async def test_what_a_job_needs_to_know_is_not_shown(control: Control) -> None:
    async with control.database.tenant(DEFAULT_ACCOUNT) as connection:
        await enqueue(connection, DEFAULT_ACCOUNT, "erasure", {"request": "secret"}, "secret")
    assert "secret" not in (await control.client.get("/api/v1/jobs", headers=ADMIN)).text


async def test_a_call_shows_its_summary_and_its_sentiment(control: Control) -> None:
    call = await ended(control)
    before = (await control.client.get(f"/api/v1/calls/{call}", headers=ADMIN)).json()
    assert (before["summary"], before["sentiment"], before["turns"][0]["sentiment"]) == (None, None, None)
    async with control.database.transaction() as connection:
        await keep_summary(connection, call, "The caller was pleased.")
        await keep_sentiment(connection, call, {0: 0.75}, 0.75)
    after = (await control.client.get(f"/api/v1/calls/{call}", headers=ADMIN)).json()
    assert (after["summary"], after["sentiment"]) == ("The caller was pleased.", 0.75)
    assert after["turns"][0]["sentiment"] == 0.75
    [listed] = (await control.client.get("/api/v1/calls", headers=ADMIN)).json()["items"]
    assert (listed["summary"], listed["sentiment"]) == ("The caller was pleased.", 0.75)


async def test_days_are_told_by_agent_the_latest_first(control: Control) -> None:
    await ended(control)
    await ended(control, reason=EndReason.LEG_LOST)
    await ended(control, "shop", EndReason.NOT_ANSWERED)
    async with control.database.transaction() as connection:
        await count_day(connection, DEFAULT_ACCOUNT, DAY)
    rows = (await control.client.get("/api/v1/analytics", headers=ADMIN)).json()["items"]
    told = [(row["agent"], row["calls"], row["reached"], row["failed"], row["minutes"]) for row in rows]
    assert told == [("shop", 1, 0, 0, 1.0), ("desk", 2, 2, 1, 2.0)]
    assert {row["day"] for row in rows} == {"2027-01-15"}


@pytest.mark.parametrize("day", ["0", "1800000000", "2027-1-15", "2027-01-15T00:00:00Z", "yesterday"])
async def test_what_is_no_day_is_refused(control: Control, day: str) -> None:
    answer = await control.client.get("/api/v1/analytics", params={"until": day}, headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_days_are_chosen_and_come_a_page_at_a_time(control: Control) -> None:
    async with control.database.connection() as connection:
        for number in range(5):
            await connection.execute(
                "INSERT INTO call_days (account_id, day, agent, calls, seconds, turns, answered)"
                " VALUES ($1, $2, 'desk', 1, 60, 1, 0)",
                *(DEFAULT_ACCOUNT, DAY + timedelta(days=number)),
            )
    params: dict[str, str] = {"since": "2027-01-16", "until": "2027-01-18", "agent": "desk", "limit": "2"}
    first = (await control.client.get("/api/v1/analytics", params=params, headers=ADMIN)).json()
    assert [row["day"] for row in first["items"]] == ["2027-01-18", "2027-01-17"]
    params["after"] = first["next"]
    rest = (await control.client.get("/api/v1/analytics", params=params, headers=ADMIN)).json()
    assert ([row["day"] for row in rest["items"]], rest["next"]) == (["2027-01-16"], None)
    none = await control.client.get("/api/v1/analytics", params={"agent": "shop"}, headers=ADMIN)
    assert none.json() == {"items": [], "next": None}
