"""What the tests of the store share."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.store.calls_repository import CallsRepository
from orchestrator.store.db import Database


@pytest.fixture
def calls(database: Database) -> CallsRepository:
    """The default account's calls."""
    return CallsRepository(database)


@pytest.fixture
def spool_folder(tmp_path: Path) -> Path:
    """Where a recorder may keep what it cannot store."""
    return tmp_path / "spool"
