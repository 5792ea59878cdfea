from __future__ import annotations

from pathlib import Path

import pytest

from inference.manifest import Manifest
from inference.registry import Registry, build_engine
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Sentiment

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of random weights that is sure of its third label, "POS", and has no neutral one."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    registry = Registry()
    words = registry.pull(registry.manifest("minilm-int8")) / "tokenizer.json"
    folder = tmp_path_factory.mktemp("classifier")
    transformers.PreTrainedTokenizerFast(tokenizer_file=str(words), pad_token="[PAD]").save_pretrained(folder)
    config = transformers.BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        id2label={0: "NEG", 1: "OTHER", 2: "POS"},
        label2id={"NEG": 0, "OTHER": 1, "POS": 2},
    )
    model = transformers.BertForSequenceClassification(config)
    model.classifier.bias.data = torch.tensor([0.0, 5.0, 9.0])
    model.save_pretrained(folder)
    return folder


def engine(files: Path, **options: str) -> Sentiment:
    table = {"name": "random", "kind": "sentiment", "engine": "transformers", "licence": "MIT", "languages": ["en"]}
    manifest = Manifest.model_validate(table | {"options": options})
    return build_engine(manifest, files, threads=1)  # type: ignore[return-value]


async def test_the_labels_of_the_options_become_the_mood(files: Path) -> None:
    mood = await engine(files, negative="neg", neutral="", positive="pos").score("Hello.")
    assert mood.positive > 0.99
    assert mood.neutral == 0.0
    assert mood.negative + mood.positive == pytest.approx(1.0)


async def test_nothing_said_is_neutral(files: Path) -> None:
    assert (await engine(files, negative="NEG", neutral="OTHER", positive="POS").score("")).neutral == 1.0


def test_a_label_that_the_model_lacks_is_refused_with_those_it_has(files: Path) -> None:
    with pytest.raises(ConfigError, match="it has no label 'negative'; it has: neg, other, pos"):
        engine(files)
