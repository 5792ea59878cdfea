"""What the server's account may own and reach."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orchestrator.core.errors import ConfigError
from orchestrator.store.postgres_account import PostgresAccount

OURSELVES = PostgresAccount(os.geteuid(), os.getegid())
ANOTHER = PostgresAccount(os.geteuid() + 1, os.getegid())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_of_the_account_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir(mode=0o755)

    OURSELVES.own(folder)

    assert mode(folder) == 0o700


def test_a_link_that_somebody_prepared_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    (tmp_path / "sockets").symlink_to(target)

    with pytest.raises(ConfigError, match="remove it"):
        OURSELVES.own(tmp_path / "sockets")
    assert mode(target) == 0o755


def test_another_account_may_pass_through_a_folder_but_not_list_it(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    ANOTHER.admit(private / "data")

    assert mode(private) == 0o701


def test_nothing_is_opened_for_the_current_account(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    OURSELVES.admit(private / "data")
    OURSELVES.admit_to_read(private)

    assert mode(private) == 0o700


def test_another_account_may_run_programs_but_not_change_them(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir(mode=0o700)
    (programs / "postgres").touch(mode=0o700)
    (programs / "share.txt").touch(mode=0o600)

    ANOTHER.admit_to_read(programs)

    assert [mode(path) for path in (programs, programs / "postgres", programs / "share.txt")] == [0o705, 0o705, 0o604]


def test_a_program_of_another_account_is_started_as_that_account_alone() -> None:
    assert OURSELVES.identity == {}
    assert ANOTHER.identity == {"user": ANOTHER.uid, "group": ANOTHER.gid, "extra_groups": []}
