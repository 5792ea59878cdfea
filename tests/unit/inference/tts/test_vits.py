from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.onnx_session import open_session
from inference.registry import Registry
from inference.tts.graph import Graph, UncuttableGraph
from inference.tts.vits import Inputs, StreamedVits, WholeVits, open_vits, spans


@pytest.fixture(scope="module")
def model() -> Path:
    registry = Registry()
    return registry.pull(registry.manifest("piper-joe")) / "voice.onnx"


@pytest.fixture(scope="module")
def inputs(model: Path) -> Inputs:
    """A dozen syllables, without the random durations and noise that make every rendering another one."""
    ids = json.loads(model.with_name("voice.onnx.json").read_text())["phoneme_id_map"]
    phonemes = [ids[phoneme][0] for phoneme in "wʌn tə θɹi fʊɹ kæn hɛlp ju nɔt ðɛn" if phoneme in ids]
    padded = [ids["^"][0], *(part for phoneme in phonemes for part in (0, phoneme)), 0, ids["$"][0]]
    return {
        "input": np.array([padded], dtype=np.int64),
        "input_lengths": np.array([len(padded)], dtype=np.int64),
        "scales": np.array([0.0, 1.0, 0.0], dtype=np.float32),
    }


@pytest.mark.parametrize("stretches", [(16, 32, 64), (1, 7), (1000,)])
def test_stretches_are_the_samples_of_the_whole_sentence(
    model: Path, inputs: Inputs, stretches: tuple[int, ...]
) -> None:
    vits = open_vits(model.read_bytes(), 1, stretches)
    assert isinstance(vits, StreamedVits)
    (whole,) = open_session(model, 1).run(None, inputs)
    streamed = np.concatenate(list(vits.speak(inputs).pieces))
    assert streamed.shape == whole.ravel().shape
    assert np.abs(streamed - whole.ravel()).max() < 1e-5


def test_a_stretch_is_decoded_when_it_is_asked_for(model: Path, inputs: Inputs) -> None:
    speech = open_vits(model.read_bytes(), 1, (16, 32, 64)).speak(inputs).pieces
    assert len(next(speech)) == 16 * 256
    assert len(next(speech)) == 32 * 256


def test_a_voice_whose_graph_has_no_such_decoder_is_spoken_whole(model: Path, inputs: Inputs) -> None:
    other = model.read_bytes().replace(b"dec.conv_pre.", b"dec.conv_one.")
    vits = open_vits(other, 1, (16, 32, 64))
    assert isinstance(vits, WholeVits)
    spoken = vits.speak(inputs)
    assert spoken.lengths is None
    assert len(list(spoken.pieces)) == 1


def test_the_lengths_of_the_phonemes_are_those_of_the_samples(model: Path, inputs: Inputs) -> None:
    spoken = open_vits(model.read_bytes(), 1, (16, 32, 64)).speak(inputs)
    assert spoken.lengths is not None
    assert spoken.lengths.shape == (inputs["input"].shape[1],)
    assert spoken.lengths.min() >= 0
    assert spoken.lengths.sum() == sum(map(len, spoken.pieces))


def test_a_cut_before_an_input_that_is_needed_is_refused(model: Path) -> None:
    graph = Graph(model.read_bytes())
    with pytest.raises(UncuttableGraph, match="also needs"):
        graph.after(graph.operand("dp.pre."))


@pytest.mark.parametrize("junk", [b"", b"\x3a", b"\x3a\xff\xff", b"not a model at all", b"\xff" * 40])
def test_what_is_no_model_is_refused(junk: bytes) -> None:
    with pytest.raises(UncuttableGraph, match="not an ONNX model"):
        Graph(junk)


@given(st.integers(1, 2000), st.lists(st.integers(1, 200), min_size=1, max_size=4))
def test_spans_cover_every_frame_once_and_leave_no_crumbs(frames: int, stretches: list[int]) -> None:
    cut = list(spans(frames, stretches))
    assert cut[0][0] == 0
    assert cut[-1][1] == frames
    assert all(before[1] == after[0] for before, after in pairwise(cut))
    if len(cut) > 1:
        assert 2 * (cut[-1][1] - cut[-1][0]) >= stretches[min(len(cut) - 2, len(stretches) - 1)]
