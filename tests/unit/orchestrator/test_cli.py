"""The command line as a stranger meets it."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_version_is_told() -> None:
    assert shown("--version") == f"offhook {version('offhook')}\n"


@pytest.mark.parametrize("flag", ["demo", "once"])
def test_a_flag_is_shown_without_a_value(flag: str) -> None:
    assert re.search(rf"--{flag} +[A-Z]", shown("up", "--help"))


def test_the_number_of_calls_is_an_option() -> None:
    assert "--calls" in shown("up", "--help")
