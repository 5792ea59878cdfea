from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from telephony.sip.statistics import MediaCount


def figures(packets: int, lost: int = 0, delay_ms: int = 20) -> Any:
    """What PJSIP reports of one stream."""
    side = {"pkt": packets, "loss": lost, "discard": 0, "jitterUsec": SimpleNamespace(mean=2000)}
    return SimpleNamespace(
        rtcp=SimpleNamespace(
            rxStat=SimpleNamespace(**side), txStat=SimpleNamespace(**side), rttUsec=SimpleNamespace(n=1, mean=30_000)
        ),
        jbuf=SimpleNamespace(avgDelayMsec=delay_ms),
    )


def test_counts_go_on_over_a_renegotiated_stream() -> None:
    count = MediaCount()
    count.note(figures(50))
    count.close(figures(60, lost=1))
    count.note(figures(10, lost=2))
    assert (count.received, count.stats().received, count.stats().lost) == (70, 70, 3)


def test_a_closed_call_keeps_the_figures_of_its_last_stream() -> None:
    count = MediaCount()
    count.close(figures(60))
    stats = count.stats()
    assert (stats.jitter, stats.round_trip, stats.jitter_buffer_delay) == pytest.approx((0.002, 0.03, 0.02))
