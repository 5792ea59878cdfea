"""Where speech begins and ends in a recording, by its energy.

Speech is found by level with hysteresis. The level of every 5 ms is compared with two gates: speech is only where it
rises above the *seed* gate for long enough, and from there it reaches out in both directions as far as the lower *edge*
gate holds, which lies just over the noise at that place. So a click (too short), a breath after the last word (no
seed), comfort noise and a recording's own hiss (under the edge) are not speech. A soft last consonant may lie under the
edge as well; it is bright, and so it is looked for with the high frequencies raised, right behind the voice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from orchestrator.core.audio import FULL_SCALE, Pcm

STEP = 0.005
"""Seconds of one level: the resolution of everything here."""

# G.711 idles at -72 dBFS: like digital silence, that tells nothing about the noise that lies under the speech.
_SILENT_DBFS = -66.0
# Comfort noise is sent at -60 dBFS or less (RFC 3389): quieter than this is not speech.
_INAUDIBLE_DBFS = -56.0
# Vowels set the level of a voice. What is more than 24 dB under it is blurred by a line's noise: with these gates both
# ends of 96 recorded turns agree on the end of speech within 20 ms at p95 (48 ms with gates 10 dB lower), and a latency
# is counted from a little too early rather than too late.
_SEED_UNDER_VOICE_DB = 18.0
_EDGE_UNDER_VOICE_DB = 24.0
_NOISE_UNDER_VOICE_DB = 15.0
# Levels of 5 ms of steady noise stray less than this from their lower quintile.
_SEED_OVER_NOISE_DB = 12.0
_EDGE_OVER_NOISE_DB = 7.0
# Within a pitch period of a deep voice the level dips for up to two steps.
_DIP = 2
# A key click or a crackle is shorter than the shortest phoneme.
_SHORTEST_SEED = 3
_LASTING = 10
_LOUDEST = 0.3
_SURROUNDINGS = 0.4
# A vowel has decayed after this; what is soft for longer is breath or the room.
_DECAY = 0.04
# The last consonant. Limits of 80 to 160 ms, of 18 to 20 dB and of 7 to 12 dB make no difference on the same turns.
_CONSONANT = 0.12
_CONSONANT_UNDER_VOICE_DB = 20.0
_CONSONANT_OVER_NOISE_DB = 9.0
_CONSONANT_INAUDIBLE_DBFS = -60.0
# First-order pre-emphasis, as in front of linear prediction (Markel and Gray 1976).
_PRE_EMPHASIS = 0.9


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch of speech. start, end: seconds from the first sample of the recording."""

    start: float
    end: float


def levels(pcm: Pcm | NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """dBFS (RMS) of each whole 5 ms of *pcm*; digital silence is -120."""
    size = round(STEP * rate)
    count = len(pcm) // size
    blocks = pcm[: count * size].astype(np.float64).reshape(count, size) / FULL_SCALE
    return np.asarray(10.0 * np.log10(np.maximum(np.mean(np.square(blocks), axis=1), 1e-12)))


def voice_dbfs(level: NDArray[np.float64]) -> float:
    """The level of the voice in a recording: the median of its loudest 0.3 s, which no click can move."""
    loudest = np.sort(level[level > _INAUDIBLE_DBFS])[-round(_LOUDEST / STEP) :]
    return float(np.median(loudest)) if len(loudest) else _INAUDIBLE_DBFS


def bursts(pcm: Pcm, rate: int, *, pause: float = 0.06, shortest: float = 0.02) -> list[Burst]:
    """The stretches of speech in *pcm*, in order; gaps of up to *pause* seconds do not divide one.

    shortest: seconds above the seed gate that make a stretch of speech.
    """
    speech = _Speech(pcm, rate, pause, shortest)
    spans = [(speech.start(number), speech.end(number)) for number in range(len(speech.seeds))]
    return [Burst(first * STEP, last * STEP) for first, last in _closed(spans, pause)]


def speech_began(pcm: Pcm, rate: int) -> float:
    """Seconds until the first speech in *pcm*; 0 when there is none, as in a piece too short to tell."""
    speech = _Speech(pcm, rate)
    return speech.start(0) * STEP if speech.seeds else 0.0


def speech_ended(pcm: Pcm, rate: int) -> float | None:
    """Seconds until the last speech in *pcm* has ended; None when there is none. That of bursts(), in less time."""
    speech = _Speech(pcm, rate)
    return speech.end(len(speech.seeds) - 1) * STEP if speech.seeds else None


class _Speech:
    """The seeds of the speech in a recording, as half-open ranges of steps, and how far each reaches."""

    def __init__(self, pcm: Pcm, rate: int, pause: float = 0.06, shortest: float = 0.02) -> None:
        self._pcm = pcm
        self._rate = rate
        self._level = level = levels(pcm, rate)
        self.seeds: list[tuple[int, int]] = []
        if not len(level):
            return
        self._voice = voice = voice_dbfs(level)
        seed = max(voice - _SEED_UNDER_VOICE_DB, _noise(level, voice) + _SEED_OVER_NOISE_DB, _INAUDIBLE_DBFS)
        # Noise above the seed gate would leave nothing; a voice is always heard over what lies 12 dB under it.
        self._seed = seed = min(seed, voice - 3.0)
        seeds = _closed([run for run in _runs(_dipless(level > seed)) if run[1] - run[0] >= _SHORTEST_SEED], pause)
        self.seeds = [run for run in seeds if np.count_nonzero(level[run[0] : run[1]] > seed) * STEP >= shortest]

    @cached_property
    def _consonants(self) -> _Consonants:
        return _Consonants(self._pcm, self._rate, self._level)

    def start(self, number: int) -> int:
        """The step at which the speech around a seed begins."""
        floor = self.seeds[number - 1][1] if number else 0
        first = self.seeds[number][0]
        return first - _reach(self._level[floor:first][::-1], self._voice, self._seed)

    def end(self, number: int) -> int:
        """The step at which it is over."""
        ceiling = self.seeds[number + 1][0] if number + 1 < len(self.seeds) else len(self._level)
        last = self.seeds[number][1]
        end = last + _reach(self._level[last:ceiling], self._voice, self._seed)
        return self._consonants.end(end, ceiling)


def _reach(outwards: NDArray[np.float64], voice: float, seed: float) -> int:
    """How many steps speech goes on into *outwards*, the levels next to a seed, nearest first."""
    noise = _noise(outwards[: round(_SURROUNDINGS / STEP)], voice)
    edge = min(max(voice - _EDGE_UNDER_VOICE_DB, noise + _EDGE_OVER_NOISE_DB, _INAUDIBLE_DBFS), seed)
    near = outwards[: round(_DECAY / STEP)]
    under = np.flatnonzero(~_dipless(near > edge))
    return int(under[0]) if len(under) else len(near)


class _Consonants:
    """Soft consonants behind a voice, in a recording with these levels, told by their high frequencies."""

    def __init__(self, pcm: Pcm, rate: int, level: NDArray[np.float64]) -> None:
        signal = pcm.astype(np.float64)
        signal[1:] -= _PRE_EMPHASIS * signal[:-1].copy()
        self._level = levels(signal, rate)
        around = np.pad(self._level, _DIP, constant_values=-120.0)
        # The median of five steps knows no click and spreads nothing.
        self._steady = np.median(np.lib.stride_tricks.sliding_window_view(around, 2 * _DIP + 1), axis=1)
        self._voice = float(np.median(self._level[np.argsort(level)[-round(_LOUDEST / STEP) :]]))

    def end(self, last: int, ceiling: int) -> int:
        """The step at which the speech that ends at *last* but for its consonant ends; *ceiling* at most."""
        noise = _steady_dbfs(self._level[last : min(ceiling, last + round(_SURROUNDINGS / STEP))])
        gate = max(self._voice - _CONSONANT_UNDER_VOICE_DB, noise + _CONSONANT_OVER_NOISE_DB, _CONSONANT_INAUDIBLE_DBFS)
        near = self._steady[last : min(ceiling, last + round(_CONSONANT / STEP))] > gate
        runs = [
            run for run in _closed(_runs(near), _DIP * STEP) if run[0] <= _DIP and run[1] - run[0] >= _SHORTEST_SEED
        ]
        return last + runs[0][1] if runs else last


def _noise(level: NDArray[np.float64], voice: float) -> float:
    """The level of the noise among these levels; -120 where there is too little to tell.

    Only what lasts is noise: a voice is as quiet as that between two of its pulses.
    """
    lasting = [
        level[first:last] for first, last in _runs(level < voice - _NOISE_UNDER_VOICE_DB) if last - first >= _LASTING
    ]
    quiet = np.concatenate([*lasting, level[:0]])
    return _steady_dbfs(quiet)


def _steady_dbfs(level: NDArray[np.float64]) -> float:
    """The lower quintile of the levels that are not silent; -120 where there are too few to tell."""
    sounding = level[level > _SILENT_DBFS]
    return float(np.percentile(sounding, 20)) if len(sounding) * STEP >= 0.1 else -120.0


def _dipless(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """*flags* with its shortest dips filled in."""
    filled = flags.copy()
    for first, last in _closed(_runs(flags), _DIP * STEP):
        filled[first:last] = True
    return filled


def _closed(runs: list[tuple[int, int]], pause: float) -> list[tuple[int, int]]:
    """*runs* of steps with those joined that lie within *pause* seconds of each other."""
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and (first - joined[-1][1]) * STEP <= pause + 1e-9:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The half-open ranges in which *flags* is True."""
    change = np.diff(np.concatenate(([False], flags, [False])).astype(np.int8))
    return list(zip(np.flatnonzero(change == 1).tolist(), np.flatnonzero(change == -1).tolist(), strict=True))
