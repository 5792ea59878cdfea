"""Errors as they cross from an engine to those who called it."""

from __future__ import annotations

from orchestrator.core import errors
from orchestrator.core.errors import BadOutput, ConfigError, EngineError

_BY_NAME: dict[str, type[EngineError]] = {
    kind.__name__: kind
    for kind in (EngineError, errors.EngineTimeout, errors.EngineOverloaded, errors.EngineUnavailable, BadOutput)
}


def outward(error: Exception, engine: str) -> EngineError | ValueError | ConfigError:
    """*error* as a caller may see it: an EngineError of *engine*, unless it says that the request itself was wrong.

    Engine errors keep their type, a ValueError stays one, and anything else, which no caller can know, is named.
    """
    if isinstance(error, EngineError | ValueError | ConfigError):
        return error
    return EngineError(engine, f"{type(error).__name__}: {error}")


def described(error: Exception, engine: str) -> dict[str, str]:
    """*error* as plain values; see raised()."""
    error = outward(error, engine)
    if isinstance(error, EngineError):
        return {"type": type(error).__name__, "engine": error.engine, "message": error.message}
    return {"type": "ConfigError" if isinstance(error, ConfigError) else "ValueError", "message": str(error)}


def rebuilt(description: dict[str, str]) -> EngineError | ValueError | ConfigError:
    """The error that described() made *description* of."""
    name, message = description["type"], description["message"]
    if name == "ValueError":
        return ValueError(message)
    if name == "ConfigError":
        return ConfigError(message)
    return _BY_NAME.get(name, EngineError)(description["engine"], message)
