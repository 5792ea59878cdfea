from __future__ import annotations

from orchestrator.core.turn import Mark, Turn


def test_a_span_is_from_its_first_mark_to_its_second() -> None:
    turn = Turn(0, marks={Mark.SPEECH_ENDED: 1.0, Mark.PAUSE_FOUND: 1.25})
    assert turn.spans() == {"pause": 0.25}


def test_what_was_found_for_a_draft_before_a_noise_took_no_time_after_it() -> None:
    turn = Turn(0, marks={Mark.ANSWER_FOUND: 2.0, Mark.TRANSCRIBED: 3.0})
    assert turn.spans() == {"answer_lookup": 0.0}
