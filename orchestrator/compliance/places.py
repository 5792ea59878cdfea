"""The places where something of a caller may be, beside the rows of their calls."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Sequence
from glob import glob
from pathlib import Path

from orchestrator.access.seal import Seal
from orchestrator.compliance.erasure import Forgotten
from orchestrator.compliance.files import blank_lines, calls_in, names_any
from orchestrator.compliance.retention import Recordings
from orchestrator.store.idempotency_repository import IdempotencyRepository


class RecordedSound:
    """Recordings in the object store, and those that are on their way there."""

    kind = "objects"
    before = True

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    async def holds_back(self, who: Forgotten) -> bool:
        """Never: a call that is over makes no more of it."""
        return False

    async def forget(self, who: Forgotten) -> int:
        """Remove the objects and keys of *who*'s calls. Raises RecordingUnavailable."""
        return sum([await self._recordings.delete(who.account, call) for call in who.calls])


class SpooledRecords:
    """What the recorder has on its disk: records that wait for the database, and those that it refused."""

    kind = "spooled_records"
    before = False

    def __init__(self, folder: Path) -> None:
        self._waiting = folder / "records.jsonl"
        self._refused = folder / "rejected.jsonl"

    async def holds_back(self, who: Forgotten) -> bool:
        """Whether records of *who* wait: written once the database is there, they are erased with the next try."""
        return await asyncio.to_thread(names_any, self._waiting, who.names)

    async def forget(self, who: Forgotten) -> int:
        """Blank the refused ones, also of calls whose beginning was refused."""
        unknown = await asyncio.to_thread(calls_in, self._refused, who.caller.forms)
        return await asyncio.to_thread(blank_lines, self._refused, (*who.names, *unknown))


class LogFiles:
    """Files that the logs of our processes go to. patterns: of their paths; compressed ones are not looked into."""

    kind = "log_lines"
    before = False

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns

    async def holds_back(self, who: Forgotten) -> bool:
        """Never: what is logged later names no call."""
        return False

    async def forget(self, who: Forgotten) -> int:
        """Blank the lines that name *who* or a call of theirs."""
        paths = {path for pattern in self._patterns for path in await asyncio.to_thread(glob, pattern)}
        return sum([await asyncio.to_thread(blank_lines, Path(path), who.names) for path in sorted(paths)])


class KeptAnswers:
    """Answers that are kept for requests that come again. seal: what they are under."""

    kind = "kept_answers"
    before = False

    def __init__(self, repository: IdempotencyRepository, seal: Seal) -> None:
        self._repository = repository
        self._seal = seal

    async def holds_back(self, who: Forgotten) -> bool:
        """Never: answers are kept for a day, and name no caller."""
        return False

    async def forget(self, who: Forgotten) -> int:
        """Forget the answers that name *who* or a call of theirs; the requests still take no effect again."""
        kept = await self._repository.answers(who.account)
        naming = [key for key, answer in kept if self._names(answer, key, who.names)]
        return await self._repository.forget_answers(who.account, naming)

    def _names(self, answer: bytes, key: bytes, names: Sequence[str]) -> bool:
        opened = self._seal.open(answer, key)
        if opened is None:
            return False
        text = b64decode(json.loads(opened)["body"]).decode(errors="replace")
        return any(name in text for name in names)
