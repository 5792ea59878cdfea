"""The network of inference/interjections/convolution.py, with what learning takes: batches, gradients and Adam."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.interjections.convolution import KEPT, STRIDES
from inference.log_mel import HOP, RATE

Floats: TypeAlias = NDArray[np.float32]
Weights: TypeAlias = dict[str, Floats]
LAYERS = ("first", "second", "third")
_TAPS = (5, 5, 3)
_CHANNELS = (64, 96, 128)
_DENSE = 64
_CLASSES = 3
_DROPPED = 0.3  # of the dense layer's input and output while learning


@dataclass(frozen=True, slots=True)
class Batch:
    """bands: shape (n, frames, KEPT), zeros after the `valid` first frames; peaks: shape (n,)."""

    bands: Floats
    valid: NDArray[np.int64]
    peaks: Floats


def fresh(random: np.random.Generator) -> Weights:
    """Weights to begin with (He et al., "Delving Deep into Rectifiers", 2015)."""
    weights: Weights = {}
    shapes = zip(LAYERS, _TAPS, (KEPT, *_CHANNELS[:-1]), _CHANNELS, strict=True)
    for layer, taps, inputs, outputs in shapes:
        weights[f"{layer}.weights"] = _normal(random, (taps, inputs, outputs), taps * inputs)
        weights[f"{layer}.bias"] = np.zeros(outputs, dtype=np.float32)
    for layer, inputs, outputs in (("dense", 2 * _CHANNELS[-1] + 2, _DENSE), ("output", _DENSE, _CLASSES)):
        weights[f"{layer}.weights"] = _normal(random, (inputs, outputs), inputs)
        weights[f"{layer}.bias"] = np.zeros(outputs, dtype=np.float32)
    return weights


def probabilities(weights: Weights, batch: Batch) -> Floats:
    """Shape (n, 3): interruption, back-channel, noise."""
    return _Pass(weights, batch, None).shares


def gradients(weights: Weights, batch: Batch, targets: Floats, random: np.random.Generator) -> tuple[float, Weights]:
    """The cross-entropy of *batch* against *targets* (shape (n, 3), rows weighed by their sum), and its gradients."""
    return _Pass(weights, batch, random).backward(targets)


@dataclass(slots=True)
class Adam:
    """Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015; decay as in Loshchilov and Hutter, 2019."""

    decay: float = 1e-3
    _steps: int = 0
    _means: Weights = field(default_factory=dict)
    _squares: Weights = field(default_factory=dict)

    def step(self, weights: Weights, slopes: Weights, rate: float) -> None:
        """Move *weights* by at most about *rate* against *slopes*."""
        self._steps += 1
        for name, slope in slopes.items():
            mean = self._means[name] = 0.9 * self._means.get(name, np.zeros_like(slope)) + 0.1 * slope
            square = self._squares[name] = 0.999 * self._squares.get(name, np.zeros_like(slope)) + 0.001 * slope**2
            scale = np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
            weights[name] -= rate * (scale * mean / (np.sqrt(square) + 1e-8) + self.decay * weights[name])


class _Pass:
    """One batch through the network; random: draws what is dropped, None when nothing is learned."""

    def __init__(self, weights: Weights, batch: Batch, random: np.random.Generator | None) -> None:
        self._weights = weights
        self._columns: list[Floats] = []
        self._hidden: list[Floats] = []
        self._inputs: list[tuple[int, ...]] = []
        hidden, valid = batch.bands, batch.valid
        for layer, stride in zip(LAYERS, STRIDES, strict=True):
            valid = -(-valid // stride)
            hidden = self._convolve(hidden, layer, stride, valid)
        self._valid = np.maximum(valid, 1)[:, None]
        self._winners = hidden.argmax(axis=1)
        means = hidden.sum(axis=1) / self._valid
        scalars = np.stack([batch.peaks * 2.0, batch.valid * (HOP / RATE)], axis=1)
        features = np.concatenate([means, hidden.max(axis=1), scalars], axis=1).astype(np.float32)
        self._kept_in = _kept(random, features.shape)
        self._features = features * self._kept_in
        dense = np.maximum(self._features @ weights["dense.weights"] + weights["dense.bias"], 0.0)
        self._kept_out = _kept(random, dense.shape)
        self._dense = dense * self._kept_out
        logits = self._dense @ weights["output.weights"] + weights["output.bias"]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.shares: Floats = powers / powers.sum(axis=1, keepdims=True)

    def backward(self, targets: Floats) -> tuple[float, Weights]:
        weights, count = self._weights, len(targets)
        weighed = targets.sum(axis=1, keepdims=True)
        loss = -float((targets * np.log(np.maximum(self.shares, 1e-7))).sum()) / count
        slopes: Weights = {}
        slope = (self.shares * weighed - targets) / count
        slopes["output.weights"], slopes["output.bias"] = self._dense.T @ slope, slope.sum(axis=0)
        slope = (slope @ weights["output.weights"].T) * self._kept_out * (self._dense > 0)
        slopes["dense.weights"], slopes["dense.bias"] = self._features.T @ slope, slope.sum(axis=0)
        slope = (slope @ weights["dense.weights"].T) * self._kept_in
        hidden = self._hidden[-1]
        channels = hidden.shape[2]
        deep = np.broadcast_to((slope[:, :channels] / self._valid)[:, None, :], hidden.shape).astype(np.float32)
        deep = deep.copy()
        rows, columns = np.ogrid[: len(hidden), :channels]
        deep[rows, self._winners, columns] += slope[:, channels : 2 * channels]
        for index in (2, 1, 0):
            deep = self._back(index, deep, slopes)
        return loss, slopes

    def _convolve(self, frames: Floats, layer: str, stride: int, valid: NDArray[np.int64]) -> Floats:
        kernel = self._weights[f"{layer}.weights"]
        taps = len(kernel)
        size = -(-frames.shape[1] // stride)
        padded = np.pad(frames, ((0, 0), (taps // 2, taps // 2), (0, 0)))
        columns = np.concatenate([padded[:, tap::stride][:, :size] for tap in range(taps)], axis=2)
        flat = columns.reshape(-1, columns.shape[2])
        result = flat @ kernel.reshape(-1, kernel.shape[2]) + self._weights[f"{layer}.bias"]
        hidden: Floats = np.maximum(result, 0.0).reshape(len(frames), size, -1)
        hidden *= (np.arange(size) < valid[:, None])[:, :, None]
        self._columns.append(flat)
        self._hidden.append(hidden)
        self._inputs.append(frames.shape)
        return hidden

    def _back(self, index: int, deep: Floats, slopes: Weights) -> Floats:
        """The slope at the layer's input, of that at its output; the weights' goes into *slopes*."""
        layer, stride = LAYERS[index], STRIDES[index]
        kernel = self._weights[f"{layer}.weights"]
        taps, inputs, outputs = kernel.shape
        flat = (deep * (self._hidden[index] > 0)).reshape(-1, outputs)
        slopes[f"{layer}.weights"] = (self._columns[index].T @ flat).reshape(kernel.shape)
        slopes[f"{layer}.bias"] = flat.sum(axis=0)
        if index == 0:
            return deep
        count, frames, _ = self._inputs[index]
        size = deep.shape[1]
        spread = (flat @ kernel.reshape(-1, outputs).T).reshape(count, size, taps, inputs)
        back: Floats = np.zeros((count, size * stride + taps, inputs), dtype=np.float32)
        for tap in range(taps):
            back[:, tap : tap + size * stride : stride] += spread[:, :, tap]
        return back[:, taps // 2 : taps // 2 + frames]


def _normal(random: np.random.Generator, shape: tuple[int, ...], inputs: int) -> Floats:
    drawn: Floats = (random.standard_normal(shape) * np.sqrt(2.0 / inputs)).astype(np.float32)
    return drawn


def _kept(random: np.random.Generator | None, shape: tuple[int, ...]) -> Floats:
    if random is None:
        return np.ones(shape, dtype=np.float32)
    return ((random.random(shape) >= _DROPPED) / (1.0 - _DROPPED)).astype(np.float32)
