"""Logistic regression for the few weights that the product is given."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

_STEPS = 50


def logistic_regression(rows: Floats, labels: Floats, weight: Floats, ridge: float = 1.0) -> Floats:
    """A weight for each column of *rows* (shape (n, k), the first all ones), by Newton's method.

    labels: shape (n,), 0 or 1; weight: shape (n,), how much each row counts; ridge: on all columns but the first.
    """
    found = np.zeros(rows.shape[1])
    penalty = np.diag([0.0] + [ridge] * (rows.shape[1] - 1))
    for _ in range(_STEPS):
        chance = chances(rows, found)
        slope = rows.T @ (weight * (chance - labels)) + penalty @ found
        curvature = (rows * (weight * chance * (1.0 - chance))[:, None]).T @ rows + penalty
        step = np.linalg.solve(curvature, slope)
        found -= step
        if math.sqrt(float(step @ step)) < 1e-8:
            break
    return found


def chances(rows: Floats, weights: Floats) -> Floats:
    """The probability of label 1 for each of *rows*."""
    found: Floats = 1.0 / (1.0 + np.exp(-rows @ weights))
    return found
