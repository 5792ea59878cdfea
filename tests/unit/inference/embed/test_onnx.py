from __future__ import annotations

import numpy as np
import pytest

from inference.registry import Registry, build_engine
from orchestrator.core.ports import Embedder

PARAPHRASES = [
    ("What are your opening hours?", "When do you open?"),
    ("I want to cancel my appointment.", "Please cancel my booking."),
    ("How much does a cleaning cost?", "What is the price of a cleaning?"),
    ("Can I talk to a person?", "I would like to speak with a human."),
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    registry = Registry()
    manifest = registry.manifest("minilm-int8")
    return build_engine(manifest, registry.pull(manifest), threads=1)  # type: ignore[return-value]


async def test_a_paraphrase_is_nearer_than_any_other_question(embedder: Embedder) -> None:
    questions = await embedder.embed([first for first, _ in PARAPHRASES])
    asked = await embedder.embed([second for _, second in PARAPHRASES])
    nearness = asked @ questions.T
    assert nearness.argmax(axis=1).tolist() == list(range(len(PARAPHRASES)))
    others = nearness[~np.eye(len(PARAPHRASES), dtype=bool)]
    assert nearness.diagonal().min() > others.max() + 0.1


async def test_rows_are_of_unit_norm_and_in_the_order_of_the_texts(embedder: Embedder) -> None:
    texts = ["yes", "a much longer sentence than the others, so that it ends up in another batch " * 3, "no"] * 9
    vectors = await embedder.embed(texts)
    assert vectors.shape == (27, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    alone = await embedder.embed(["no"])
    assert float(vectors[26] @ alone[0]) > 0.99


async def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, 384)
