from __future__ import annotations

import numpy as np
import pytest

from orchestrator.recordings.passages import LONGEST, Extent, pieces

RATE = 8000
NEVER = float("inf")


def passage(start: float, end: float, after: float = -NEVER, before: float = NEVER) -> tuple[float, float] | None:
    """In seconds of a recording that began five seconds into its call and lasted ten."""
    found = Extent(5.0, RATE, 10 * RATE).passage(start, end, after, before)
    return None if found is None else (found[0] / RATE, found[1] / RATE)


@pytest.mark.parametrize(
    ("said", "frames"),
    [
        ((7.0, 8.0), (1.7, 3.3)),  # a margin on either side
        ((5.1, 6.0), (0.0, 1.3)),  # as far as the recording goes
        ((14.0, 14.9), (8.7, 10.0)),
        ((14.0, 15.05), (8.7, 10.0)),  # the last frame was heard, and not recorded
        ((4.95, 6.0), (0.0, 1.3)),
    ],
)
def test_a_line_is_found_in_a_recording_that_began_in_mid_call(
    said: tuple[float, float], frames: tuple[float, float]
) -> None:
    assert passage(*said) == pytest.approx(frames, abs=1 / RATE)


@pytest.mark.parametrize("said", [(1.0, 2.0), (4.5, 6.0), (14.0, 15.5), (16.0, 17.0), (7.0, 7.0), (8.0, 7.0)])
def test_what_is_not_all_in_the_recording_is_not_looked_for(said: tuple[float, float]) -> None:
    assert passage(*said) is None


@pytest.mark.parametrize(
    ("said", "frames"), [((4.0, 6.0), (0.0, 1.3)), ((14.0, 17.0), (8.7, 10.0)), ((1.0, 30.0), (0.0, 10.0))]
)
def test_what_there_is_of_a_line_is_found_if_that_will_do(
    said: tuple[float, float], frames: tuple[float, float]
) -> None:
    [found] = Extent(5.0, RATE, 10 * RATE).passages([said], in_part=True)
    assert found is not None and (found[0] / RATE, found[1] / RATE) == pytest.approx(frames, abs=1 / RATE)


def test_what_is_outside_the_recording_is_not_found_in_part_either() -> None:
    times = [(1.0, 2.0), (7.0, 7.0), (8.0, 8.5), (8.6, 9.0), (16.0, 17.0)]
    found = Extent(5.0, RATE, 10 * RATE).passages(times, in_part=True)
    assert [one is None for one in found] == [True, True, False, False, True]
    assert found[2] == (round(2.7 * RATE), round(3.6 * RATE)), "the margin ends where the next line begins"


def test_a_margin_does_not_reach_into_the_lines_beside_it() -> None:
    assert passage(7.0, 8.0, after=6.9, before=8.2) == pytest.approx((1.9, 3.2), abs=1 / RATE)
    # Lines that overlap lose nothing of their own.
    assert passage(7.0, 8.0, after=7.5, before=7.6) == pytest.approx((2.0, 3.0), abs=1 / RATE)


def test_an_empty_recording_has_no_passage() -> None:
    assert Extent(5.0, RATE, 0).passage(5.0, 5.05, -NEVER, NEVER) is None


def test_what_is_short_stays_whole() -> None:
    pcm = np.ones(round(LONGEST * RATE), np.int16)
    [whole] = pieces(pcm, RATE)
    assert whole is pcm


def test_what_is_long_is_cut_in_the_pause() -> None:
    pcm = np.full(60 * RATE, 1000, np.int16)
    for pause in (23.0, 46.0):
        pcm[round(pause * RATE) : round((pause + 0.3) * RATE)] = 0
    parts = pieces(pcm, RATE)
    assert np.array_equal(np.concatenate(parts), pcm)
    cuts = np.cumsum([len(part) for part in parts])[:-1] / RATE
    assert len(cuts) == 2
    assert 23.0 < cuts[0] < 23.3 and 46.0 < cuts[1] < 46.3
    assert max(len(part) for part in parts) <= LONGEST * RATE
