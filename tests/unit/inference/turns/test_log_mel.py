from __future__ import annotations

import numpy as np
import pytest

from inference.turns.log_mel import MEL_FILTERS, RATE, hertz, log_mel, mels, normalised


def by_definition(samples: np.ndarray) -> np.ndarray:
    """The features one frame and one bin at a time, in double precision."""
    padded = np.pad(samples.astype(np.float64), 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(201), np.arange(400)) / 400)
    columns = []
    for start in range(0, len(samples), 160):
        power = np.abs(turns @ (padded[start : start + 400] * window)) ** 2
        columns.append(np.log10(np.maximum(MEL_FILTERS.astype(np.float64) @ power, 1e-10)))
    mel = np.stack(columns, axis=1)
    return (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0


def test_features_are_those_of_the_definition() -> None:
    samples = np.random.default_rng(0).normal(0.0, 0.1, RATE).astype(np.float32)
    samples[:4000] = 0.0
    features = log_mel(samples)
    assert features.shape == (80, 100)
    assert features.dtype == np.float32
    assert np.abs(features - by_definition(samples)).max() < 1e-4


def test_the_mel_scale_is_slaney_s() -> None:
    """Linear to 1 kHz, 27 steps from there to 6.4 kHz (Auditory Toolbox, 1998)."""
    frequencies = np.array([0.0, 200.0, 1000.0, 6400.0, 8000.0])
    assert mels(frequencies)[:4] == pytest.approx([0.0, 3.0, 15.0, 42.0])
    assert hertz(mels(frequencies)) == pytest.approx(frequencies)


def test_normalised_sound_has_no_offset_and_unit_variance() -> None:
    samples = normalised(np.random.default_rng(0).normal(0.3, 0.01, RATE).astype(np.float32))
    assert samples.mean() == pytest.approx(0.0, abs=1e-4)
    assert samples.var() == pytest.approx(1.0, abs=1e-2)


def test_silence_has_features_too() -> None:
    assert np.isfinite(log_mel(normalised(np.zeros(RATE, dtype=np.float32)))).all()
