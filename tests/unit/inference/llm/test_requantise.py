"""Weights are rewritten for the kernels that are fast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize

from inference.llm import llama_cpp
from inference.llm.requantise import requantise
from inference.manifest import Manifest

WEIGHTS = np.random.default_rng(3).normal(size=(4, 64)).astype(np.float32)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file with a Q4_1 tensor, a float one, and fields of every shape that matters."""
    path = tmp_path / "model.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_uint32("llama.block_count", 2)
    writer.add_file_type(3)
    writer.add_array("tokenizer.ggml.tokens", ["<s>", "é"])
    writer.add_chat_template("{{ messages }}")
    kind = GGMLQuantizationType.Q4_1
    writer.add_tensor("blk.0.weight", quantize(WEIGHTS, kind), raw_dtype=kind)
    writer.add_tensor("norm.weight", WEIGHTS[0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_q4_1_becomes_q4_0_with_nearly_the_same_values(source: Path) -> None:
    target = source.with_name("out.gguf")
    requantise(source, target)
    quantised, plain = GGUFReader(target).tensors
    assert quantised.tensor_type is GGMLQuantizationType.Q4_0
    assert np.abs(dequantize(quantised.data, GGMLQuantizationType.Q4_0) - WEIGHTS).mean() < 0.15
    assert np.array_equal(plain.data, WEIGHTS[0])


def test_everything_else_in_the_file_stays(source: Path) -> None:
    target = source.with_name("out.gguf")
    requantise(source, target)
    before, after = GGUFReader(source).fields, GGUFReader(target).fields
    kept = {name for name in before if not name.startswith("GGUF.")} - {"general.file_type"}
    assert {name: after[name].contents() for name in kept} == {name: before[name].contents() for name in kept}


def test_preparing_converts_once_and_leaves_nothing_half_done(source: Path) -> None:
    manifest = Manifest.model_validate(
        {
            "name": "small",
            "kind": "llm",
            "engine": "llama_cpp",
            "licence": "none",
            "languages": ["en"],
            "files": {"model.gguf": {"sha256": "0" * 64}},
            "sources": [{"from": "path:/weights"}],
            "options": {"requantise": "Q4_0"},
        }
    )
    llama_cpp.prepare(manifest, source.parent)
    prepared = source.with_name("model.Q4_0.gguf")
    made = prepared.stat().st_mtime_ns
    llama_cpp.prepare(manifest, source.parent)
    assert prepared.stat().st_mtime_ns == made
    assert {path.name for path in source.parent.iterdir()} == {"model.gguf", "model.Q4_0.gguf"}
