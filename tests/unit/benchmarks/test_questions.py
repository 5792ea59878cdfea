"""The audio of what is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.questions import questions
from inference.registry import Registry
from orchestrator.core.errors import ConfigError


def test_a_recording_without_a_header_is_a_line_too(tmp_path: Path) -> None:
    line = questions({"spoken/goforward"}, Registry(), "cpu-tiny", tmp_path)["spoken/goforward"]
    assert line.text == "go forward ten meters"
    assert len(line.pcm) / 16000 == pytest.approx(2.786, abs=0.001)


def test_a_misspelt_recording_is_refused_and_not_read_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no recording 'prompt/vm-sory'; the sets of recordings are book, cards"):
        questions({"prompt/vm-sory"}, Registry(), "cpu-tiny", tmp_path)
