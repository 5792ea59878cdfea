"""Packages that hold voices and recordings, fetched with the ordinary clients and unpacked; nothing is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from orchestrator.core.errors import ConfigError


def debian(package: str, cache: Path) -> Path:
    """The folder that stands for / in Debian's *package*, below *cache*. Raises ConfigError when it cannot be had."""
    return _unpacked(cache / "debian" / package, ["apt-get", "download", "-q", package], "*.deb")


def wheel(requirement: str, cache: Path) -> Path:
    """The unpacked wheel of *requirement* ("name==version"). Raises ConfigError."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", requirement]
    return _unpacked(cache / "pypi" / requirement, pip, "*.whl")


def npm(package: str, cache: Path) -> Path:
    """The unpacked npm *package* ("name@version"). Raises ConfigError."""
    return _unpacked(cache / "npm" / package, ["npm", "pack", "--silent", package], "*.tgz") / "package"


def _unpacked(folder: Path, fetch: list[str], pattern: str) -> Path:
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        try:
            subprocess.run(fetch, cwd=scratch, check=True, capture_output=True, text=True)
            archive = next(Path(scratch).glob(pattern))
            _extract(archive, Path(scratch) / "unpacked")
        except (OSError, StopIteration, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            raise ConfigError(f"{folder.name}: `{' '.join(fetch)}` failed: {said}") from error
        shutil.move(Path(scratch) / "unpacked", folder)
    return folder


def _extract(archive: Path, folder: Path) -> None:
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", str(archive), str(folder)], check=True, capture_output=True, text=True)
    elif archive.suffix == ".whl":
        shutil.unpack_archive(archive, folder, "zip")
    else:
        with tarfile.open(archive) as package:
            package.extractall(folder, filter="data")
