"""Sealed segments on this machine's disk, until they are among the objects.

    <folder>/<call id>/head      whose recording it is; locked by the process that has to do with it
    <folder>/<call id>/000000    sealed chunks, one after another

A segment goes as soon as it is an object, so a journal stays small while the object store answers.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from telephony.recording.objects import segment_name

_HEAD: Final = "head"
_DIGITS: Final = 6
# Whoever makes a journal has locked its head within a moment; older ones without a head hold nothing.
_BEING_MADE: Final = 60.0


@dataclass(slots=True)
class CallJournal:
    """One call's segments. Made or adopted; this process alone has it until let_go() or remove()."""

    folder: Path
    call_id: UUID
    account: UUID
    _lock: int

    @classmethod
    def make(cls, journals: Path, call_id: UUID, account: UUID) -> CallJournal:
        """An empty one. Raises OSError, such as for a call that has one."""
        folder = journals / str(call_id)
        folder.mkdir(mode=0o700)
        lock = os.open(folder / _HEAD, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.write(lock, json.dumps({"account": str(account)}).encode())
        except OSError:
            os.close(lock)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder, call_id, account, lock)

    @classmethod
    def left(cls, journals: Path) -> Iterator[CallJournal]:
        """What processes that are gone have left in *journals*."""
        for folder in sorted(journals.iterdir()):
            with suppress(ValueError):
                if (found := cls._adopt(folder, UUID(folder.name))) is not None:
                    yield found

    @classmethod
    def _adopt(cls, folder: Path, call_id: UUID) -> CallJournal | None:
        try:
            lock = os.open(folder / _HEAD, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            _sweep(folder)
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            account = UUID(json.loads((folder / _HEAD).read_bytes())["account"])
        except (BlockingIOError, FileNotFoundError):
            os.close(lock)
            return None
        except (ValueError, KeyError, TypeError):
            os.close(lock)
            _sweep(folder)
            return None
        return cls(folder, call_id, account, lock)

    def path(self, segment: int) -> Path:
        """Of one segment's file."""
        return self.folder / segment_name(segment)

    def segments(self) -> list[int]:
        """Those that are on the disk, in order."""
        names = (entry.name for entry in self.folder.iterdir())
        return sorted(int(name) for name in names if len(name) == _DIGITS and name.isdecimal())

    def exists(self) -> bool:
        """Whether nobody has erased it."""
        return self.folder.exists()

    def let_go(self) -> None:
        """Leave it for another process."""
        os.close(self._lock)

    def remove(self) -> None:
        """It is done with."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.let_go()


def erase_journal(journals: Path, call_id: UUID) -> bool:
    """Remove what is left of a call's journal, whoever has it; whether there was any."""
    folder = journals / str(call_id)
    if not folder.exists():
        return False
    # Out of the way first: whoever still writes finds no folder, and cannot fill it again while it is emptied.
    condemned = journals / f".erased-{call_id}"
    with suppress(FileNotFoundError):
        folder.rename(condemned)
    shutil.rmtree(condemned, ignore_errors=True)
    return True


def _sweep(folder: Path) -> None:
    """Remove a journal that never came to hold anything."""
    with suppress(FileNotFoundError):
        if time.time() - folder.stat().st_mtime > _BEING_MADE:
            shutil.rmtree(folder, ignore_errors=True)
