"""Recordings over the API: said, played in parts, refused and removed."""

from __future__ import annotations

import asyncio
import io
import wave
from uuid import UUID, uuid4

import av
import httpx
import numpy as np
import pytest

from orchestrator.core.events import CallEnded, CallStarted, EndReason, RecordingStarted
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from telephony.recording import Recordings, open_objects
from tests.integration.api.conftest import OPERATOR, Control

ADMIN = {"Authorization": f"Bearer {OPERATOR}"}
RATE = 16000
SECONDS = 21


def voices() -> tuple[np.ndarray, np.ndarray]:
    time = np.arange(SECONDS * RATE) / RATE
    caller, agent = 8000 * np.sin(2 * np.pi * 440 * time), 8000 * np.sin(2 * np.pi * 880 * time)
    return caller.astype(np.int16), agent.astype(np.int16)


async def recorded(control: Control, account: UUID = DEFAULT_ACCOUNT) -> UUID:
    """A call of *account*, with a complete recording of voices()."""
    call = uuid4()
    key, wrapped = await control.archive.keyring.new(account, call)
    await CallsRepository(control.database).write(
        [
            CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0, account),
            RecordingStarted(call, wrapped.hex(), RATE, 1.25),
            CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_030.0, 30.0),
        ]
    )
    installation = control.installation
    with Recordings(installation.journals, open_objects(installation.object_store)) as recordings:
        recording = recordings.open(call, key, RATE, lambda reason: None)
        caller, agent = voices()
        recording.write(caller.tobytes(), agent.tobytes())
        recording.close()
    async with control.archive.completing(), asyncio.timeout(20):
        while not (await told(control, call))["complete"]:  # noqa: ASYNC110 - as a client would
            await asyncio.sleep(0.05)
    return call


async def told(control: Control, call: UUID) -> dict[str, object]:
    answer = await control.client.get(f"/api/v1/calls/{call}/recording", headers=ADMIN)
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


async def link(control: Control, call: UUID) -> str:
    return str((await told(control, call))["url"])


def frames(answer: httpx.Response) -> np.ndarray:
    with wave.open(io.BytesIO(answer.content)) as file:
        assert file.getframerate() == RATE
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


async def test_a_recording_is_played_whole_by_channel_and_in_parts(control: Control) -> None:
    call = await recorded(control)
    caller, agent = voices()
    said = await told(control, call)
    assert (said["seconds"], said["start_at"], said["recovered"]) == (SECONDS, 1.25, False)
    url = str(said["url"])
    whole = await control.client.get(url)
    assert whole.headers["content-type"] == "audio/wav" and whole.headers["cache-control"] == "private, no-store"
    assert (frames(whole) == np.column_stack((caller, agent))).all()
    assert (frames(await control.client.get(url, params={"channel": "agent"}))[:, 0] == agent).all()
    for asked, part in (
        ("bytes=50-99", slice(50, 100)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=640000-", slice(640000, None)),
    ):
        answer = await control.client.get(url, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (206, whole.content[part]), asked
        assert answer.headers["content-range"].endswith(f"/{len(whole.content)}")
    beyond = await control.client.get(url, headers={"Range": "bytes=99999999-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    stale = await control.client.get(url, headers={"Range": "bytes=0-1", "If-Range": '"another"'})
    assert stale.status_code == 200
    for nonsense in ("bytes=1-2,4-5", "seconds=1-2", "bytes=9-1"):
        assert (await control.client.get(url, headers={"Range": nonsense})).status_code == 200


async def test_a_recording_comes_as_opus(control: Control) -> None:
    answer = await control.client.get(await link(control, await recorded(control)), params={"format": "opus"})
    assert answer.headers["content-type"] == "audio/ogg"
    with av.open(io.BytesIO(answer.content)) as file:
        heard = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
    assert heard.shape[1] / 48000 == pytest.approx(SECONDS, abs=0.1)
    left = heard[0] if heard.shape[0] == 2 else heard[0, ::2]
    peak = np.argmax(np.abs(np.fft.rfft(left[:48000])))
    assert peak == pytest.approx(440, abs=2)


async def test_a_link_is_good_for_one_recording_and_a_while(control: Control) -> None:
    url = await link(control, await recorded(control))
    forged = url[:-3] + ("AAA" if not url.endswith("AAA") else "BBB")
    for bad in (forged, "/api/v1/recordings/x", "/api/v1/recordings/%00"):
        answer = await control.client.get(bad)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_link"), bad
    climbing = await control.client.get("/api/v1/recordings/..%2F..%2Fkeys%2Fmaster.key")
    assert (climbing.status_code, climbing.json()["code"]) == (404, "not_found")
    control.now += 901
    answer = await control.client.get(url)
    assert (answer.status_code, answer.json()["code"]) == (401, "link_expired")


async def test_only_who_may_hear_recordings_gets_a_link_and_the_audit_log_says_so(control: Control) -> None:
    call = await recorded(control)
    await control.user("support@example.org", DEFAULT_ACCOUNT, "support")
    await control.user("foreign@example.org", await control.account("other"))
    path = f"/api/v1/calls/{call}/recording"
    assert (await control.client.get(path, headers=await control.bearer("support@example.org"))).status_code == 403
    assert (await control.client.get(path, headers=await control.bearer("foreign@example.org"))).status_code == 404
    await told(control, call)
    deeds = (await control.client.get("/api/v1/audit", headers=ADMIN)).json()["items"]
    assert ("get_recording", {"call_id": str(call)}) in [(deed["action"], deed["subject"]) for deed in deeds]


async def test_a_removed_recording_is_gone_with_its_key(control: Control) -> None:
    call = await recorded(control)
    url = await link(control, call)
    assert (await control.client.delete(f"/api/v1/calls/{call}/recording", headers=ADMIN)).status_code == 204
    assert (await control.client.get(url)).json()["code"] == "recording_not_found"
    assert not [path for path in (control.installation.data / "objects").rglob("*") if path.is_file()]
    detail = (await control.client.get(f"/api/v1/calls/{call}", headers=ADMIN)).json()
    assert not detail["recorded"]


async def test_an_object_that_was_changed_is_not_played(control: Control) -> None:
    call = await recorded(control)
    url = await link(control, call)
    (segment,) = (control.installation.data / "objects").rglob("000001")
    data = bytearray(segment.read_bytes())
    data[100] ^= 1
    segment.write_bytes(data)
    answer = await control.client.get(url, headers={"Range": f"bytes={44 + 4 * RATE * 10}-"})
    assert (answer.status_code, answer.json()["code"]) == (500, "recording_damaged")
    # What lies before it is as good as ever.
    assert (await control.client.get(url, headers={"Range": "bytes=0-999"})).status_code == 206
