"""What a newcomer sees of the first call."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
from rich.console import Console

from orchestrator.app import Running
from orchestrator.commands.demo import demo_call, show
from orchestrator.core.events import EndReason, Spoken
from orchestrator.core.turn import AnswerKind
from orchestrator.settings import read_settings
from orchestrator.store.calls import Call, CallHistory, RecordedTurn
from orchestrator.store.calls_repository import CallsRepository
from tests.fakes.engines import FakeTextToSpeech

LONG = "We are open Monday to Friday, from eight in the morning to six in the evening, and on Saturdays until noon."


def history() -> CallHistory:
    call_id = uuid4()
    now = datetime.now(UTC)
    ended = EndReason.CALLER_HANGUP
    call = Call(
        call_id,
        uuid4(),
        "demo",
        None,
        None,
        "inbound",
        "c",
        "demo",
        "sip",
        now,
        now,
        ended,
        9.0,
        recorded=True,
        summary=None,
        sentiment=None,
        contact=None,
    )
    turn = RecordedTurn(1, AnswerKind.APPROVED, "When?", LONG, LONG, {}, {"endpointing": 0.6}, 0.75, sentiment=None)
    return CallHistory(call, (turn,), (Spoken(call_id, 1, "agent", LONG, 1.0, 7.0),), (), None)


def test_what_is_copied_from_the_screen_stands_on_one_line() -> None:
    screen = io.StringIO()
    told = history()
    show(Console(file=screen, width=60), told, [0.8])
    lines = screen.getvalue().splitlines()
    assert [line for line in lines if line.endswith(LONG)]
    assert f"Recording: offhook recordings save {told.call.id}" in lines


def test_the_columns_of_the_latency_table_are_explained() -> None:
    screen = io.StringIO()
    show(Console(file=screen, width=100), history(), [0.8])
    assert "at the caller: the same, as the caller's phone recorded it" in screen.getvalue()


@pytest.mark.parametrize("once", [True, False])
async def test_somebodys_own_agents_are_not_asked_about_teeth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], once: bool
) -> None:
    voice = FakeTextToSpeech()
    product = Running("http://127.0.0.1:1", ("sip:desk@127.0.0.1:1",), 4, voice, cast("CallsRepository", None))
    assert await demo_call(product, read_settings(agents=tmp_path, data=tmp_path), once=once)
    shown = capsys.readouterr().out
    assert voice.requests == []
    assert "other agents are up" in shown
    assert ("Ctrl-C stops it" in shown) is not once
