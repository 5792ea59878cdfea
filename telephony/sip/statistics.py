"""RTP, RTCP and jitter-buffer figures of a call, over all its streams."""

from __future__ import annotations

from typing import Any

from telephony.leg.messages import RtpStats

MICROSECONDS = 1e-6
COUNTS = ("received", "sent", "lost", "discarded", "remote_lost")


class MediaCount:
    """PJSIP counts anew at each re-INVITE; this goes on counting."""

    def __init__(self) -> None:
        self._before = RtpStats()
        self._current = RtpStats()

    @property
    def received(self) -> int:
        """RTP packets received since the call began."""
        return self._before.received + self._current.received

    def close(self, statistics: Any) -> None:
        """The stream ends with these figures; another may follow."""
        self.note(statistics)
        self._before, self._current = self.stats(), RtpStats()

    def note(self, statistics: Any) -> None:
        """Take the figures of the running stream (pj.StreamStat)."""
        rtcp, buffer = statistics.rtcp, statistics.jbuf
        self._current = RtpStats(
            received=rtcp.rxStat.pkt,
            sent=rtcp.txStat.pkt,
            lost=rtcp.rxStat.loss,
            discarded=rtcp.rxStat.discard,
            remote_lost=rtcp.txStat.loss,
            jitter=rtcp.rxStat.jitterUsec.mean * MICROSECONDS,
            jitter_buffer_delay=buffer.avgDelayMsec / 1000,
            round_trip=rtcp.rttUsec.mean * MICROSECONDS if rtcp.rttUsec.n else None,
        )

    def stats(self) -> RtpStats:
        """Everything so far: counts summed, the rest of the latest stream that had any."""
        before, current = self._before, self._current
        latest = current if current.received or current.sent else before
        return latest.model_copy(update={name: getattr(before, name) + getattr(current, name) for name in COUNTS})
