"""Recordings of people for the engines' tests."""

from __future__ import annotations

import pytest

from benchmarks.human_speech import Recorded, recordings
from benchmarks.sound_files import read_wav
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import ConfigError

RATE = 16000


def human_recordings(prefix: str = "") -> list[Recorded]:
    """The recordings whose name begins with *prefix*, by name. Fails the test when their packages are missing."""
    try:
        found = recordings()
    except ConfigError as error:
        pytest.fail(f"{error} (make test does)")
    return [found[name] for name in sorted(found) if name.startswith(prefix)]


def heard(recorded: Recorded) -> AudioFrame:
    """The sound of *recorded*, 16 kHz."""
    return AudioFrame(read_wav(recorded.path), RATE)
