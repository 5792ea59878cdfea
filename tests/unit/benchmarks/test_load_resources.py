from __future__ import annotations

import os
import socket

import pytest

from benchmarks.load_resources import ORCHESTRATOR, Holding, cpu_between, holdings, part_of, slope


def test_a_line_has_its_slope() -> None:
    assert slope([(0, 5.0), (10, 25.0), (20, 45.0)]) == pytest.approx(2.0)


def test_one_point_has_no_slope() -> None:
    assert slope([(3, 4.0)]) == 0.0


def test_a_socket_more_is_seen() -> None:
    before = holdings(os.getpid())[ORCHESTRATOR]
    with socket.socket():
        after = holdings(os.getpid())[ORCHESTRATOR]
    assert after.sockets == before.sockets + 1
    assert after.descriptors == before.descriptors + 1
    assert after.rss_bytes > 0


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("python -m telephony.sip.gateway", "gateways"),
        ("python -m inference.local.host /tmp/x", "engines"),
        ("postgres: checkpointer", "database"),
        ("sleep 1", "other"),
    ],
)
def test_a_process_is_known_by_its_command(command: str, part: str) -> None:
    assert part_of(command) == part


def test_processor_time_is_counted_from_the_beginning() -> None:
    before = {"gateways": Holding(cpu=3.0)}
    after = {"gateways": Holding(cpu=4.5), "engines": Holding(cpu=0.5)}
    assert cpu_between(before, after) == {"engines": 0.5, "gateways": 1.5}
