"""What `offhook call` refuses before it dials."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.cli import app
from orchestrator.core.audio import AudioFrame
from orchestrator.core.wav import write_wav
from tests.sounds import RATE, mixed, voice


def call(tmp_path: Path, *options: str) -> Result:
    question = tmp_path / "question.wav"
    write_wav(question, AudioFrame(mixed(0.2, (0.0, voice(0.2))), RATE))
    return CliRunner().invoke(app, ["call", "sip:demo@127.0.0.1:9", "--wav", str(question), *options])


@pytest.mark.parametrize(("keys", "named"), [("xyz", "x, y, z"), ("12e", "e"), ("1 2", " ")])
def test_keys_that_no_phone_has_are_refused_with_those_there_are(tmp_path: Path, keys: str, named: str) -> None:
    result = call(tmp_path, "--keys", keys)
    assert result.exit_code == 1
    assert f"--keys: {named}: no such key; accepted are 0 to 9, *, # and A to D" in result.output


@pytest.mark.parametrize("address", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_that_this_machine_does_not_have_is_refused(tmp_path: Path, address: str) -> None:
    result = call(tmp_path, "--bind", address)
    assert result.exit_code == 1
    assert f"--bind: cannot call from {address}: " in result.output
    assert "Traceback" not in result.output
