from __future__ import annotations

import numpy as np
import pytest

from inference.log_mel import RATE, hertz, log_mel, mel_filters, mels, normalised


def by_definition(samples: np.ndarray, bands: int) -> np.ndarray:
    """The features one frame and one bin at a time, in double precision."""
    padded = np.pad(samples.astype(np.float64), 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(201), np.arange(400)) / 400)
    columns = []
    for start in range(0, len(samples), 160):
        power = np.abs(turns @ (padded[start : start + 400] * window)) ** 2
        columns.append(np.log10(np.maximum(mel_filters(bands).astype(np.float64) @ power, 1e-10)))
    mel = np.stack(columns, axis=1)
    return (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0


@pytest.mark.parametrize("bands", [80, 128])
def test_features_are_those_of_the_definition(bands: int) -> None:
    samples = np.random.default_rng(0).normal(0.0, 0.1, RATE).astype(np.float32)
    samples[:4000] = 0.0
    features = log_mel(samples, bands)
    assert features.shape == (bands, 100)
    assert features.dtype == np.float32
    assert np.abs(features - by_definition(samples, bands)).max() < 1e-4


def test_the_mel_scale_is_slaney_s() -> None:
    """Linear to 1 kHz, 27 steps from there to 6.4 kHz (Auditory Toolbox, 1998)."""
    frequencies = np.array([0.0, 200.0, 1000.0, 6400.0, 8000.0])
    assert mels(frequencies)[:4] == pytest.approx([0.0, 3.0, 15.0, 42.0])
    assert hertz(mels(frequencies)) == pytest.approx(frequencies)


def test_normalised_sound_has_no_offset_and_unit_variance() -> None:
    samples = normalised(np.random.default_rng(0).normal(0.3, 0.01, RATE).astype(np.float32))
    assert samples.mean() == pytest.approx(0.0, abs=1e-4)
    assert samples.var() == pytest.approx(1.0, abs=1e-2)


@pytest.mark.parametrize("samples", [1, 159, 160, 201, RATE])
def test_any_sound_has_features(samples: int) -> None:
    features = log_mel(normalised(np.zeros(samples, dtype=np.float32)))
    assert features.shape == (80, samples // 160)
    assert np.isfinite(features).all()
