"""The drill on a real cluster, behind closed doors."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A user namespace, so that no root is needed, with a network of its own that holds nothing but loopback.
_ALONE = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


@pytest.mark.cluster
def test_a_real_cluster_keeps_the_contract_and_outlives_a_killed_replica() -> None:
    if subprocess.run([*_ALONE, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us make a network namespace")
    drill = [*_ALONE, sys.executable, "-m", "tests.contracts.cluster_drill"]
    done = subprocess.run(drill, check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in flight" in done.stdout
