"""Records to lines and back."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.events import Happened, Spoken, TurnFinished
from orchestrator.core.turn import AnswerKind, Mark, Turn
from orchestrator.telemetry.record_lines import from_line, to_line
from tests.fakes.records import small_call

seconds = st.floats(allow_nan=False, allow_infinity=False)
turns = st.builds(
    Turn,
    index=st.integers(0, 1000),
    caller_text=st.text(),
    reply_text=st.text(),
    heard_text=st.text(),
    answer=st.none() | st.sampled_from(AnswerKind),
    marks=st.dictionaries(st.sampled_from(Mark), seconds),
)


@pytest.mark.parametrize("record", small_call(), ids=lambda record: type(record).__name__)
def test_every_kind_of_record_survives_its_line(record: object) -> None:
    assert from_line(to_line(record)) == record  # type: ignore[arg-type]


@given(turns)
def test_any_turn_survives_its_line(turn: Turn) -> None:
    record = TurnFinished(uuid4(), turn)

    line = to_line(record)

    assert "\n" not in line
    assert from_line(line) == record


@given(st.text(), seconds, seconds)
def test_any_text_survives_its_line(text: str, start: float, end: float) -> None:
    record = Spoken(uuid4(), 1, "caller", text, start, end)

    assert from_line(to_line(record)) == record


def test_a_payload_value_that_json_does_not_know_becomes_its_text() -> None:
    call_id = uuid4()

    record = from_line(to_line(Happened(call_id, 0, "odd", 0.0, {"id": call_id})))

    assert record == Happened(call_id, 0, "odd", 0.0, {"id": str(call_id)})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"kind":"spoken"}',
        '{"kind":"call_ended","call_id":"x"}',
        '{"kind":"happened","more":1}',
    ],
)
def test_a_line_that_holds_no_record_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match="not a record"):
        from_line(line)
