"""The echo guard on signals with the rhythm of speech."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.core.audio import Pcm, level_dbfs
from telephony.echo import EchoGuard
from telephony.echo.doubt import Doubt
from tests.unit.telephony.speechlike import RATE, echoed, hiss, speechlike

DELAYS = (0.03, 0.12, 0.25, 0.4)


def guarded(near: Pcm, far: Pcm, rate: int = RATE) -> Pcm:
    guard, frame = EchoGuard(rate), rate // 50
    return np.concatenate(
        [guard.hear(near[at : at + frame], far[at : at + frame]) for at in range(0, len(near) - frame + 1, frame)]
    )


def part(pcm: Pcm, start: float, end: float) -> Pcm:
    return pcm[round(start * RATE) : round(end * RATE)]


def test_speech_passes_bit_for_bit_while_the_agent_is_silent() -> None:
    near = speechlike(1, 3.0)
    assert np.array_equal(guarded(near, np.zeros_like(near)), near)


def test_speech_over_an_agent_whose_voice_does_not_come_back_passes_but_for_its_first_moments() -> None:
    far = speechlike(2, 8.0)
    near = hiss(3, len(far))
    near[3 * RATE : 5 * RATE] += speechlike(4, 2.0, -26.0)
    heard = guarded(near, far)
    began = 3.0 + np.flatnonzero(np.abs(speechlike(4, 2.0, -26.0)) > 300)[0] / RATE
    spoken = part(heard, began + 0.06, 4.9)
    assert np.mean(spoken != part(near, began + 0.06, 4.9)) < 0.05


def test_a_caller_who_was_speaking_when_the_agent_began_goes_on_unchanged() -> None:
    near = speechlike(5, 2.0) + hiss(6, 2 * RATE)
    far = np.concatenate([np.zeros(RATE, dtype=np.int16), speechlike(7, 1.0)])
    assert np.array_equal(part(guarded(near, far), 0.0, 1.4), part(near, 0.0, 1.4))


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("gain", [0.1, 0.5])
def test_an_echo_is_replaced_by_the_noise_of_the_line(delay: float, gain: float) -> None:
    far = speechlike(8, 8.0)
    near = echoed(far, delay, gain) + hiss(9, len(far))
    heard = part(guarded(near, far), 0.1, 8.0)
    loudest = max(level_dbfs(heard[at : at + 320]) for at in range(0, len(heard), 320))
    assert loudest < -50.0


def test_an_echo_that_jitter_buffers_keep_moving_stays_unheard() -> None:
    far = speechlike(25, 12.0)
    delays = (0.2, 0.29, 0.26, 0.23, 0.2, 0.2, 0.29, 0.26, 0.23, 0.2, 0.29, 0.2)
    near = np.concatenate([part(echoed(far, delay, 0.25), at, at + 1.0) for at, delay in enumerate(delays)])
    heard = part(guarded(near + hiss(16, len(far)), far), 2.0, 12.0)
    assert max(level_dbfs(heard[at : at + 320]) for at in range(0, len(heard), 320)) < -50.0


def test_an_echo_that_a_telephone_lets_through_now_and_then_stays_unheard_once_it_is_known() -> None:
    far = speechlike(17, 12.0)
    open_ = np.repeat([1.0, 0.02, 1.0, 0.02, 1.0, 0.02], 2 * RATE)
    near = (echoed(far, 0.15, 0.25) * open_).astype(np.int16) + hiss(18, len(far))
    heard = part(guarded(near, far), 3.0, 12.0)
    assert max(level_dbfs(heard[at : at + 320]) for at in range(0, len(heard), 320)) < -50.0


@pytest.mark.parametrize("delay", DELAYS)
def test_somebody_who_speaks_over_the_echo_is_heard_within_sixty_milliseconds(delay: float) -> None:
    far = speechlike(10, 8.0)
    speech = speechlike(12, 1.5, -20.0)
    near = echoed(far, delay, 0.25) + hiss(11, len(far))
    near[5 * RATE : 5 * RATE + len(speech)] += speech
    heard = part(guarded(near, far), 5.0, 6.5)
    began = np.flatnonzero(np.abs(speech) > 500)[0] / RATE
    loud = [at / RATE for at in range(0, len(heard) - 320, 320) if level_dbfs(heard[at : at + 320]) > -35.0]
    assert loud[0] - began < 0.06
    whole = round((began + 0.1) * RATE)
    assert level_dbfs(heard[whole:]) == pytest.approx(level_dbfs(speech[whole:]), abs=2.5)


def test_a_narrow_band_clock_is_guarded_as_well() -> None:
    far = speechlike(13, 6.0, rate=8000)
    near = echoed(far, 0.1, 0.3, 8000) + hiss(14, len(far))
    assert level_dbfs(guarded(near, far, 8000)[8000:]) < -52.0


def test_a_frame_of_another_size_is_refused() -> None:
    guard = EchoGuard()
    frame = np.zeros(320, dtype=np.int16)
    with pytest.raises(ValueError, match=r"int16 of shape \(320,\)"):
        guard.hear(frame[:160], frame)
    with pytest.raises(ValueError, match=r"int16 of shape \(320,\)"):
        guard.hear(frame, frame.astype(np.float32))  # type: ignore[arg-type]


def test_an_unknown_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="8000 or 16000"):
        EchoGuard(44100)


def test_a_doubt_lasts_for_a_few_frames_and_less_each_time_that_it_was_wrong() -> None:
    def held_back(over_db: float) -> int:
        frames = [doubt.holds_back(True, over_db) for _ in range(20)]
        doubt.refute()
        return sum(frames)

    doubt = Doubt()
    assert [held_back(3.0), held_back(3.0), held_back(9.0), held_back(3.0)] == [10, 5, 0, 1]
    assert not doubt.holds_back(False, 3.0)
