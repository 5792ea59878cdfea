"""Mood by a text classifier of the transformers library, on CPU or GPU. Needs the torch extra."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Mood

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Options(BaseModel):
    """device: where the model runs. negative, neutral, positive: what the model calls its labels, upper or lower case.

    A model without a neutral label has neutral = "".
    """

    model_config = ConfigDict(extra="forbid")

    device: Literal["cpu", "cuda"] = "cpu"
    max_tokens: int = Field(default=128, ge=8)
    negative: str = "negative"
    neutral: str = "neutral"
    positive: str = "positive"


class TransformersSentiment:
    """Implements Sentiment. columns: for negative, neutral and positive, the model's output, None when it has none."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        columns: tuple[int | None, int | None, int | None],
        max_tokens: int,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._columns = columns
        self._max_tokens = max_tokens

    async def score(self, text: str) -> Mood:
        """The mood of *text*; nothing said is neutral."""
        if not text.strip():
            return Mood(negative=0.0, neutral=1.0, positive=0.0)
        return await asyncio.to_thread(self._score, text)

    async def warm(self) -> None:
        """The first pass allocates; have it done before a caller waits."""
        await self.score("warm")

    def _score(self, text: str) -> Mood:
        import torch  # noqa: PLC0415 - heavy

        tokens = self._tokenizer(text, truncation=True, max_length=self._max_tokens, return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(**tokens.to(self._model.device)).logits[0]
        shares = torch.softmax(logits.float(), dim=-1).tolist()
        taken = [0.0 if column is None else shares[column] for column in self._columns]
        negative, neutral, positive = (share / sum(taken) for share in taken)
        return Mood(negative=negative, neutral=neutral, positive=positive)


def load(manifest: Manifest, files: Path, threads: int) -> TransformersSentiment:
    """The classifier on the model folder *files*; nothing is fetched from the network.

    Raises ConfigError when the model does not have the labels of the options.
    """
    import torch  # noqa: PLC0415 - heavy
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415 - heavy

    options = manifest.options_as(Options)
    torch.set_num_threads(threads)
    tokenizer = AutoTokenizer.from_pretrained(files, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(files, local_files_only=True).to(options.device).eval()
    labels = {label.lower(): int(column) for label, column in model.config.label2id.items()}

    def column(wanted: str) -> int | None:
        if wanted and wanted.lower() not in labels:
            known = ", ".join(labels)
            raise ConfigError(f"model {manifest.name!r}: options: it has no label {wanted!r}; it has: {known}")
        return labels.get(wanted.lower())

    columns = (column(options.negative), column(options.neutral), column(options.positive))
    return TransformersSentiment(model, tokenizer, columns, options.max_tokens)
