from __future__ import annotations

import socket
import time

import numpy as np
import pytest

from benchmarks.load_rtp import SILENCE, TICK, Arrivals, Packet, RtpSocket, encoded, level_dbfs


def arrived(*packets: tuple[float, int]) -> Arrivals:
    """Arrivals of packets, each its time and its number."""
    arrivals = Arrivals()
    for at, sequence in packets:
        arrivals.note(Packet(at, sequence % 2**16, sequence * 160 % 2**32, SILENCE))
    return arrivals


def test_a_steady_stream_has_no_jitter() -> None:
    arrivals = arrived(*((index * TICK, index) for index in range(50)))
    assert list(arrivals.intervals) == pytest.approx([TICK] * 49)
    assert arrivals.worst_jitter == pytest.approx(0.0, abs=1e-9)
    assert arrivals.lost == 0


def test_a_late_packet_makes_a_long_interval_and_a_short_one() -> None:
    arrivals = arrived((0.0, 0), (0.02, 1), (0.05, 2), (0.06, 3))
    assert list(arrivals.intervals) == pytest.approx([0.02, 0.03, 0.01])
    # RFC 3550 section 6.4.1: a sixteenth of 10 ms, then a sixteenth of the way from there to 10 ms.
    assert arrivals.worst_jitter == pytest.approx(0.01 / 16 + (0.01 - 0.01 / 16) / 16)


def test_a_lost_packet_is_counted_and_makes_no_interval() -> None:
    arrivals = arrived((0.0, 7), (0.04, 9), (0.06, 10))
    assert arrivals.lost == 1
    assert list(arrivals.intervals) == pytest.approx([0.02])


def test_numbers_may_wrap_around() -> None:
    arrivals = arrived((0.0, 0xFFFF), (0.02, 0x10000), (0.04, 0x10001))
    assert arrivals.lost == 0
    assert len(arrivals.intervals) == 2


def test_a_packet_that_overtook_another_is_not_lost() -> None:
    assert arrived((0.0, 0), (0.02, 2), (0.021, 1), (0.06, 3)).lost == 0


@pytest.mark.parametrize("amplitude", [200.0, 3000.0, 30000.0])
def test_a_tone_keeps_its_level_through_the_code(amplitude: float) -> None:
    tone = (amplitude * np.sin(2 * np.pi * 500 * np.arange(3200) / 16_000)).astype(np.int16)
    payloads = encoded(tone)
    assert [len(payload) for payload in payloads] == [160] * 10
    expected = 20 * np.log10(amplitude / np.sqrt(2) / 32768)
    assert level_dbfs(payloads[3]) == pytest.approx(expected, abs=0.5)


def test_silence_is_coded_as_silence() -> None:
    assert encoded(np.zeros(320, dtype=np.int16)) == [SILENCE]
    assert level_dbfs(SILENCE) < -100


def test_a_packet_is_read_with_the_kernels_time_of_its_arrival() -> None:
    first, second = RtpSocket(), RtpSocket()
    before = time.time()
    first.send(bytes(160), ("127.0.0.1", second.port))
    after = time.time()
    packet = second.receive()
    assert packet is not None
    assert before <= packet.at <= after + 0.01
    assert (packet.sequence, packet.timestamp, packet.payload) == (0, 0, bytes(160))
    assert second.receive() is None
    first.close()
    second.close()


def test_what_is_no_speech_is_passed_over() -> None:
    receiver = RtpSocket()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"\x80\x65" + bytes(14), ("127.0.0.1", receiver.port))
    assert receiver.receive() is None
    receiver.close()
