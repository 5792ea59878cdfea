from __future__ import annotations

import numpy as np
import pytest

from inference.registry import Registry, build_engine
from orchestrator.core.ports import Embedder

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def engines() -> tuple[Embedder, Embedder]:
    """The same model with torch and without."""
    pytest.importorskip("sentence_transformers")
    registry = Registry()
    built = []
    for name in ("minilm", "minilm-int8"):
        manifest = registry.manifest(name)
        built.append(build_engine(manifest, registry.pull(manifest), threads=1))
    return built[0], built[1]  # type: ignore[return-value]


async def test_the_int8_weights_point_where_the_float_weights_do(engines: tuple[Embedder, Embedder]) -> None:
    texts = ["What are your opening hours?", "I want to cancel my booking.", "The invoice is wrong.", "Thank you!"]
    full, small = [await engine.embed(texts) for engine in engines]
    assert np.sum(full * small, axis=1).min() > 0.9
    assert np.abs(full @ full.T - small @ small.T).max() < 0.1


async def test_no_texts_give_no_rows(engines: tuple[Embedder, Embedder]) -> None:
    assert (await engines[0].embed([])).shape == (0, 384)
