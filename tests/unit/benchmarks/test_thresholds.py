"""The gate of a run, and the figures that it judges."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.statistics import split_summary, summary
from benchmarks.thresholds import Threshold, compared, judge, read_thresholds
from orchestrator.core.errors import ConfigError

LIMITS = {
    "voice_to_voice_s.p95": Threshold(at_most=2.0, because="it is long"),
    "voice_to_voice_s.n": Threshold(at_least=30, because="it is little"),
}


def test_figures_at_their_bounds_pass() -> None:
    verdicts = judge({"voice_to_voice_s": {"p95": 2.0, "n": 30}}, LIMITS)
    assert all(verdict.passed for verdict in verdicts)


def test_a_slow_run_fails_with_a_line_that_says_what_was_wanted() -> None:
    slow = judge({"voice_to_voice_s": {"p95": 2.31, "n": 40}}, LIMITS)[0]
    assert not slow.passed
    assert str(slow) == "FAIL  voice_to_voice_s.p95: 2.31, wanted at most 2 (it is long)"


@pytest.mark.parametrize("results", [{}, {"voice_to_voice_s": {"n": 40, "p95": None}}])
def test_a_figure_that_was_not_measured_fails(results: dict[str, object]) -> None:
    verdict = judge(results, LIMITS)[0]
    assert not verdict.passed
    assert "not measured" in str(verdict)


def test_the_committed_thresholds_hold_the_turn_to_what_is_promised() -> None:
    thresholds = read_thresholds()
    limits = {
        figure: thresholds[f"voice_to_voice_s.{figure}"].at_most for figure in ("p50", "p95", "p99", "approved.p50")
    }
    assert limits == {"p50": 0.9, "p95": 1.5, "p99": 2.0, "approved.p50": 0.6}


def test_a_bad_thresholds_file_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text('wer = { atmost = 1.0, because = "x" }')
    with pytest.raises(ConfigError, match=r"thresholds\.toml"):
        read_thresholds(path)


def test_a_run_is_compared_with_the_baseline_figure_by_figure() -> None:
    lines = compared({"wer": 0.11, "rss_mb": 500}, {"wer": 0.10})
    assert len(lines) == 1
    assert "+10%" in lines[0]


def test_runs_of_different_scenarios_are_not_compared() -> None:
    lines = compared({"scenario": "heldout", "wer": 0.11}, {"scenario": "helpdesk", "wer": 0.10})
    assert lines == ["not compared: the baseline is of the scenario helpdesk, this run of heldout"]


def test_a_summary_has_the_percentiles_of_its_series() -> None:
    assert summary([1.0, 2.0, 3.0]) == {"n": 3, "p50": 2.0, "p95": 2.9, "p99": 2.98, "max": 3.0}
    assert summary([]) == {"n": 0, "p50": None, "p95": None, "p99": None, "max": None}


def test_a_split_summary_has_the_total_beside_its_kinds() -> None:
    figures = split_summary({"approved": [1.0], "llm": [3.0]})
    assert figures["n"] == 2
    assert figures["p50"] == 2.0
    assert figures["llm"] == summary([3.0])
