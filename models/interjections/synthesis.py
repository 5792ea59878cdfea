"""Sounds that people and rooms make, computed: hums, laughter, coughs, keys, doors, hiss, tones, music.

Voiced sounds are sums of harmonics weighed by the formants of a vocal tract, with aspiration noise (the source-filter
model: Fant, "Acoustic Theory of Speech Production", 1960; Klatt, "Software for a cascade/parallel formant synthesizer",
JASA 67, 1980). Laughter follows Bachorowski et al., "The acoustic features of human laughter", JASA 110, 2001: calls of
about 0.17 s, four to six a second, pitch well above speech and falling. Coughs follow Korpáš, Sadloňová and Vrabec,
"Analysis of the cough sound", Pulm. Pharmacol. 9, 1996: a burst of 30 to 50 ms, a noisy middle, often a voiced end.

Each function takes a generator of random numbers and gives float64 samples at 16 kHz, of any level. The patterns of
hums and the sizes of vocal tracts differ between the splits, see `Tract`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.interjections.phrases import Label, Split

Wave: TypeAlias = NDArray[np.float64]
Random: TypeAlias = np.random.Generator

RATE: Final = 16000
_SLOW: Final = 40  # samples from one strength of a harmonic to the next
_TOP: Final = 3900.0  # Hz; a telephone line carries nothing above
_NASAL: Final = ((270.0, 60.0, 1.0), (1000.0, 250.0, 0.08), (2200.0, 300.0, 0.05))
_VOWELS: Final = (
    ((600.0, 90.0, 1.0), (1200.0, 120.0, 0.4), (2500.0, 180.0, 0.15)),
    ((700.0, 100.0, 1.0), (1100.0, 120.0, 0.5), (2450.0, 180.0, 0.15)),
    ((450.0, 80.0, 1.0), (1500.0, 130.0, 0.3), (2500.0, 180.0, 0.15)),
)
Formants: TypeAlias = Sequence[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Tract:
    """Whose sound it is. pitch: Hz at rest; size: of the formants, 1.0 for a grown man's. split: picks the patterns."""

    pitch: float
    size: float
    split: Split


def tract(random: Random, split: Split) -> Tract:
    """Someone of *split*: sizes come in 24 steps, three of eight for tuning; the sizes half-way are held out."""
    if split == "held-out":
        step = random.integers(23) + random.uniform(0.35, 0.65)
    else:
        step = random.choice([step for step in range(24) if _split_of(step) == split]) + random.uniform(-0.3, 0.3)
    return Tract(90.0 * 2.2 ** (step / 23) * random.uniform(0.93, 1.07), 0.98 * 1.25 ** (step / 23), split)


def _split_of(step: int) -> Split:
    return "tune" if step % 4 == 2 or step % 8 == 5 else "train"


# Hums: (share of the length, pitch at its start and end as a factor, with /h/ before it).
_PATTERNS: Mapping[Split, tuple[tuple[tuple[float, float, float, bool], ...], ...]] = {
    "train": (
        ((0.4, 1.05, 0.95, False), (0.6, 1.0, 1.3, True)),
        ((0.45, 1.0, 1.0, False), (0.55, 1.25, 0.95, True)),
        ((1.0, 1.15, 0.85, False),),
        ((1.0, 0.95, 1.2, True),),
        ((0.3, 1.0, 0.95, False), (0.7, 0.95, 1.15, True)),
    ),
    "tune": (
        ((0.5, 1.1, 0.9, False), (0.5, 0.9, 1.1, True)),
        ((1.0, 1.0, 0.95, True),),
        ((0.5, 1.2, 0.95, False), (0.5, 1.05, 1.4, True)),
        ((1.0, 1.2, 0.8, True),),
        ((0.35, 0.95, 1.0, False), (0.3, 1.05, 1.0, True), (0.35, 1.0, 0.85, True)),
        ((0.35, 1.0, 1.0, False), (0.65, 1.1, 0.85, True)),
    ),
    "held-out": (
        ((0.45, 0.95, 1.1, False), (0.55, 1.15, 1.0, True)),
        ((1.0, 1.1, 1.25, False),),
        ((0.55, 1.0, 0.85, True), (0.45, 0.9, 1.2, True)),
        ((0.3, 1.1, 1.0, False), (0.35, 1.1, 0.95, True), (0.35, 1.0, 1.1, True)),
        ((0.25, 1.0, 1.0, False), (0.75, 1.2, 0.8, True)),
    ),
}


def hum(random: Random, who: Tract) -> Wave:
    """ "Mm-hmm", "mm", "hm", and with an open mouth "uh-huh"."""
    patterns = _PATTERNS[who.split]
    pattern = patterns[random.integers(len(patterns))]
    nasal = random.random() < 0.65
    formants = _NASAL if nasal else _VOWELS[random.integers(len(_VOWELS))]
    whole = random.uniform(0.22, 0.4) * (1 + 0.6 * (len(pattern) - 1))
    parts: list[Wave] = []
    for share, start, end, aspirated in pattern:
        if aspirated:
            parts.append(_aspiration(random, who, formants, random.uniform(0.03, 0.09), 0.08 if nasal else 0.2))
        count = int(share * whole * RATE)
        part = _voiced(random, who, formants, who.pitch * np.linspace(start, end, count), aspiration=0.02)
        parts.append(part * _swell(count, 0.03, 0.08) * random.uniform(0.7, 1.0))
    return np.concatenate(parts)


def laughter(random: Random, who: Tract) -> Wave:
    """ "Ha-ha-ha", now and then with a closed mouth, or mostly breath."""
    calls = random.integers(2, 9)
    pitch = who.pitch * random.uniform(1.3, 2.4)
    formants = _NASAL if random.random() < 0.2 else _VOWELS[random.integers(len(_VOWELS))]
    breathy = random.uniform(0.05, 1.0)
    beat = random.uniform(0.14, 0.24)
    parts: list[Wave] = []
    for call in range(calls):
        voiced = int(random.uniform(0.35, 0.6) * beat * RATE)
        contour = pitch * 0.95**call * np.linspace(random.uniform(1.0, 1.25), random.uniform(0.8, 1.0), voiced)
        loudness = 0.9**call * random.uniform(0.7, 1.0)
        parts.append(_aspiration(random, who, formants, beat - voiced / RATE, 0.15 + 0.2 * breathy) * loudness)
        sound = _voiced(random, who, formants, contour, aspiration=0.1 + 0.5 * breathy) * (1.0 - 0.6 * breathy)
        parts.append(sound * _swell(voiced, 0.015, 0.04) * loudness)
    return np.concatenate(parts)


def cough(random: Random, who: Tract) -> Wave:
    """One to three coughs."""
    parts: list[Wave] = []
    for _ in range(random.integers(1, 4)):
        formants = _VOWELS[random.integers(len(_VOWELS))]
        burst = _breathing(random, who, formants, int(random.uniform(0.03, 0.06) * RATE), wide=True)
        middle = int(random.uniform(0.08, 0.22) * RATE)
        noise = _breathing(random, who, formants, middle) * np.exp(-np.arange(middle) / RATE / 0.07)
        one = [burst * _swell(len(burst), 0.004, 0.01) * 1.6, noise]
        if random.random() < 0.5:
            voiced = int(random.uniform(0.05, 0.14) * RATE)
            contour = who.pitch * random.uniform(1.0, 2.0) * np.linspace(1.1, 0.8, voiced)
            one.append(0.5 * _voiced(random, who, formants, contour, aspiration=0.4) * _swell(voiced, 0.01, 0.04))
        parts += [*one, np.zeros(int(random.uniform(0.08, 0.35) * RATE))]
    return np.concatenate(parts[:-1])


def sneeze(random: Random, who: Tract) -> Wave:
    """A breath in, and "tshoo"."""
    breath_in = _breathing(random, who, _VOWELS[0], int(random.uniform(0.15, 0.4) * RATE))
    breath_in *= 0.15 * np.linspace(0.1, 1.0, len(breath_in))
    count = int(random.uniform(0.12, 0.28) * RATE)
    burst = _band(random.standard_normal(count), 1800.0, _TOP) * np.exp(-np.arange(count) / RATE / 0.09)
    voiced = int(random.uniform(0.1, 0.25) * RATE)
    contour = who.pitch * random.uniform(1.2, 2.0) * np.linspace(1.2, 0.7, voiced)
    end = _voiced(random, who, _VOWELS[2], contour, aspiration=0.5) * _swell(voiced, 0.02, 0.1)
    return np.concatenate([breath_in, _unit(burst) * 1.2, end * random.uniform(0.1, 0.7)])


def clearing(random: Random, who: Tract) -> Wave:
    """A throat being cleared: a rough, low voice of little pitch."""
    count = int(random.uniform(0.2, 0.6) * RATE)
    rough = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * random.uniform(22.0, 45.0) * np.arange(count) / RATE))
    breathing = _breathing(random, who, _VOWELS[random.integers(len(_VOWELS))], count)
    voice = _voiced(random, who, _NASAL, who.pitch * 0.8 * np.linspace(1.0, 0.8, count), aspiration=0.3)
    return (0.7 * breathing + random.uniform(0.0, 0.6) * voice) * rough * _swell(count, 0.03, 0.12)


def breath(random: Random, who: Tract) -> Wave:
    """A breath at the microphone, in or out."""
    count = int(random.uniform(0.3, 1.3) * RATE)
    sound = _breathing(random, who, _VOWELS[random.integers(len(_VOWELS))], count)
    return sound * _swell(len(sound), random.uniform(0.1, 0.4) * len(sound) / RATE, 0.4 * len(sound) / RATE)


def click(random: Random, who: Tract) -> Wave:
    """A tap, a pen, a lip: one or two short resonances."""
    return _knocks(random, int(random.integers(1, 3)), (600.0, 3600.0), (0.003, 0.02), (0.02, 0.15))


def keyboard(random: Random, who: Tract) -> Wave:
    """Typing."""
    return _knocks(random, int(random.integers(4, 18)), (900.0, 3600.0), (0.002, 0.012), (0.03, 0.22))


def door(random: Random, who: Tract) -> Wave:
    """A door, a knock, a thing put down: low and slowly dying away."""
    return _knocks(random, int(random.integers(1, 5)), (90.0, 700.0), (0.02, 0.12), (0.08, 0.3))


def hiss(random: Random, who: Tract) -> Wave:
    """A fan, a car, wind or a bad line: noise that sets in and stays."""
    count = int(random.uniform(0.4, 2.0) * RATE)
    low = random.uniform(60.0, 1200.0)
    noise = _band(random.standard_normal(count), low, min(_TOP, low * random.uniform(2.0, 30.0)))
    drift = np.interp(np.arange(count), np.linspace(0, count, 8), random.uniform(0.4, 1.0, 8))
    return _unit(noise) * drift * _swell(count, random.uniform(0.005, 0.3), 0.05)


def tones(random: Random, who: Tract) -> Wave:
    """Beeps, keys of a telephone, sirens: one or two sines, steady, gliding or in turns."""
    count = int(random.uniform(0.15, 1.8) * RATE)
    time = np.arange(count) / RATE
    glide = random.uniform(0.7, 1.4) if random.random() < 0.3 else 1.0
    sound = np.zeros(count)
    for _ in range(random.integers(1, 3)):
        pitch = random.uniform(300.0, 2600.0) * np.linspace(1.0, glide, count)
        sound += np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    if random.random() < 0.4:
        sound *= np.sin(2 * np.pi * random.uniform(1.0, 12.0) * time) > 0
    return sound * _swell(count, 0.005, 0.01)


def music(random: Random, who: Tract) -> Wave:
    """Plucked or held chords over a bass."""
    count = int(random.uniform(0.8, 2.2) * RATE)
    sound = np.zeros(count)
    beat, root = random.uniform(0.12, 0.5), random.uniform(80.0, 320.0)
    decay = random.uniform(0.1, 1.5)
    for start in np.arange(0.0, count / RATE, beat):
        first = int(start * RATE)
        time = np.arange(count - first) / RATE
        for step in random.choice([0, 3, 4, 5, 7, 10, 12, 16, 19], size=random.integers(1, 4)):
            for overtone in range(1, 7):
                pitch = root * 2 ** (step / 12) * overtone
                if pitch < _TOP:
                    sound[first:] += np.sin(2 * np.pi * pitch * time) / overtone**1.3 * np.exp(-time / decay)
    return sound


MADE: Mapping[str, tuple[Label, Callable[[Random, Tract], Wave]]] = {
    "hum": ("back-channel", hum),
    "laughter": ("back-channel", laughter),
    "cough": ("noise", cough),
    "sneeze": ("noise", sneeze),
    "clearing": ("noise", clearing),
    "breath": ("noise", breath),
    "click": ("noise", click),
    "keyboard": ("noise", keyboard),
    "door": ("noise", door),
    "hiss": ("noise", hiss),
    "tones": ("noise", tones),
    "music": ("noise", music),
}
"""Every kind of sound that can be computed, with its label."""


def quick_size(count: int) -> int:
    """The power of two from *count* on: Fourier transforms of other lengths take several times as long."""
    return 1 << (count - 1).bit_length()


def reverberant(random: Random, sound: Wave, seconds: float) -> Wave:
    """*sound* in a room whose echoes take *seconds* to fall by 60 dB, heard from afar."""
    count = int(seconds * RATE)
    tail = random.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count)
    tail[0] += random.uniform(0.5, 3.0)
    size = quick_size(len(sound) + count)
    heard: Wave = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)]
    return heard


def _voiced(random: Random, who: Tract, formants: Formants, contour: Wave, aspiration: float) -> Wave:
    """A voice of the pitches *contour* (Hz, one a sample), of power one."""
    shaky = contour * (1 + 0.01 * np.interp(np.arange(len(contour)), *_jitter(random, len(contour))))
    phase = 2 * np.pi * np.cumsum(shaky) / RATE + random.uniform(0, 2 * np.pi)
    sound = np.zeros(len(contour))
    places = np.arange(len(contour))
    tilt = random.uniform(0.7, 1.3)
    for harmonic in range(1, int(_TOP / contour.min()) + 1):
        pitch = harmonic * contour[::_SLOW]
        strength = _response(pitch, who, formants) * harmonic**-tilt * (pitch < _TOP)
        sound += np.interp(places, places[::_SLOW], strength) * np.cos(harmonic * phase)
    return _unit(_unit(sound) + aspiration * _breathing(random, who, formants, len(contour)))


def _jitter(random: Random, count: int) -> tuple[Wave, Wave]:
    points = max(4, count // 160)
    return np.linspace(0, count, points), random.standard_normal(points)


def _response(pitch: Wave, who: Tract, formants: Formants) -> Wave:
    """How strongly the tract passes each of *pitch*."""
    total = np.full_like(pitch, 0.003)
    for centre, width, gain in formants:
        total += gain / (1 + ((pitch - centre * who.size) / width) ** 2)
    return total


def _aspiration(random: Random, who: Tract, formants: Formants, seconds: float, level: float) -> Wave:
    return level * _breathing(random, who, formants, int(seconds * RATE))


def _breathing(random: Random, who: Tract, formants: Formants, count: int, wide: bool = False) -> Wave:
    """So many samples of noise through the tract, of power one."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    pitches = np.fft.rfftfreq(count, 1 / RATE).astype(np.float64)
    spectrum *= _response(pitches, who, formants) ** (0.3 if wide else 0.6) * (pitches < _TOP)
    return _unit(np.fft.irfft(spectrum, count))


def _knocks(
    random: Random, count: int, pitches: tuple[float, float], decays: tuple[float, float], gaps: tuple[float, float]
) -> Wave:
    """*count* dying resonances."""
    starts = np.cumsum([0.0, *random.uniform(*gaps, count - 1)])
    sound = np.zeros(int((starts[-1] + 6 * decays[1] + 0.02) * RATE))
    for start in starts:
        first = int(start * RATE)
        time = np.arange(len(sound) - first) / RATE
        decay = random.uniform(*decays)
        knock = 0.5 * random.standard_normal(len(time)) * np.exp(-time / (decay / 3))
        for _ in range(random.integers(1, 4)):
            knock += np.sin(2 * np.pi * random.uniform(*pitches) * time + random.uniform(0, 6)) * np.exp(-time / decay)
        sound[first:] += random.uniform(0.3, 1.0) * knock
    return sound


def _band(noise: Wave, low: float, high: float) -> Wave:
    spectrum = np.fft.rfft(noise)
    pitches = np.fft.rfftfreq(len(noise), 1 / RATE)
    kept: Wave = np.fft.irfft(spectrum * ((pitches > low) & (pitches < high)), len(noise))
    return kept


def _swell(count: int, rise: float, fall: float) -> Wave:
    """An envelope that rises and falls in so many seconds."""
    time = np.arange(count) / RATE
    envelope: Wave = np.minimum(1.0, np.minimum(time / max(rise, 1e-3), (time[-1] - time) / max(fall, 1e-3)))
    return envelope


def _unit(sound: Wave) -> Wave:
    level = np.sqrt(np.mean(sound**2))
    return sound / level if level else sound
