"""Logs: one line of JSON for each event on standard error, a readable one on a terminal.

An event is a static name with fields: `log.info("call_started", call=call_id, pii_caller=caller)`. What a caller said
or is called goes under `pii_*` keys only and is always masked; secrets are removed wherever they are nested; exceptions
tell their place, and their message only where it cannot quote a caller. The standard library's logging (uvicorn,
asyncio, warnings) takes the same way.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

from orchestrator.telemetry.failures import as_text, failures, hidden_texts
from orchestrator.telemetry.masking import REDACTED, is_private, private_texts, safe

# Shorter texts ("yes", "Paul") are masked under their own key, but also occur in words that are nobody's.
_SHORTEST_QUOTE = 6

# The line's own words, which no caller has a say in: another call's "call_started" must not take them away.
_OURS = frozenset({"event", "level", "timestamp", "logger", "call", "agent", "gateway"})

# Reprs and arguments that asyncio puts into its messages, query strings that uvicorn does.
_QUOTED_OBJECTS = re.compile(r"<.*>|\(.*\)", re.DOTALL)
_QUERY = re.compile(r"\?[^\s\"]*")

_LIBRARY_LEVELS = {"uvicorn": logging.WARNING, "uvicorn.access": logging.WARNING}


def configure_logging(level: str = "INFO", stream: TextIO | None = None, pretty: bool | None = None) -> None:
    """Send every log of the process to *stream* (standard error), as JSON unless *pretty* (by default on a terminal).

    level: the lowest to show of our own events: DEBUG, INFO, WARNING or ERROR; libraries speak from WARNING on.
    Uncaught exceptions of threads and of the process are logged too. Calling it again replaces the former set-up.
    """
    output = stream or sys.stderr
    readable = output.isatty() if pretty is None else pretty
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            Privacy(),
            _for_reading if readable else _as_json,
            *([structlog.dev.ConsoleRenderer(colors=output.isatty())] if readable else []),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=output),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[StandardLibrary()], level=logging.WARNING, force=True)
    for name, lowest in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(lowest)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


class Privacy:
    """The processor that leaves nothing private in an event."""

    def __call__(self, logger: object, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        error = _error(event.pop("exc_info", None))
        event.pop("stack_info", None)
        quotable = list(private_texts(event))
        fields: dict[str, object] = {key: safe(key, value) for key, value in event.items()}
        if error is not None:
            quotable.extend(hidden_texts(error))
        texts = _spellings(quotable)
        # A library's event is no name but a message, which may quote anything.
        ours = _OURS - {"event"} if "logger" in fields else _OURS
        line = {
            key: value if key in ours or is_private(key) else _scrubbed(value, texts) for key, value in fields.items()
        }
        if error is not None:
            line["exception"] = [
                {**failure, "message": _scrubbed(failure["message"], texts)} for failure in failures(error)
            ]
        return line


class StandardLibrary(logging.Handler):
    """Hands what libraries log to the same processors."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log *record* as an event of its logger."""
        try:
            level = max(known for known in (0, 10, 20, 30, 40, 50) if known <= record.levelno)
            log = structlog.get_logger()
            log.log(level, _message(record), logger=record.name, exc_info=record.exc_info)
        except Exception:
            self.handleError(record)


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    if record.name == "asyncio":
        return _QUOTED_OBJECTS.sub("…", message)
    if record.name == "uvicorn.access":
        return _QUERY.sub("?…", message)
    return message


def _error(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case None | False | (None, None, None):
            return None
    return sys.exc_info()[1]


def _spellings(texts: list[str]) -> list[str]:
    """*texts* as they may be quoted, the longest first; too short ones left out."""
    spelled = {form for text in texts for form in (text, repr(text)[1:-1], json.dumps(text)[1:-1])}
    return sorted((form for form in spelled if len(form) >= _SHORTEST_QUOTE), key=len, reverse=True)


def _scrubbed(value: Any, texts: list[str]) -> Any:
    """*value* without any of *texts* in its strings."""
    if isinstance(value, str):
        for text in texts:
            value = value.replace(text, REDACTED)
        return value
    if isinstance(value, dict):
        return {_name(key, texts): _scrubbed(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item, texts) for item in value]
    return value


def _name(key: str, texts: list[str]) -> str:
    """*key* itself when it could be a field's name, such as pii_caller; else without *texts*, which it may quote."""
    return key if key.isascii() and key.isidentifier() else str(_scrubbed(key, texts))


def _as_json(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    head = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    return json.dumps({**head, **event}, ensure_ascii=False).encode(errors="replace").decode()


def _for_reading(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "exception" in event:
        event["exception"] = as_text(event["exception"])
    return event


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        sys.__excepthook__(kind, error or kind(), trace)
        return
    structlog.get_logger().critical("uncaught_exception", exc_info=error)
