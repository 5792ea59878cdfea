"""A replica dies while it answers a caller, on a real Ray cluster, in a real call over SIP."""

from __future__ import annotations

import pytest

from tests.seclusion import secluded


@pytest.mark.cluster
@pytest.mark.timeout(420)
def test_a_replica_that_is_killed_while_it_answers_costs_the_call_one_turn_at_most() -> None:
    assert "the call went on" in secluded("tests.e2e.replica_drill", within=400)
