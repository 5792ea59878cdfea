from __future__ import annotations

from telephony.sip.pace import Pace


def test_a_pace_is_spent_until_its_oldest_count_is_old() -> None:
    now = 0.0
    pace = Pace(most=2, within=0.5, clock=lambda: now)
    spent = []
    for now in (0.0, 0.1, 0.2, 0.49, 0.5, 0.55, 0.6):  # noqa: B007 - the clock reads it
        spent.append(pace.spent)
        if not pace.spent:
            pace.count()
    assert spent == [False, False, True, True, False, True, False]
