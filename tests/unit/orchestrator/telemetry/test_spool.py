"""The spool's file, through kills and a full disk."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.errors import ConfigError
from orchestrator.telemetry.spool import Spool


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool")
    opened.open()
    yield opened
    opened.close()


def reopened(spool: Spool, tmp_path: Path) -> Spool:
    spool.close()
    again = Spool(tmp_path / "spool")
    again.open()
    return again


def test_lines_come_out_in_the_order_in_which_they_went_in(spool: Spool) -> None:
    spool.append(["one", "two"])
    spool.append(["three"])

    assert spool.peek(2) == ["one", "two"]
    spool.take(["one", "two"])
    assert spool.peek(10) == ["three"]
    assert spool.waiting == 1


def test_lines_that_were_not_taken_outlive_the_process(spool: Spool, tmp_path: Path) -> None:
    spool.append(["one", "two"])

    again = reopened(spool, tmp_path)

    assert again.waiting == 2
    assert again.peek(10) == ["one", "two"]
    again.close()


def test_a_taken_spool_leaves_nothing_on_the_disk(spool: Spool, tmp_path: Path) -> None:
    spool.append(["one", "two"])
    spool.take(["one", "two"])

    assert (tmp_path / "spool" / "records.jsonl").stat().st_size == 0
    spool.append(["three"])
    assert spool.peek(10) == ["three"]


def test_a_line_that_a_kill_cut_short_is_dropped(spool: Spool, tmp_path: Path) -> None:
    spool.append(["one"])
    spool.close()
    with (tmp_path / "spool" / "records.jsonl").open("ab") as file:
        file.write(b"tw")
    again = Spool(tmp_path / "spool")

    assert again.open() == 2
    again.append(["three"])
    assert again.peek(10) == ["one", "three"]
    again.close()


def test_a_full_disk_takes_all_lines_of_a_batch_or_none(spool: Spool) -> None:
    spool.append(["one"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            spool.append(["x" * 60, "y" * 60])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    spool.append(["two"])
    assert spool.peek(10) == ["one", "two"]


def test_rejected_lines_are_kept_for_a_person(spool: Spool, tmp_path: Path) -> None:
    spool.reject(["one"])
    spool.reject(["two"])

    assert (tmp_path / "spool" / "rejected.jsonl").read_text() == "one\ntwo\n"


def test_a_spool_serves_one_process_at_a_time(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="in use"):
        Spool(tmp_path / "spool").open()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="cannot be opened"):
        Spool(tmp_path / "file" / "spool").open()


def test_nobody_else_may_read_what_callers_said(spool: Spool, tmp_path: Path) -> None:
    spool.reject(["one"])

    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "spool").iterdir()} == {0o600}
