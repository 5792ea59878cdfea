"""Files that somebody uploads: what is audio is read, and nothing else is, nor any other file of the machine."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from telephony.virtual.sound_file import LONGEST, read_sound


def wav(pcm: np.ndarray, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(pcm.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm.astype("<i2").tobytes())
    return file.getvalue()


def encoded(name: str, codec: str, seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    with av.open(file, mode="w", format=name) as out:
        stream = out.add_stream(codec, rate=48000, layout="mono")
        samples = (8000 * np.sin(2 * np.pi * 440 * np.arange(round(48000 * seconds)) / 48000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48000
        converted = av.AudioResampler(format=stream.format.name, layout="mono", rate=48000).resample(frame)
        out.mux([packet for piece in converted for packet in stream.encode(piece)])
        out.mux(stream.encode(None))
    return file.getvalue()


def test_a_stereo_file_of_another_rate_becomes_one_channel_of_ours() -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype(np.int16)
    sound = read_sound(wav(np.column_stack((tone, tone)), 8000), 16000)
    assert (sound.rate, len(sound.pcm)) == (16000, pytest.approx(16000, abs=64))
    assert np.argmax(np.abs(np.fft.rfft(sound.pcm[:16000]))) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(("name", "codec"), [("ogg", "libopus"), ("flac", "flac"), ("mp3", "libmp3lame")])
def test_the_usual_formats_are_read(name: str, codec: str) -> None:
    sound = read_sound(encoded(name, codec), 16000)
    assert sound.duration == pytest.approx(1.0, abs=0.1)
    assert np.argmax(np.abs(np.fft.rfft(sound.pcm[:16000]))) == pytest.approx(440, abs=4)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"nonsense" * 100, bytes(5000)])
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="accepted are wav, flac, ogg, mp3"):
        read_sound(data, 16000)


def test_a_playlist_reads_no_file_of_the_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(np.ones((800, 1)), 8000))
    for playlist in (
        f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {secret}\n",
    ):
        with pytest.raises(ValueError, match="cannot be read"):
            read_sound(playlist.encode(), 16000)


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 600 s"):
        read_sound(wav(np.zeros((round(8000 * (LONGEST + 5)), 1)), 8000), 16000)


def test_a_file_without_audio_is_refused() -> None:
    with pytest.raises(ValueError, match="no audio"):
        read_sound(wav(np.zeros((0, 1)), 8000), 16000)
