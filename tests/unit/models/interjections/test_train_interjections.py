from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.interjections.heard import heard
from models.interjections.phrases import LABELS, SPLITS, phrases
from models.interjections.recordings import pieces
from models.interjections.sounds import made, thinned
from models.interjections.synthesis import MADE, RATE, tract
from models.interjections.train_interjections import Examples, examples, judged, learn
from models.interjections.voices import voices

FEW = {"hum": 24, "laughter": 12, "cough": 12, "hiss": 12}


@pytest.fixture(scope="module")
def few() -> Examples:
    random = np.random.default_rng(5)
    return examples([heard(random, sound) for sound in made("train", FEW, seed=5)])


def test_training_is_reproducible(few: Examples) -> None:
    once, again = (learn(few, passes=2) for _ in range(2))
    assert all(np.array_equal(once[name], again[name]) for name in once)


def test_hums_and_noises_are_told_apart_after_a_little_training(few: Examples) -> None:
    shares = judged(learn(few, passes=8), few, after=None)
    assert np.mean(shares.argmax(axis=1) == few.labels) > 0.8


def test_computed_sounds_are_the_same_each_time() -> None:
    once, again = (list(made("tune", {"cough": 3, "music": 2}, seed=1)) for _ in range(2))
    assert all(np.array_equal(one.pcm, other.pcm) for one, other in zip(once, again, strict=True))


@pytest.mark.parametrize("kind", MADE)
def test_every_kind_of_sound_can_be_computed(kind: str) -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        wave = MADE[kind][1](random, tract(random, SPLITS[seed % 3]))
        assert np.isfinite(wave).all()
        assert 0.005 * RATE < len(wave) < 6 * RATE
        assert np.abs(wave).max() > 0


def test_no_phrase_is_in_two_splits() -> None:
    seen = Counter((phrase.language, phrase.text.lower()) for phrase in phrases())
    assert [phrase for phrase, count in seen.items() if count > 1] == []


def test_no_voice_is_in_two_splits() -> None:
    seen = Counter((voice.synthesiser, voice.name) for voice in voices())
    assert [voice for voice, count in seen.items() if count > 1] == []


def test_every_split_has_phrases_of_both_kinds_and_voices_for_them() -> None:
    spoken = {(voice.split, phrase.label) for voice in voices() for phrase in phrases() if phrase.split == voice.split}
    assert spoken == {(split, label) for split in SPLITS for label in LABELS[:2]}


def test_recordings_are_parted_at_their_pauses(tmp_path: Path) -> None:
    loud = np.random.default_rng(0).normal(0.0, 4000.0, RATE // 2)
    pcm = np.concatenate([loud, np.zeros(RATE // 2), loud, np.zeros(RATE // 10), loud]).astype("<i2")
    pcm.tofile(tmp_path / "sound.raw")
    lengths = [len(piece) / RATE for piece in pieces(tmp_path / "sound.raw")]
    assert lengths == pytest.approx([0.5, 1.1], abs=0.02)


def test_every_voice_that_is_learned_from_says_the_common_phrases_of_its_language() -> None:
    said = [phrase for phrase in phrases() if phrase.split == "train" and phrase.common]
    assert all(voice.draws(phrase) for voice in voices() if voice.split == "train" for phrase in said)


def test_nearly_every_held_out_phrase_in_english_has_a_voice() -> None:
    speakers = [voice for voice in voices() if voice.split == "held-out"]
    said = [phrase for phrase in phrases() if phrase.split == "held-out" and phrase.language == "en"]
    silent = [phrase.text for phrase in said if not any(one.can_say(phrase) and one.draws(phrase) for one in speakers)]
    assert len(silent) <= len(said) / 10, silent


def test_what_is_measured_has_at_most_sixty_recordings_of_a_kind_in_a_language_save_english() -> None:
    one = next(made("tune", {"hum": 1}, seed=1))
    many = [replace(one, kind="word", language=language) for language in ("de", "en") for _ in range(150)]
    assert Counter(sound.language for sound in thinned(many)) == {"de": 60, "en": 150}
