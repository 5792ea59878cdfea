"""RTP as a load test's caller needs it: G.711 in packets of 20 ms, and exact times of what arrives (RFC 3550, 3551)."""

from __future__ import annotations

import socket
import struct
from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.conversation import RATE
from orchestrator.core.audio import FULL_SCALE, Pcm

TICK = 0.02
LINE_RATE = 8000
PAYLOAD_BYTES = 160
PCMU = 0  # payload type, RFC 3551 section 6
SILENCE = b"\xff" * PAYLOAD_BYTES

_HEADER = struct.Struct("!BBHII")
_VERSION = 2 << 6
_TIMESTAMPNS = 35  # SO_TIMESTAMPNS of Linux, and the type of its control message; the socket module lacks it
_TIMESPEC = struct.Struct("@qq")
_LONGEST_BYTES = 2048
_NANOSECOND = 1e-9


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet. at: UNIX seconds at which the kernel took it; timestamp: in samples of the line."""

    at: float
    sequence: int
    timestamp: int
    payload: bytes


@dataclass(slots=True)
class Arrivals:
    """When the packets of one stream came.

    intervals: seconds between packets that follow each other; jitter: seconds, RFC 3550 section 6.4.1, worst seen;
    received, lost: packets, the latter by their numbers.
    """

    intervals: array[float] = field(default_factory=lambda: array("d"))
    received: int = 0
    worst_jitter: float = 0.0
    _first: int | None = None
    _highest: int = 0
    _latest: Packet | None = None
    _jitter: float = 0.0

    def note(self, packet: Packet) -> None:
        """*packet* is the next to arrive."""
        self.received += 1
        before, self._latest = self._latest, packet
        if before is None or self._first is None:
            self._first = self._highest = packet.sequence
            return
        step = (packet.sequence - self._highest + 0x8000) % 0x10000 - 0x8000
        self._highest += max(0, step)
        if (packet.sequence - before.sequence) % 0x10000 == 1:
            self.intervals.append(packet.at - before.at)
        sent_apart = ((packet.timestamp - before.timestamp + 2**31) % 2**32 - 2**31) / LINE_RATE
        self._jitter += (abs(packet.at - before.at - sent_apart) - self._jitter) / 16
        self.worst_jitter = max(self.worst_jitter, self._jitter)

    @property
    def lost(self) -> int:
        """Packets that never came."""
        return 0 if self._first is None else self._highest - self._first + 1 - self.received


class RtpSocket:
    """A UDP port of loopback. Reading never waits."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        self.port: int = self._socket.getsockname()[1]
        self._sequence = self._timestamp = 0

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def send(self, payload: bytes, to: tuple[str, int]) -> None:
        """The next 20 ms."""
        header = _HEADER.pack(_VERSION, PCMU, self._sequence, self._timestamp, self.port)
        self._sequence = (self._sequence + 1) % 2**16
        self._timestamp = (self._timestamp + PAYLOAD_BYTES) % 2**32
        self._socket.sendto(header + payload, to)

    def receive(self) -> Packet | None:
        """The next packet of speech that has come, with the kernel's time of its arrival; None when there is none."""
        while True:
            try:
                data, told, _, _ = self._socket.recvmsg(_LONGEST_BYTES, socket.CMSG_SPACE(_TIMESPEC.size))
            except BlockingIOError:
                return None
            if len(data) != _HEADER.size + PAYLOAD_BYTES or data[1] & 0x7F != PCMU:
                continue  # keys (RFC 4733), comfort noise
            seconds, nanoseconds = _TIMESPEC.unpack(told[0][2])
            _, _, sequence, timestamp, _ = _HEADER.unpack_from(data)
            return Packet(seconds + nanoseconds * _NANOSECOND, sequence, timestamp, data[_HEADER.size :])

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def encoded(pcm: Pcm) -> list[bytes]:
    """*pcm* (int16, 16 kHz, nothing over 3.4 kHz) as G.711 µ-law payloads; silence fills up the last one."""
    samples = pcm[:: RATE // LINE_RATE].astype(np.int32)
    samples = np.pad(samples, (0, -len(samples) % PAYLOAD_BYTES))
    codes = _CODES[(samples >> 2) + len(_CODES) // 2]
    return [codes[start : start + PAYLOAD_BYTES].tobytes() for start in range(0, len(codes), PAYLOAD_BYTES)]


def level_dbfs(payload: bytes) -> float:
    """RMS level of a µ-law payload in dBFS."""
    power = float(_POWER[np.frombuffer(payload, dtype=np.uint8)].mean())
    return 10 * float(np.log10(max(power, 1e-12)))


def _decoded() -> NDArray[np.int32]:
    """The sample of each µ-law code (ITU-T G.711), int32, shape (256,)."""
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude)


_SAMPLES = _decoded()
_POWER = np.square(_SAMPLES / FULL_SCALE)
# The nearest code of every fourth sample value, finer than the finest step of the code, which is 8; silence has two, of
# which the one of positive sign is sent.
_ORDER = np.argsort(_SAMPLES, kind="stable")
_BOUNDS = (_SAMPLES[_ORDER][1:] + _SAMPLES[_ORDER][:-1]) / 2
_CODES = _ORDER[np.searchsorted(_BOUNDS, np.arange(-8192, 8192) * 4, side="right")].astype(np.uint8)
