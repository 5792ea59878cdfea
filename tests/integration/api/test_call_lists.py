"""Calls are found by what they are and by what was said, a page at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from orchestrator.core.events import CallEnded, CallStarted, EndReason, Record, Spoken
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from tests.integration.api.conftest import OPERATOR, Control

START = 1_800_000_000.0
HEADERS = {"Authorization": f"Bearer {OPERATOR}"}


async def happened(
    control: Control, minute: int, *lines: str, agent: str = "demo", caller: str = "anna", ended: bool = True
) -> UUID:
    """A call that started in *minute*, in which *lines* were said."""
    call = uuid4()
    records: list[Record] = [CallStarted(call, agent, "inbound", caller, "100", "sip", START + 60 * minute)]
    records += [Spoken(call, 0, "caller", line, 2.0 * index, 2.0 * index + 1) for index, line in enumerate(lines)]
    if ended:
        records.append(CallEnded(call, EndReason.CALLER_HANGUP, START + 60 * minute + 30, 30.0))
    await CallsRepository(control.database, DEFAULT_ACCOUNT).write(records)
    return call


async def found(control: Control, **wanted: object) -> list[str]:
    """The ids of the calls that are *wanted*."""
    answer = await control.client.get("/api/v1/calls", params=wanted, headers=HEADERS)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [call["id"] for call in answer.json()["items"]]


async def test_pages_go_on_where_the_last_one_ended_though_calls_come_in(control: Control) -> None:
    calls = [str(await happened(control, minute)) for minute in (3, 2, 2, 2, 1)]
    first = (await control.client.get("/api/v1/calls", params={"limit": 2}, headers=HEADERS)).json()
    await happened(control, 4)
    pages, cursor = [first["items"]], first["next"]
    while cursor is not None:
        page = await control.client.get("/api/v1/calls", params={"limit": 2, "after": cursor}, headers=HEADERS)
        pages.append(page.json()["items"])
        cursor = page.json()["next"]
    seen = [call["id"] for page in pages for call in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(seen) == sorted(calls)
    assert (seen[0], seen[-1]) == (calls[0], calls[-1])


async def test_calls_are_found_by_what_they_are(control: Control) -> None:
    old = str(await happened(control, 1, agent="desk", caller="bert"))
    going_on = str(await happened(control, 2, ended=False))
    new = str(await happened(control, 3))
    at = (datetime.fromtimestamp(START, UTC) + timedelta(minutes=2)).isoformat()
    assert await found(control, agent="desk") == [old]
    assert await found(control, caller="bert", callee="100", direction="inbound", driver="sip") == [old]
    assert await found(control, live=True) == [going_on]
    assert await found(control, live=False) == [new, old]
    assert await found(control, reason="caller_hangup", since=at) == [new]
    assert await found(control, until=at) == [old]
    assert await found(control, agent="nobody") == []


async def test_a_word_that_was_said_finds_its_call_and_its_line(control: Control) -> None:
    wanted = await happened(control, 1, "hello there", "I want a refund for my blue bicycle", "thank you")
    await happened(control, 2, "where is my bicycle")
    answer = await control.client.get("/api/v1/calls", params={"q": "REFUND bicycle"}, headers=HEADERS)
    (call,) = answer.json()["items"]
    assert call["id"] == str(wanted)
    assert [line["text"] for line in call["lines"]] == ["I want a refund for my blue bicycle"]


async def test_a_search_knows_phrases_beginnings_what_is_not_wanted_and_accents(control: Control) -> None:
    one = str(await happened(control, 1, "le café est fermé"))
    other = str(await happened(control, 2, "the cafe is closed for refunds"))
    assert await found(control, q="cafe") == [other, one]
    assert await found(control, q="Fermé") == [one]
    assert await found(control, q="refund") == []
    assert await found(control, q="refund*") == [other]
    assert await found(control, q='"is closed"') == [other]
    assert await found(control, q='"closed is"') == []
    assert await found(control, q="cafe -closed") == [one]


async def test_what_is_searched_is_never_sql(control: Control) -> None:
    await happened(control, 1, "hello")
    for typed in ("'", "';--", "a & | !", "\\", "(", "'':*", '"', "*", "<->", "%", "hello' | 'x"):
        assert await found(control, q=typed) == [], typed
        assert await found(control, agent=typed, caller=typed) == []


async def test_filters_that_make_no_sense_are_refused(control: Control) -> None:
    for wanted in (
        {"limit": 0},
        {"limit": 201},
        {"after": "x"},
        {"since": "2026-01-01T00:00:00"},
        {"reason": "boredom"},
        {"direction": "up"},
        {"q": "a\x00b"},
        {"agent": "a\x00b"},
    ):
        answer = await control.client.get("/api/v1/calls", params=wanted, headers=HEADERS)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), wanted


async def test_a_call_whose_orchestrator_died_is_searched_as_well(control: Control) -> None:
    call = str(await happened(control, 1, "lost words", ended=False))
    assert await found(control, q="lost") == []
    await CallsRepository(control.database, DEFAULT_ACCOUNT).end_abandoned()
    assert await found(control, q="lost") == [call]
