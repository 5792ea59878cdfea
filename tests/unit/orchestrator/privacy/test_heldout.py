"""Masking on sentences from which no rule was written."""

from __future__ import annotations

from benchmarks.masking import held_out, judged, seconds_a_text


def test_nearly_all_that_is_personal_is_covered_and_nearly_every_mask_is_due() -> None:
    found = judged(held_out())
    assert found.wanted.total() >= 90
    assert found.recall >= 0.95, found.missed
    assert found.precision >= 0.95, found.wronged
    assert found.hidden / found.harmless <= 0.02, found.wronged


def test_a_turn_costs_less_than_a_millisecond() -> None:
    texts_a_turn = 3
    assert min(seconds_a_text(held_out()) for _ in range(3)) * texts_a_turn < 0.001
