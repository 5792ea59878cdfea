"""From samples to sealed objects and back."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import av
import numpy as np
import pytest

from orchestrator.core.errors import ApiError, RecordingDamaged
from orchestrator.recordings.formats import Wav, opus
from orchestrator.recordings.links import SECONDS, Links
from orchestrator.recordings.playback import Channel, Playback
from orchestrator.store.recordings_repository import StoredRecording
from telephony.recording import ContentKey, Layout, Objects, Recordings, Seal, open_objects
from telephony.recording.journal import CallJournal, erase_journal
from telephony.recording.objects import END, recording_prefix

RATE = 16000
FRAME = 320
SECRET = bytes(range(32))
ACCOUNT, CALL = uuid4(), uuid4()


def noise(frames: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.random.default_rng(7).integers(-9000, 9000, (frames, 2), dtype=np.int16)


def refuse(reason: str) -> None:
    raise AssertionError(reason)


def record(folder: Path, pcm: np.ndarray[tuple[int, ...], np.dtype[np.int16]], call: UUID = CALL) -> Path:
    """Where its objects are."""
    objects = folder / "objects"
    with Recordings(folder / "journal", open_objects(Objects(location=str(objects)))) as recordings:
        recording = recordings.open(call, ContentKey(ACCOUNT, SECRET), RATE, refuse)
        for start in range(0, len(pcm), FRAME):
            piece = pcm[start : start + FRAME]
            recording.write(piece[:, 0].tobytes(), piece[:, 1].tobytes())
        recording.close()
    return objects / recording_prefix(ACCOUNT, call)


def playback(folder: Path, frames: int, secret: bytes = SECRET, call: UUID = CALL) -> Playback:
    stored = StoredRecording(call, ACCOUNT, b"", RATE, 0.0, frames, False, None, False, None)
    return Playback(stored, ContentKey(ACCOUNT, secret), open_objects(Objects(location=str(folder / "objects"))))


FRAMES = 23 * RATE + 1111


@pytest.fixture(scope="module")
def pcm() -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return noise(FRAMES)


@pytest.fixture
def folder(tmp_path: Path, pcm: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> Iterator[Path]:
    record(tmp_path, pcm)
    yield tmp_path


def test_what_was_recorded_plays_back_to_the_sample(folder: Path, pcm: np.ndarray) -> None:  # type: ignore[type-arg]
    assert (np.concatenate(list(playback(folder, FRAMES).read(0, FRAMES, Channel.BOTH))) == pcm).all()


def test_nothing_on_the_disk_is_clear_and_the_journal_is_empty(folder: Path, pcm: np.ndarray) -> None:  # type: ignore[type-arg]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"000000", "000001", "000002", END}
    stored = b"".join(path.read_bytes() for path in files)
    for start in range(0, FRAMES - 32, 4000):
        assert pcm[start : start + 8].tobytes() not in stored
        assert pcm[start : start + 16, 0].tobytes() not in stored


@pytest.mark.parametrize("channel", list(Channel))
def test_any_range_of_a_wav_is_that_part_of_the_whole(folder: Path, channel: Channel) -> None:
    wav = Wav(playback(folder, FRAMES), channel)
    whole = b"".join(wav.read(0, wav.size))
    assert len(whole) == wav.size
    rng = np.random.default_rng(3)
    edges = [(0, 1), (43, 45), (44, 46), (wav.size - 1, wav.size), (0, 44)]
    for start, stop in edges + [tuple(sorted(rng.integers(0, wav.size, 2))) for _ in range(40)]:
        assert b"".join(wav.read(start, stop)) == whole[start:stop]


@pytest.mark.parametrize("channel", [Channel.BOTH, Channel.CALLER])
def test_opus_decodes_to_the_same_length(folder: Path, channel: Channel) -> None:
    data = b"".join(opus(playback(folder, FRAMES), channel))
    with av.open(io.BytesIO(data)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples == FRAMES * 3
    assert len(data) < FRAMES


def everything(folder: Path, **other: object) -> None:
    list(playback(folder, FRAMES, **other).read(0, FRAMES, Channel.BOTH))  # type: ignore[arg-type]


def test_changed_moved_shortened_and_foreign_chunks_are_refused(folder: Path) -> None:
    prefix = folder / "objects" / recording_prefix(ACCOUNT, CALL)
    segment = prefix / "000001"
    good, size = segment.read_bytes(), Layout(RATE).sealed_bytes
    swapped = good[size : 2 * size] + good[:size] + good[2 * size :]
    flipped = bytes([good[0] ^ 1]) + good[1:]
    for bad in (swapped, flipped, good[:-1], good[:-size], (prefix / "000000").read_bytes(), b""):
        segment.write_bytes(bad)
        with pytest.raises(RecordingDamaged):
            everything(folder)
    segment.unlink()
    with pytest.raises(RecordingDamaged, match="missing"):
        everything(folder)
    segment.write_bytes(good)
    everything(folder)
    with pytest.raises(RecordingDamaged):
        everything(folder, secret=bytes(32))
    other = uuid4()
    shutil.copytree(prefix, folder / "objects" / recording_prefix(ACCOUNT, other))
    with pytest.raises(RecordingDamaged):
        everything(folder, call=other)


def test_what_a_dead_process_left_becomes_objects_at_the_next_start(tmp_path: Path, pcm: np.ndarray) -> None:  # type: ignore[type-arg]
    journals = tmp_path / "journal"
    journals.mkdir()
    dead, seal = CallJournal.make(journals, CALL, ACCOUNT), Seal(CALL, RATE, SECRET)
    whole = Layout(RATE).chunk_frames
    dead.path(0).write_bytes(b"".join(seal.seal(n, pcm[n * whole : (n + 1) * whole].tobytes()) for n in range(3)))
    dead.let_go()
    with Recordings(journals, open_objects(Objects(location=str(tmp_path / "objects")))):
        pass
    assert not list(journals.iterdir())
    assert (tmp_path / "objects" / recording_prefix(ACCOUNT, CALL) / END).read_bytes() == b"r"
    found = np.concatenate(list(playback(tmp_path, 3 * whole).read(0, 3 * whole, Channel.BOTH)))
    assert (found == pcm[: 3 * whole]).all()


def test_a_journal_that_a_live_process_has_is_left_alone_and_an_erased_one_stays_away(tmp_path: Path) -> None:
    live = CallJournal.make(tmp_path, CALL, ACCOUNT)
    assert list(CallJournal.left(tmp_path)) == []
    assert erase_journal(tmp_path, CALL)
    assert not erase_journal(tmp_path, CALL)
    assert not live.exists()
    assert not list(tmp_path.iterdir())


def test_a_link_is_good_for_one_recording_for_fifteen_minutes() -> None:
    now = [1000.0]
    links = Links(b"k" * 32, lambda: now[0])
    link, expires = links.issue(ACCOUNT, CALL)
    assert (links.read(link).account, links.read(link).call_id, expires) == (ACCOUNT, CALL, 1000 + SECONDS)
    flipped = ("B" if link[0] == "A" else "A") + link[1:]
    for bad in (flipped, link[:-2], link + "AAAA", "", "../../etc/passwd", "é"):
        with pytest.raises(ApiError, match="not made here"):
            links.read(bad)
    with pytest.raises(ApiError, match="not made here"):
        Links(b"x" * 32, lambda: now[0]).read(link)
    now[0] += SECONDS
    with pytest.raises(ApiError, match="expired"):
        links.read(link)
