from __future__ import annotations

import threading
import wave
from pathlib import Path

import numpy as np

from telephony.recorder import Recordings

RATE = 16000
FRAME = 320


def samples(value: int, count: int = FRAME) -> bytes:
    return np.full(count, value, dtype="<i2").tobytes()


def stereo(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, RATE, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def ignore(_: str) -> None:
    raise AssertionError("the disk refused")


def test_the_caller_is_left_and_the_agent_right(tmp_path: Path) -> None:
    with Recordings(tmp_path) as recordings:
        recording = recordings.open("call", RATE, ignore)
        for _ in range(30):
            recording.write(samples(1), samples(-2))
        recording.close()
    audio = stereo(tmp_path / "call.wav")
    assert audio.shape == (30 * FRAME, 2)
    assert (audio == (1, -2)).all()


def test_a_recording_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    with Recordings(tmp_path) as recordings:
        recording = recordings.open("call", RATE, ignore)
        for _ in range(60):
            recording.write(samples(1), samples(2))
        written = threading.Event()
        recordings.submit(written.set)
        assert written.wait(5)
        assert 50 * FRAME <= len(stereo(recording.path)) <= 60 * FRAME


def test_a_full_disk_stops_the_recording_once_and_leaves_the_caller_alone(tmp_path: Path) -> None:
    (tmp_path / "call.wav").symlink_to("/dev/full")
    refusals: list[str] = []
    with Recordings(tmp_path) as recordings:
        recording = recordings.open("call", RATE, refusals.append)
        for _ in range(200):
            recording.write(samples(1), samples(2))
        recording.close()
    assert refusals == ["No space left on device"]


def test_one_refused_recording_does_not_stop_another(tmp_path: Path) -> None:
    (tmp_path / "full.wav").symlink_to("/dev/full")
    with Recordings(tmp_path) as recordings:
        full = recordings.open("full", RATE, lambda _: None)
        fine = recordings.open("fine", RATE, ignore)
        for _ in range(60):
            full.write(samples(1), samples(2))
            fine.write(samples(1), samples(2))
        full.close()
        fine.close()
    assert len(stereo(tmp_path / "fine.wav")) == 60 * FRAME


def test_a_call_without_audio_leaves_an_empty_recording(tmp_path: Path) -> None:
    with Recordings(tmp_path) as recordings:
        recordings.open("call", RATE, ignore).close()
    assert len(stereo(tmp_path / "call.wav")) == 0
