"""Recordings in S3: against a real server that checks signatures, and that is cut off in the middle of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import numpy as np
import obstore
import pytest

from orchestrator.core.errors import RecordingUnavailable
from orchestrator.recordings.playback import Channel, Playback
from orchestrator.store.recordings_repository import StoredRecording
from telephony.recording import ContentKey, Layout, Recordings, open_objects
from telephony.recording.objects import end_key, recording_prefix
from telephony.recording.sealing import SEGMENT_CHUNKS
from telephony.recording.uploads import UploadPatience
from tests.integration.recordings.s3_server import S3Server

RATE = 8000
ACCOUNT = uuid4()
SEGMENT = SEGMENT_CHUNKS * Layout(RATE).chunk_frames
EAGER = UploadPatience(retry=0.1, longest_retry=0.2, stop=10.0)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3") / "data")
    server.start()
    yield server
    server.kill()


def until(done: Callable[[], bool], within: float = 60.0) -> None:
    deadline = monotonic() + within
    while not done():
        assert monotonic() < deadline, "it took too long"
        sleep(0.05)


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).integers(-9000, 9000, frames).astype(np.int16)


def playback(server: S3Server, call: object, key: ContentKey, frames: int) -> Playback:
    stored = StoredRecording(
        call, ACCOUNT, b"", RATE, 0.0, frames, recovered=False, completed_at=None, masked=False, edition=None
    )  # type: ignore[arg-type]
    return Playback(stored, key, open_objects(server.objects()))


def test_a_recording_goes_through_s3_and_back_in_any_part(s3: S3Server, tmp_path: Path) -> None:
    call, key, pcm = uuid4(), ContentKey(ACCOUNT, bytes(range(32))), noise(2 * SEGMENT + 1234)
    store = open_objects(s3.objects())
    with Recordings(tmp_path, store, EAGER) as recordings:
        recording = recordings.open(call, key, RATE, lambda reason: None)
        for start in range(0, len(pcm), 160):
            recording.write(pcm[start : start + 160].tobytes(), (-pcm[start : start + 160]).tobytes())
        recording.close()
    played = playback(s3, call, key, len(pcm))
    assert (np.concatenate(list(played.read(0, len(pcm), Channel.BOTH))) == np.column_stack((pcm, -pcm))).all()
    part = np.concatenate(list(played.read(SEGMENT - 5, SEGMENT + 5, Channel.CALLER)))
    assert (part[:, 0] == pcm[SEGMENT - 5 : SEGMENT + 5]).all()
    assert not list(tmp_path.iterdir())
    paths = [one["path"] for batch in obstore.list(store, recording_prefix(ACCOUNT, call)) for one in batch]
    obstore.delete(store, paths)
    assert len(paths) == 4


def test_what_is_recorded_while_s3_is_away_waits_on_the_disk_and_goes_there_when_it_is_back(
    s3: S3Server, tmp_path: Path
) -> None:
    call, key, pcm = uuid4(), ContentKey(ACCOUNT, bytes(range(32))), noise(3 * SEGMENT)
    journal = tmp_path / str(call)
    with Recordings(tmp_path, open_objects(s3.objects()), EAGER) as recordings:
        recording = recordings.open(call, key, RATE, lambda reason: None)
        recording.write(pcm[:SEGMENT].tobytes(), pcm[:SEGMENT].tobytes())
        until(lambda: journal.exists() and not (journal / "000000").exists())
        s3.kill()
        recording.write(pcm[SEGMENT:].tobytes(), pcm[SEGMENT:].tobytes())
        recording.close()
        until((journal / "000002").exists)
        with pytest.raises(RecordingUnavailable):
            list(playback(s3, call, key, len(pcm)).read(0, 10, Channel.CALLER))
        s3.start()
        until(lambda: not journal.exists())
    assert obstore.head(open_objects(s3.objects()), end_key(ACCOUNT, call))["size"] == 1
    heard = np.concatenate(list(playback(s3, call, key, len(pcm)).read(0, len(pcm), Channel.AGENT)))[:, 0]
    assert (heard == pcm).all()


def test_wrong_credentials_lose_nothing(s3: S3Server, tmp_path: Path) -> None:
    call, key, pcm = uuid4(), ContentKey(ACCOUNT, bytes(range(32))), noise(SEGMENT)
    impatient = UploadPatience(retry=0.1, longest_retry=0.2, stop=0.5)
    with Recordings(tmp_path, open_objects(s3.objects(secret="another")), impatient) as recordings:
        recording = recordings.open(call, key, RATE, lambda reason: None)
        recording.write(pcm.tobytes(), pcm.tobytes())
        recording.close()
    assert (tmp_path / str(call) / "000000").stat().st_size == Layout(RATE).segment_bytes
    with Recordings(tmp_path, open_objects(s3.objects()), EAGER):
        until(lambda: not (tmp_path / str(call)).exists())
    assert (np.concatenate(list(playback(s3, call, key, SEGMENT).read(0, SEGMENT, Channel.CALLER)))[:, 0] == pcm).all()
