"""What the API shows of a call."""

from __future__ import annotations

from orchestrator.api.calls.schemas import EventRead, TurnRead
from orchestrator.core.turn import Mark


def test_seconds_are_told_to_the_millisecond() -> None:
    turn = TurnRead.model_validate(
        {
            "index": 1,
            "answer": None,
            "caller_text": "",
            "reply_text": "",
            "heard_text": "",
            "marks": {Mark.SPEECH_ENDED: 4.4999375},
            "spans": {"endpointing": 0.30000000000000004},
            "sentiment": None,
        }
    )
    assert turn.marks == {Mark.SPEECH_ENDED: 4.5}
    assert turn.spans == {"endpointing": 0.3}


def test_details_of_an_event_keep_what_is_no_number() -> None:
    event = EventRead.model_validate(
        {"seq": 0, "type": "state", "at": 1.23456, "payload": {"to": "listen", "onset": 0.1 + 0.2, "turn": 2}}
    )
    assert (event.at, event.payload) == (1.235, {"to": "listen", "onset": 0.3, "turn": 2})
