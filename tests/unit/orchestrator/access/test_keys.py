from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.access.keys import kept_key
from orchestrator.core.errors import ConfigError


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "tokens.key"
    key = kept_key(path)
    assert len(key) >= 43
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept_key(path) == key
    assert kept_key(tmp_path / "other.key") != key


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.key"
    kept_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read it; run: chmod 600"):
        kept_key(path)


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.key"
    path.touch(0o600)
    with pytest.raises(ConfigError, match="holds 0 characters; a key has at least 32"):
        kept_key(path)
