from __future__ import annotations

from typing import Any

import pytest

from benchmarks.load_overhead import StubDelays, overheads, stub_delays
from inference.registry import Registry

DELAYS = StubDelays(lookup=0.01, first_audio=0.4)


def call(*turns: dict[str, float]) -> dict[str, Any]:
    """A stored call; `handled` of each turn becomes the event."""
    return {
        "events": [
            {"type": "state", "at": turn["handled"], "payload": {"from": "listen", "to": "process"}} for turn in turns
        ],
        "turns": [
            {"answer": "llm", "marks": {name: at for name, at in turn.items() if name != "handled"}} for turn in turns
        ],
    }


def test_what_the_stubs_take_is_no_overhead() -> None:
    turn = {"turn_ended": 1.0, "handled": 1.01, "llm_started": 1.02, "queued": 1.42}
    assert overheads(call(turn), DELAYS)[0].total == pytest.approx(0.0)


def test_everything_beyond_it_is() -> None:
    turn = {"turn_ended": 1.0, "handled": 1.01, "llm_started": 1.035, "queued": 1.45}
    assert overheads(call(turn), DELAYS)[0].behind == pytest.approx(0.03)


def test_a_reply_that_was_ready_before_the_end_of_the_turn_could_be_queued_at_once() -> None:
    turn = {"turn_ended": 2.0, "handled": 2.01, "llm_started": 1.2, "queued": 2.015}
    assert overheads(call(turn), DELAYS)[0].behind == pytest.approx(0.005)


def test_a_reply_that_was_begun_but_not_ready_is_due_when_the_stubs_are_done() -> None:
    turn = {"turn_ended": 2.0, "handled": 2.01, "llm_started": 1.8, "queued": 2.21}
    assert overheads(call(turn), DELAYS)[0].behind == pytest.approx(0.01)


def test_an_end_that_is_noticed_later_than_the_quickest_of_the_call_is_late() -> None:
    quick = {"turn_ended": 1.0, "handled": 1.01, "llm_started": 1.02, "queued": 1.42}
    slow = {"turn_ended": 5.0, "handled": 5.03, "llm_started": 5.04, "queued": 5.44}
    assert [one.late for one in overheads(call(quick, slow), DELAYS)] == pytest.approx([0.0, 0.02])


def test_an_end_that_was_corrected_to_a_later_time_is_still_found() -> None:
    turn = {"turn_ended": 1.02, "handled": 1.01, "llm_started": 1.02, "queued": 1.42}
    assert overheads(call(turn), DELAYS)[0].total == pytest.approx(0.0)


def test_a_call_without_replies_of_the_language_model_has_none() -> None:
    assert overheads({"events": [], "turns": [{"answer": "greeting", "marks": {}}]}, DELAYS) == []


def test_the_delays_are_those_of_the_manifests() -> None:
    delays = stub_delays(Registry(), "stub")
    # The text is one sentence of eight words, which is known to be over with the last of them.
    assert delays.first_audio == pytest.approx(0.15 + 7 * 0.02 + 0.1)
    assert delays.lookup == pytest.approx(0.01)
