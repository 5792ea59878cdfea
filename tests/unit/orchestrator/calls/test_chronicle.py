from __future__ import annotations

from uuid import uuid4

import pytest

from orchestrator.calls.chronicle import Chronicle
from orchestrator.core.events import Spoken
from orchestrator.core.turn import Mark, Turn
from tests.calls.scene import Kept


@pytest.mark.parametrize(("began", "over", "end"), [(2.0, 3.0, 3.0), (2.0, 1.996, 2.0)])
def test_a_line_ends_no_sooner_than_it_begins(began: float, over: float, end: float) -> None:
    kept, turn = Kept(), Turn(0, reply_text="Hello.", heard_text="Hello.")
    turn.mark(Mark.REPLY_STARTED, began)
    Chronicle(uuid4(), kept, lambda: over).keep(turn)
    [line] = [record for record in kept.records if isinstance(record, Spoken)]
    assert (line.start, line.end) == (began, end)
