from __future__ import annotations

from telephony.leg.playout import Playout


def test_a_sample_left_as_long_after_its_runs_start_as_it_is_behind_it() -> None:
    playout = Playout(sent=1000)
    playout.began(0, at=500)
    playout.reported(400)
    playout.began(400, at=9000)
    playout.reported(600)
    assert [playout.left_at(index) for index in (0, 399, 400, 599, 600)] == [500, 899, 9000, 9199, None]


def test_reports_never_go_back() -> None:
    playout = Playout(sent=1000)
    playout.reported(600)
    playout.reported(500)
    assert (playout.played, playout.waiting) == (600, 400)


def test_what_was_cleared_is_taken_back() -> None:
    playout = Playout(sent=1000)
    playout.cleared(700)
    assert (playout.sent, playout.played, playout.waiting) == (700, 700, 0)
