"""One recorder for many."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from orchestrator.core.events import Record, Recorder

log = structlog.get_logger()


class Fanout:
    """A Recorder that gives every record to each of several."""

    def __init__(self, recorders: Iterable[Recorder]) -> None:
        self._recorders = tuple(recorders)

    def record(self, record: Record) -> None:
        """Give *record* to all of them, in order; one that fails does not keep it from the others."""
        for recorder in self._recorders:
            try:
                recorder.record(record)
            except Exception:
                log.exception("recorder_failed", recorder=type(recorder).__name__)
