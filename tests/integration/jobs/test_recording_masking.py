"""What is masked in the words of a call is silenced in its recording, once the call is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import numpy as np
import obstore
import pytest

from inference.registry import Registry, build_engine
from inference.transcribing import OFF, RecordingRecognizer
from orchestrator.core.audio import AudioFrame, joined
from orchestrator.core.errors import ApiError
from orchestrator.core.ports import TextToSpeech
from orchestrator.core.privacy import Masking
from orchestrator.recordings.playback import Channel
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.jobs import RECORDING_MASKING, JobState
from orchestrator.store.replaced_objects import kept_for_a_backup
from telephony.recording import open_objects
from telephony.recording.objects import recording_prefix, segment_key
from tests.integration.jobs.conftest import Jobs
from tests.integration.jobs.recorded import RATE, Calls, Ears, Line, recorded_calls
from tests.integration.telephony.patience import until

CARD = "my card is 4111 1111 1111 1111 and that is all I have to say"


@pytest.fixture
def calls(jobs: Jobs, tmp_path: Path) -> Calls:
    return recorded_calls(jobs, tmp_path)


def ears(calls: Calls) -> Ears:
    return Ears(calls.lexicon.hear, time=calls.lexicon.time)


async def audible(calls: Calls, call: UUID, channel: Channel) -> list[str]:
    """The words that are left, in order."""
    playback = await calls.archive.library.open(DEFAULT_ACCOUNT, call)
    frames = np.concatenate(list(playback.read(0, playback.frames, channel)))[:, 0]
    return calls.lexicon.hear(AudioFrame(frames, RATE)).split()


def path_of(call: UUID, edition: UUID) -> str:
    return segment_key(DEFAULT_ACCOUNT, call, 0, edition)


def objects(calls: Calls, call: UUID) -> set[str]:
    store = open_objects(calls.settings.object_store)
    listed = obstore.list(store, recording_prefix(DEFAULT_ACCOUNT, call))
    return {one["path"] for batch in listed for one in batch}


async def test_words_are_silenced_where_they_were_said_and_the_rest_is_heard(calls: Calls) -> None:
    said = "hello there I want to pay now please because " + CARD
    call = await calls.ended(
        [calls.line("hello there I want to pay now please because my card is [card] and that is all", said, 1.0)],
        Masking.NUMBERS,
        told=[calls.line("what may I do for you", "what may I do for you", 9.0)],
    )
    before = objects(calls, call)
    with pytest.raises(ApiError, match="yet to be silenced") as refused:
        await calls.archive.library.open(DEFAULT_ACCOUNT, call)
    assert (refused.value.status, refused.value.code) == (409, "recording_not_masked")
    job = await calls.over(ears(calls))
    assert (job.kind, job.result) == (RECORDING_MASKING, {"lines": 1, "withheld": 0, "silenced": 1})
    left = await audible(calls, call, Channel.CALLER)
    # The margins take a word or two on either side, or a part of them.
    assert left[:10] == said.split()[:10]
    assert not {"4111", "1111"} & set(left)
    assert left[-7:] == ["that", "is", "all", "I", "have", "to", "say"]
    assert await audible(calls, call, Channel.AGENT) == ["what", "may", "I", "do", "for", "you"]
    [line] = [line for line in await calls.lines(call) if line.speaker == "caller"]
    assert line.transcription == said.replace("4111 1111 1111 1111", "[card]")
    assert objects(calls, call) and not objects(calls, call) & before, "what was recorded can still be opened"


async def test_what_the_call_did_not_hear_is_silent(calls: Calls) -> None:
    heard, unheard = calls.line("hello", "hello", 1.0), calls.line("", "4111 1111 1111 1111", 3.0)
    overheard = calls.line("", "somebody beside the agent", 3.0)
    call = await calls.ended([heard, unheard], Masking.NUMBERS, told=[overheard])
    async with calls.jobs.database.connection() as connection:
        await connection.execute("DELETE FROM transcripts WHERE text = ''")
    await calls.over(ears(calls))
    assert await audible(calls, call, Channel.CALLER) == ["hello"]
    assert await audible(calls, call, Channel.AGENT) == []


async def test_what_the_agent_reads_back_is_silenced_too(calls: Calls) -> None:
    call = await calls.ended(
        [calls.line("my name is [name]", "my name is Martha", 1.0)],
        Masking.ALL,
        told=[
            calls.line(
                "thank you very much [name] what is it", "thank you very much Martha what is it that I may do", 4.0
            ),
            calls.line("goodbye", "goodbye", 9.0),
        ],
    )
    await calls.over(ears(calls))
    left = await audible(calls, call, Channel.AGENT)
    assert "Martha" not in left
    assert left[:3] == ["thank", "you", "very"] and left[-3:] == ["may", "do", "goodbye"]


async def test_a_line_is_silent_when_its_words_do_not_tell_of_all_that_was_masked(calls: Calls) -> None:
    call = await calls.ended(
        [calls.line("my card is [card]", "my cart is for one one one", 1.0), calls.line("goodbye", "goodbye", 6.0)],
        Masking.NUMBERS,
        told=[],
    )
    job = await calls.over(ears(calls))
    assert await audible(calls, call, Channel.CALLER) == ["goodbye"]
    assert job.result == {"lines": 1, "withheld": 1, "silenced": 1}
    assert [line.transcription for line in await calls.lines(call)] == [None, "goodbye"]


async def test_what_is_personal_only_to_the_better_recogniser_is_silenced(calls: Calls) -> None:
    call = await calls.ended([calls.line("my car this for eleven", CARD, 1.0)], Masking.NUMBERS, told=[])
    await calls.over(ears(calls))
    left = await audible(calls, call, Channel.CALLER)
    assert left[:1] == ["my"] and left[-4:] == ["I", "have", "to", "say"] and "1111" not in left


async def test_without_a_recogniser_whole_lines_are_silenced(calls: Calls) -> None:
    registry = Registry()
    call = await calls.ended(
        [calls.line("my card is [card]", CARD, 1.0), calls.line("goodbye", "goodbye", 8.0)],
        Masking.NUMBERS,
        told=[calls.line("I read [card]", "I read 4111", 5.5), calls.line("thanks", "thanks", 9.0)],
    )
    job = await calls.over(RecordingRecognizer(registry.profile("cpu-tiny"), registry, OFF))
    assert await audible(calls, call, Channel.CALLER) == ["goodbye"]
    assert await audible(calls, call, Channel.AGENT) == ["thanks"]
    assert job.result == {"lines": 0, "withheld": 0, "silenced": 2}
    assert {line.transcription for line in await calls.lines(call)} == {None}


async def test_a_recording_that_was_erased_meanwhile_leaves_nothing(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await calls.ended([calls.line("my card is [card]", CARD, 1.0)], Masking.NUMBERS, told=[])
    write = calls.archive.editions.write

    async def erased_before_anybody_knows_of_it(*arguments: Any) -> object:
        written = await write(*arguments)
        assert len(objects(calls, call)) == 3, "the call's two, and the one that was written"
        await calls.archive.erasure.delete(DEFAULT_ACCOUNT, call)
        obstore.put(open_objects(calls.settings.object_store), path_of(call, written.id), b"that erasure did not see")
        return written

    monkeypatch.setattr(calls.archive.editions, "write", erased_before_anybody_knows_of_it)
    await calls.over(ears(calls))
    assert objects(calls, call) == set()
    assert [line.transcription for line in await calls.lines(call)] == [None]


async def test_a_second_time_changes_nothing_and_sweeps_what_a_killed_one_left(calls: Calls) -> None:
    call = await calls.ended([calls.line("my card is [card]", CARD, 1.0)], Masking.NUMBERS, told=[])
    store = open_objects(calls.settings.object_store)
    obstore.put(store, path_of(call, uuid4()), b"half an edition")
    await calls.over(ears(calls))
    [kept] = objects(calls, call)
    left = await audible(calls, call, Channel.CALLER)
    obstore.put(store, f"{recording_prefix(DEFAULT_ACCOUNT, call)}000000", b"what could not be removed then")
    async with calls.jobs.database.connection() as connection:
        await connection.execute("UPDATE jobs SET state = 'failed' WHERE kind = $1", RECORDING_MASKING)
    assert await calls.jobs.listed.retry(DEFAULT_ACCOUNT, (await calls.job()).id)
    await calls.over(ears(calls))
    assert objects(calls, call) == {kept}
    assert await audible(calls, call, Channel.CALLER) == left


async def test_what_a_backup_is_copying_is_swept_when_that_is_done(calls: Calls) -> None:
    call = await calls.ended([calls.line("my card is [card]", CARD, 1.0)], Masking.NUMBERS, told=[])
    before, jobs = objects(calls, call), calls.jobs

    async def put_off() -> bool:
        return (await calls.job()).error == "backup_goes_on"

    async def swept() -> bool:
        async with jobs.database.connection() as connection:
            await connection.execute("UPDATE jobs SET due_at = now() WHERE state = 'queued'")
            await connection.execute("UPDATE pgqueuer SET execute_after = now() WHERE status = 'queued'")
        return await calls.is_in(JobState.SUCCEEDED)

    async with calls.transcribed(ears(calls)):
        async with kept_for_a_backup(jobs.dsn):
            await until(put_off, within=30.0)
            assert objects(calls, call) > before
            assert "1111" not in await audible(calls, call, Channel.CALLER)
        await until(swept, within=30.0)
    assert len(objects(calls, call)) == 1
    assert not objects(calls, call) & before


async def test_a_damaged_recording_fails_the_job_and_stays_unheard(calls: Calls) -> None:
    call = await calls.ended([calls.line("my card is [card]", CARD, 1.0)], Masking.NUMBERS, told=[])
    [segment] = (calls.settings.data / "objects").rglob("000000")
    data = bytearray(segment.read_bytes())
    data[40_000] ^= 1
    segment.write_bytes(data)
    job = await calls.over(ears(calls), JobState.FAILED)
    assert (job.error, job.attempts) == ("recording_damaged", 1)
    with pytest.raises(ApiError, match="yet to be silenced"):
        await calls.archive.library.open(DEFAULT_ACCOUNT, call)


async def test_a_real_recogniser_hears_no_number_in_what_is_left(calls: Calls) -> None:
    registry = Registry()
    voice = registry.manifest("piper-joe")
    tts = cast("TextToSpeech", build_engine(voice, registry.pull(voice), 1))

    async def spoken(*texts: str) -> AudioFrame:
        return joined([frame for text in texts async for frame in tts.synthesize(text)])

    number = await spoken(
        "The number of my card is", "four one one one, one one one one, one one one one, one one one one."
    )
    name = await spoken("I would like to pay for my order, and my name is Martha Wilkinson.")
    call = await calls.ended(
        [
            Line("the number of my card is [card]", number, 1.0),
            Line("I would like to pay for my order and my name is [name]", name, 12.0),
        ],
        Masking.ALL,
        told=[],
    )
    reach = RecordingRecognizer(registry.profile("cpu-tiny"), registry)
    await calls.over(reach, within=180.0)
    playback = await calls.archive.library.open(DEFAULT_ACCOUNT, call)
    pcm = np.concatenate(list(playback.read(0, playback.frames, Channel.CALLER)))[:, 0]
    async with reach.opened() as recognizer:
        first = (await recognizer.recognize(AudioFrame(pcm[: 12 * RATE], RATE))).text.lower()
        second = (await recognizer.recognize(AudioFrame(pcm[12 * RATE :], RATE))).text.lower()
    assert "card" in first or "number" in first
    assert not any(digit in first for digit in ("1", "4", "one", "four"))
    assert "pay for my order" in second
    assert "martha" not in second and "wilkinson" not in second
