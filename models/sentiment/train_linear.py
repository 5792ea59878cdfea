"""Trains the softmax head of the model minilm-linear, and compares it with VADER on sentences that neither has seen.

    python -m models.sentiment.train_linear

Data: the ICWSM-2014 sets inside the vaderSentiment 3.3.2 source package (MIT): sentences of tweets, film and product
reviews and editorials, each rated by about twenty people from -4 to 4. Hutto and Gilbert, "VADER: A Parsimonious
Rule-based Model for Sentiment Analysis of Social Media Text", ICWSM 2014.

The head learns the shares of the raters that heard a negative, neutral and positive sentence, so that its probabilities
mean what they say. A fifth of the articles, reviews and tweets is held out. Takes about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import logging
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.embed.minilm import SentenceEncoder
from inference.registry import Registry

Floats: TypeAlias = NDArray[np.float64]

PACKAGE = "vaderSentiment==3.3.2"
SETS = ("amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets", "tweets")
HEAD = Path(__file__).with_name("minilm-linear.npz")
HELD_OUT = 5  # every fifth group
CLEAR = 0.6  # a mean rating beyond it is called negative or positive, as closely rated sentences are by most raters
WEIGHT_DECAY = 1e-4
STEPS = 600

log = logging.getLogger("train_linear")


@dataclass(frozen=True, slots=True)
class Rated:
    """A sentence. shares: of raters that found it negative, neutral, positive; mean: of the ratings, -4 to 4.

    group: the article or review that it comes from; a group is never split between training and test.
    """

    text: str
    shares: tuple[float, float, float]
    mean: float
    group: str

    @property
    def held_out(self) -> bool:
        """Whether the sentence belongs to the test split."""
        return int(hashlib.sha256(self.group.encode()).hexdigest(), 16) % HELD_OUT == 0


def read_ratings(folder: Path) -> Iterator[Rated]:
    """The sentences of every set in *folder*."""
    for name in SETS:
        ratings = {row[0]: json.loads(row[3]) for row in _rows(folder / f"{name}_anonDataRatings.txt")}
        for identity, mean, text, *_ in _rows(folder / f"{name}_GroundTruth.txt"):
            votes = np.sign(ratings[identity])
            shares = tuple(float(np.mean(votes == sign)) for sign in (-1, 0, 1))
            yield Rated(text, shares, float(mean), f"{name}/{identity.split('_')[0]}")  # type: ignore[arg-type]


def fit(vectors: Floats, shares: Floats) -> Floats:
    """Weights of shape (dim + 1, 3), the bias last: the cross-entropy's minimum by Nesterov's accelerated gradient."""
    inputs = _with_bias(vectors)
    weights = ahead = np.zeros((inputs.shape[1], 3))
    for step in range(STEPS):
        decay = np.vstack([ahead[:-1], np.zeros((1, 3))])
        gradient = inputs.T @ (_softmax(inputs @ ahead) - shares) / len(inputs) + WEIGHT_DECAY * decay
        # Rows of unit norm and a bias bound the curvature by 1/4 of (1 + 1), so steps of up to 4 converge.
        stepped = ahead - 4.0 * gradient
        ahead = stepped + step / (step + 3) * (stepped - weights)
        weights = stepped
    return weights


def scores(labels: NDArray[np.int64], polarity: Floats, means: Floats) -> dict[str, float]:
    """How well *labels* (0, 1, 2) and *polarity* (a number that grows with the mood) agree with the mean ratings."""
    truth = np.digitize(means, [-CLEAR, CLEAR])
    clear = truth != 1
    f1 = [2 * np.sum((truth == c) & (labels == c)) / max(1, np.sum(truth == c) + np.sum(labels == c)) for c in range(3)]
    return {
        "accuracy": float(np.mean(labels == truth)),
        "macro_f1": float(np.mean(f1)),
        "polarity_accuracy": float(np.mean(np.sign(polarity[clear]) == np.sign(means[clear]))),
        "correlation": float(np.corrcoef(polarity, means)[0, 1]),
    }


def main() -> None:
    """Train, print the scores, write the head."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HEAD)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as folder:
        source = _source_package(Path(folder))
        rated = list(read_ratings(source / "ratings" / "hutto_ICWSM_2014"))
        train = np.array([not row.held_out for row in rated])
        log.info("%d sentences to train on, %d held out", train.sum(), (~train).sum())
        vectors = _encoder(arguments.threads).encode([row.text for row in rated]).astype(np.float64)
        weights = fit(vectors[train], np.array([row.shares for row in rated])[train])

        held_out = [row for row in rated if row.held_out]
        means = np.array([row.mean for row in held_out])
        moods = _softmax(_with_bias(vectors[~train]) @ weights)
        log.info("head  %s", _shown(scores(moods.argmax(axis=1), moods[:, 2] - moods[:, 0], means)))
        vader = _vader(source)
        compound = np.array([vader.polarity_scores(row.text)["compound"] for row in held_out])
        # VADER's own thresholds, from its README.
        log.info("VADER %s", _shown(scores(np.digitize(compound, [-0.05, 0.05]), compound, means)))
    np.savez(arguments.out, weights=weights[:-1].astype(np.float32), bias=weights[-1].astype(np.float32))
    log.info("%s sha256 %s", arguments.out, hashlib.sha256(arguments.out.read_bytes()).hexdigest())


def _source_package(folder: Path) -> Path:
    """The unpacked source package of VADER, with its ratings in ratings/."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
    subprocess.run([*command, "--dest", str(folder), PACKAGE], check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as package:
        package.extractall(folder, filter="data")
    source = next(path for path in folder.iterdir() if path.is_dir())
    with tarfile.open(source / "additional_resources" / "hutto_ICWSM_2014.tar.gz") as ratings:
        ratings.extractall(source / "ratings", filter="data")
    return source


def _vader(source: Path) -> Any:
    spec = importlib.util.spec_from_file_location("vader", source / "vaderSentiment" / "vaderSentiment.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SentimentIntensityAnalyzer(str(source / "vaderSentiment" / "vader_lexicon.txt"))


def _encoder(threads: int) -> SentenceEncoder:
    registry = Registry()
    files = registry.pull(registry.manifest("minilm-int8"))
    return SentenceEncoder(files / "model.onnx", files / "tokenizer.json", max_tokens=256, threads=threads)


def _rows(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        yield [cell.strip() for cell in line.split("\t")]


def _with_bias(vectors: Floats) -> Floats:
    return np.hstack([vectors, np.ones((len(vectors), 1))])


def _softmax(logits: Floats) -> Floats:
    powers: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _shown(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items())


if __name__ == "__main__":
    main()
