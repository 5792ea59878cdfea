from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sip.coding import USUAL_CODING_DELAY
from telephony.sip.playout import DELAY_STEP, CallAudio, Output, PlayoutQueue

FRAME = 8  # bytes: four samples


def queue_with(*pieces: bytes) -> PlayoutQueue:
    queue = PlayoutQueue(FRAME)
    for piece in pieces:
        queue.put(piece)
    return queue


def test_an_empty_queue_plays_silence_and_counts_nothing() -> None:
    assert PlayoutQueue(FRAME).take() == Output(bytes(FRAME), 0, None, None)


def test_pieces_of_any_length_become_whole_frames() -> None:
    queue = queue_with(b"aabb", b"ccddee", b"ffgghh")
    assert [queue.take().pcm, queue.take().pcm] == [b"aabbccdd", b"eeffgghh"]


def test_the_start_of_audio_is_told_with_its_index() -> None:
    queue = queue_with(b"aabbccdd")
    assert queue.take().began == 0
    queue.take()
    queue.put(b"eeffgghh")
    assert queue.take().began == 4


def test_a_queue_that_runs_dry_pads_its_last_frame_and_tells_where() -> None:
    queue = queue_with(b"aabbccdd", b"ee")
    assert queue.take().dried is None
    assert queue.take() == Output(b"ee" + bytes(6), 5, None, 1)
    assert queue.take() == Output(bytes(FRAME), 5, None, None)


def test_a_queue_that_ends_with_a_frame_dries_at_the_next_one() -> None:
    queue = queue_with(b"aabbccdd")
    assert queue.take().dried is None
    assert queue.take() == Output(bytes(FRAME), 4, None, 0)


def test_clear_drops_what_is_queued_and_counts_what_was_played() -> None:
    queue = queue_with(b"aabbccddeeffgghh", b"iijj")
    queue.take()
    assert queue.clear() == 4
    assert queue.take().pcm == bytes(FRAME)
    queue.put(b"kkllmmnn")
    assert queue.take() == Output(b"kkllmmnn", 8, 4, None)


@given(st.lists(st.one_of(st.integers(1, 30).map(lambda samples: b"ab" * samples), st.just(None)), max_size=40))
def test_every_sample_is_played_once_or_cleared(script: list[bytes | None]) -> None:
    queue = PlayoutQueue(FRAME)
    put = cleared = heard = 0
    for piece in script:
        if piece is None:
            cleared += put - heard - cleared
            assert queue.clear() == heard
        else:
            put += len(piece) // 2
            queue.put(piece)
        output = queue.take()
        heard += output.pcm.count(b"ab")
        assert output.played == heard
    assert heard + cleared <= put


def test_a_tick_pairs_what_was_played_with_what_was_heard() -> None:
    audio = CallAudio(rate=200)
    audio.queue.put(b"aabbccddeeff")
    for heard in (b"11223344", None, b"55667788"):
        audio.requested()
        audio.given(heard)
    assert [(tick.now, tick.played, tick.agent, tick.caller) for tick in audio.ticks] == [
        (0, 4, b"aabbccdd", b"11223344"),
        (4, 6, b"eeff" + bytes(4), bytes(8)),
        (8, 6, bytes(8), b"55667788"),
    ]


def test_a_tick_whose_frame_never_came_is_silence() -> None:
    audio = CallAudio(rate=200)
    audio.requested()
    audio.requested()
    audio.given(b"11223344")
    assert [(tick.now, tick.caller) for tick in audio.ticks] == [(0, bytes(8)), (4, b"11223344")]


def delay_after(audio: CallAudio, wait: float, looks: int = 1000) -> int:
    """Samples that the caller's time is set back by, once the buffer has held *wait* seconds at every look."""
    for _ in range(looks):
        audio.waits(wait)
    audio.requested()
    audio.given(None)
    return audio.ticks[-1].now - audio.ticks[-1].at


def test_the_callers_time_is_corrected_for_the_wait_in_the_jitter_buffer_and_for_decoding() -> None:
    audio = CallAudio(rate=16000)
    for _ in range(10):
        audio.requested()
        audio.given(None)
    decoding = round(USUAL_CODING_DELAY * 16000)
    assert delay_after(audio, 0.05) == pytest.approx(800 + decoding, abs=DELAY_STEP * 16000)
    assert delay_after(audio, 0.02) == pytest.approx(320 + decoding, abs=DELAY_STEP * 16000)


def test_one_look_at_a_full_buffer_does_not_make_the_callers_time_jump() -> None:
    audio = CallAudio(rate=16000)
    for _ in range(10):
        audio.requested()
        audio.given(None)
    before = delay_after(audio, 0.02)
    assert delay_after(audio, 0.2, looks=1) == before


def test_the_callers_time_never_begins_before_the_answer() -> None:
    audio = CallAudio(rate=16000)
    audio.requested()
    audio.given(None)
    assert audio.ticks[0].at == 0
