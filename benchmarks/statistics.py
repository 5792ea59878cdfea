"""Figures of a series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np

Summary: TypeAlias = dict[str, float | int | None]


def summary(values: Iterable[float]) -> Summary:
    """n, p50, p95, p99 and max, in seconds to the millisecond; None where there is nothing to tell."""
    series = np.asarray(list(values), dtype=np.float64)
    if len(series) == 0:
        return {"n": 0, "p50": None, "p95": None, "p99": None, "max": None}
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(series, (50, 95, 99)))
    return {"n": len(series), "p50": p50, "p95": p95, "p99": p99, "max": round(float(series.max()), 3)}


def split_summary(by_kind: Mapping[str, list[float]]) -> dict[str, object]:
    """The summary of all values, and beside it one for each kind."""
    together: dict[str, object] = dict(summary(value for values in by_kind.values() for value in values))
    return together | {kind: summary(values) for kind, values in by_kind.items()}
