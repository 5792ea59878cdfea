"""The drill on a real cluster, behind closed doors."""

from __future__ import annotations

import pytest

from tests.seclusion import secluded


@pytest.mark.cluster
def test_a_real_cluster_keeps_the_contract_and_outlives_a_killed_replica() -> None:
    assert "in flight" in secluded("tests.contracts.cluster_drill", within=240)
