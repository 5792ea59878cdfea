"""Exceptions as they may be logged: what kind, where, and the message only where it cannot quote a caller."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import TypeAlias

from orchestrator.core.errors import VoiceError
from orchestrator.telemetry.masking import masked, without_secrets

Failure: TypeAlias = dict[str, str | list[str]]

# Messages of these come from us, the operating system or the interpreter, and name no values. ValueError, KeyError,
# AssertionError and what libraries raise quote what they were given, which may be what a caller said.
_OPEN = (
    VoiceError,
    BaseExceptionGroup,
    OSError,
    ImportError,
    NotImplementedError,
    AttributeError,
    NameError,
    TypeError,
    TimeoutError,
    MemoryError,
    RecursionError,
)
_DEEPEST = 10
_FRAMES = 25


def failures(error: BaseException) -> list[Failure]:
    """*error*, then what it was raised from and what it groups. Never a frame's locals or its source text."""
    return [_failure(link) for link in _linked(error)]


def hidden_texts(error: BaseException) -> Iterator[str]:
    """What the masked messages of *error* say, as it may be quoted in a text beside it."""
    for link in _linked(error):
        if not isinstance(link, _OPEN):
            yield from (_words(link), *(part for part in link.args if isinstance(part, str)))


def as_text(found: list[Failure]) -> str:
    """Failures for a person's eyes, the one that was caught last."""
    blocks = []
    for failure in reversed(found):
        lines = [f"  {frame}" for frame in failure["frames"]]
        blocks.append("\n".join([*lines, f"{failure['type']}: {failure['message']}"]))
    return "\n\n".join(blocks)


def _failure(error: BaseException) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return {
        "type": type(error).__qualname__,
        "message": _message(error),
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _message(error: BaseException) -> str:
    text = _words(error)
    return without_secrets(text) if isinstance(error, _OPEN) or not text else masked(text)


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        # A broken __str__ must not cost the line, nor the call that logs it.
        return ""


def _linked(error: BaseException) -> Iterator[BaseException]:
    """The chain of causes and contexts, with the members of groups, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting and len(seen) < _DEEPEST:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting.append(link.__cause__ or (None if link.__suppress_context__ else link.__context__))
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(link.exceptions)
