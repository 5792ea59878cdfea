"""The gate: which figures of a run are out of bounds, and how they compare with those of another run."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from orchestrator.core.errors import ConfigError

THRESHOLDS = Path(__file__).parent / "thresholds.toml"
_COMPARED = (
    "voice_to_voice_s.p50",
    "voice_to_voice_s.p95",
    "voice_to_voice_s.approved.p50",
    "voice_to_voice_s.llm.p50",
    "barge_in_s.p95",
    "timeline_error_s.p95",
    "wer",
    "cpu_s_per_turn",
    "rss_mb",
)


class Threshold(BaseModel):
    """Bounds of one figure, both inclusive, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_most: float | None = None
    at_least: float | None = None
    because: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One threshold applied. value: None when the run has no such figure, which is a failure."""

    figure: str
    value: float | None
    threshold: Threshold

    @property
    def passed(self) -> bool:
        """Whether the value is there and within its bounds."""
        limits = self.threshold
        if self.value is None:
            return False
        return (limits.at_most is None or self.value <= limits.at_most) and (
            limits.at_least is None or self.value >= limits.at_least
        )

    def __str__(self) -> str:
        limits = self.threshold
        wanted = f"at most {limits.at_most:g}" if limits.at_most is not None else f"at least {limits.at_least:g}"
        found = "not measured" if self.value is None else f"{self.value:g}"
        return f"{'pass' if self.passed else 'FAIL'}  {self.figure}: {found}, wanted {wanted} ({limits.because})"


def read_thresholds(path: Path = THRESHOLDS) -> dict[str, Threshold]:
    """The thresholds by figure. Raises ConfigError that says what is wrong."""
    try:
        return TypeAdapter(dict[str, Threshold]).validate_python(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error


def judge(results: Mapping[str, object], thresholds: Mapping[str, Threshold]) -> list[Verdict]:
    """A verdict for each threshold."""
    return [Verdict(figure, value_of(results, figure), threshold) for figure, threshold in thresholds.items()]


def value_of(results: Mapping[str, object], figure: str) -> float | None:
    """The number at a dotted path such as voice_to_voice_s.p95; None when there is none."""
    found: object = results
    for key in figure.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


def compared(results: Mapping[str, object], baseline: Mapping[str, object]) -> list[str]:
    """A line for each main figure: now, before, and the change. Runs of different scenarios are not compared."""
    asked, asked_before = results.get("scenario"), baseline.get("scenario")
    if asked != asked_before:
        return [f"not compared: the baseline is of the scenario {asked_before}, this run of {asked}"]
    lines = []
    for figure in _COMPARED:
        now, before = value_of(results, figure), value_of(baseline, figure)
        if now is None or before is None:
            continue
        change = f"{(now - before) / before:+.0%}" if before else "new"
        lines.append(f"{figure:32} {now:9.3f}  baseline {before:9.3f}  {change}")
    return lines
